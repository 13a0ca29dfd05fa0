"""Networks from anywhere in the order of their predicted accuracy, before any of them is trained.

Run it with `python examples/zero_shot_ranking.py`; with timm installed it ranks some of its models too.
"""

import torch
from torch import nn

from foretell import ComputationGraph, Predictor
from foretell.ranking import rank_graphs


class Block(nn.Module):
    """Two convolutions, with a shortcut or without."""

    def __init__(self, width, shortcut):
        super().__init__()
        self.shortcut = shortcut
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x):
        return torch.relu(self.body(x) + x if self.shortcut else self.body(x))


def cnn(width, depth, *, shortcut):
    stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
    blocks = [Block(width, shortcut) for _ in range(depth)]
    return nn.Sequential(stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def zoo():
    """Networks by name."""
    found = {f"cnn-{w}x{d}{'-skip' if s else ''}": cnn(w, d, shortcut=s)
             for w in (16, 64) for d in (1, 3, 9) for s in (True, False)}  # fmt: skip
    try:
        import timm
    except ImportError:
        return found
    return found | {name: timm.create_model(name, num_classes=10) for name in ("resnet10t", "mobilenetv3_small_050")}


if __name__ == "__main__":
    predictor = Predictor.from_pretrained("foretell-pretrained/nasbench101.test_acc")
    graphs = {name: ComputationGraph.from_module(net, torch.zeros(1, 3, 32, 32)) for name, net in zoo().items()}
    print(f"{'network':24} predicted  {'90 % interval':15} known region    parameters")
    for row in rank_graphs(predictor, graphs):
        known = {True: "inside", False: f"{row.distance:.1f} times too far", None: "not said"}[row.in_domain]
        print(f"{row.name:24} {row.predicted:9.3f}  {row.low:.3f} to {row.high:.3f}  {known:20} {row.params}")
