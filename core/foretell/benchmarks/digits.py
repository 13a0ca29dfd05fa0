"""A real joint architecture and recipe search that trains in about a second: handwritten digits.

The data ship with scikit-learn: 1,797 grey images of 8 x 8 pixels in ten classes (Alpaydin and Kaynak, 1998, "Optical
Recognition of Handwritten Digits", https://doi.org/10.24432/C50P49). Networks are small CNNs and MLPs, really trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, Value
from foretell.search_space import Condition, SearchSpace

EPOCHS = 5
EXAMPLE_SHAPE = (1, 1, 8, 8)
_CNN, _SGD = frozenset({"cnn"}), frozenset({"sgd"})
SPACE = SearchSpace(
    {
        "family": CategoricalDistribution(("cnn", "mlp")),
        "depth": IntDistribution(1, 4),
        "width": IntDistribution(8, 64, log=True),
        "kernel": CategoricalDistribution((1, 3, 5)),
        "pool": CategoricalDistribution(("max", "avg", "none")),
        "activation": CategoricalDistribution(("relu", "gelu", "tanh", "silu")),
        "norm": CategoricalDistribution(("none", "batch", "group")),
        "skip": CategoricalDistribution((False, True)),
        "dropout": FloatDistribution(0.0, 0.6),
        "optimizer": CategoricalDistribution(("sgd", "adam", "rmsprop")),
        "momentum": FloatDistribution(0.0, 0.99),
        "lr": FloatDistribution(1e-4, 1.0, log=True),
        "weight_decay": FloatDistribution(1e-6, 1e-1, log=True),
        "batch_size": IntDistribution(32, 256, log=True),
    },
    {
        "kernel": (Condition("family", _CNN),),
        "pool": (Condition("family", _CNN),),
        "momentum": (Condition("optimizer", _SGD),),
    },
)
"""Nine parameters of the network, five of its training; three of them conditional."""

_ACTIVATIONS: dict[Value, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "silu": nn.SiLU}


class _Block(nn.Module):
    """One layer with normalisation, activation and dropout, and a skip connection if asked for."""

    def __init__(self, layer: nn.Module, norm: nn.Module, config: Mapping[str, Value], *, skip: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            layer, norm, _ACTIVATIONS[config["activation"]](), nn.Dropout(float(config["dropout"] or 0.0))
        )
        self.skip = skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = self.body(x)
        return x + changed if self.skip else changed


def build(config: Mapping[str, Value]) -> nn.Module:
    """The network of a configuration of `SPACE`; takes images, batch x 1 x 8 x 8, gives ten logits."""
    depth, width = int(config["depth"] or 1), int(config["width"] or 8)
    skip = bool(config["skip"])
    if config["family"] == "mlp":
        layers: list[nn.Module] = [nn.Flatten()]
        for i in range(depth):
            size = 64 if i == 0 else 4 * width
            layers.append(_Block(nn.Linear(size, 4 * width), _norm(config, 4 * width, 1), config, skip=skip and i > 0))
        return nn.Sequential(*layers, nn.Linear(4 * width, 10))
    kernel = int(config["kernel"] or 1)
    layers = []
    for i in range(depth):
        conv = nn.Conv2d(1 if i == 0 else width, width, kernel, padding=kernel // 2)
        layers.append(_Block(conv, _norm(config, width, 2), config, skip=skip and i > 0))
        if i in {0, 2} and config["pool"] != "none":
            layers.append(nn.MaxPool2d(2) if config["pool"] == "max" else nn.AvgPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * width, 10))


def _norm(config: Mapping[str, Value], width: int, dims: int) -> nn.Module:
    if config["norm"] == "batch":
        return nn.BatchNorm2d(width) if dims == 2 else nn.BatchNorm1d(width)
    return nn.GroupNorm(1, width) if config["norm"] == "group" else nn.Identity()


@dataclass(frozen=True, slots=True)
class Score:
    """Result of one training.

    Attributes:
        log_loss: Mean cross-entropy on the validation images, in nats; smaller is better, `inf` if training diverged.
        accuracy: Fraction of validation images recognised, in [0, 1].
    """

    log_loss: float
    accuracy: float


def train(config: Mapping[str, Value], seed: int) -> Score:
    """Train a configuration for `EPOCHS` epochs on 1,197 images, and judge it on 600 others.

    Args:
        config: A configuration of `SPACE`.
        seed: Seed of initial weights, dropout and batch order; the split is always the same.
    """
    return _train(config, seed, EPOCHS, each=False)[-1]


def train_curve(config: Mapping[str, Value], seed: int, epochs: int) -> list[Score]:
    """Train as `train` does, but for so many epochs, and judge after each of them."""
    return _train(config, seed, epochs, each=True)


def _train(config: Mapping[str, Value], seed: int, epochs: int, *, each: bool) -> list[Score]:
    images, labels, held_images, held_labels = _data()
    scores = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(config)
        optimiser = _optimiser(network, config)
        batch = int(config["batch_size"] or 16)
        for epoch in range(epochs):
            order = torch.randperm(len(images))
            for start in range(0, len(order) - 1, batch):
                rows = order[start : start + batch]
                if len(rows) > 1:  # batch normalisation needs two
                    optimiser.zero_grad(set_to_none=True)
                    loss = nn.functional.cross_entropy(network(images[rows]), labels[rows])
                    torch.autograd.backward(loss)
                    optimiser.step()
            if each or epoch == epochs - 1:
                scores.append(_score(network, held_images, held_labels))
    return scores


def _score(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> Score:
    network.eval()
    with torch.no_grad():
        logits = network(images)
        loss = float(nn.functional.cross_entropy(logits, labels))
        accuracy = float((logits.argmax(dim=1) == labels).float().mean())
    network.train()
    return Score(loss if math.isfinite(loss) else math.inf, accuracy)


def _optimiser(network: nn.Module, config: Mapping[str, Value]) -> torch.optim.Optimizer:
    common: dict[str, Any] = {"lr": float(config["lr"] or 0.0), "weight_decay": float(config["weight_decay"] or 0.0)}
    if config["optimizer"] == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=float(config["momentum"] or 0.0), **common)
    kind = torch.optim.AdamW if config["optimizer"] == "adam" else torch.optim.RMSprop
    return kind(network.parameters(), **common)


@lru_cache(maxsize=1)
def _data() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16.0
    labels = torch.tensor(digits.target)
    rows, held = train_test_split(range(len(labels)), test_size=600, random_state=0, stratify=digits.target)
    return images[rows], labels[rows], images[held], labels[held]
