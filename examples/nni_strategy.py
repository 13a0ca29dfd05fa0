"""Architecture and learning rate of a small network, searched together in NNI's `NasExperiment`."""

from __future__ import annotations

import nni
import torch
from nni.nas.evaluator import FunctionalEvaluator
from nni.nas.experiment import NasExperiment
from nni.nas.experiment.config import NasExperimentConfig
from nni.nas.nn.pytorch import LayerChoice, ModelSpace, MutableConv2d, MutableLinear
from sklearn.datasets import load_digits
from torch import nn

from foretell_adapters.nni import ForetellStrategy


class DigitsSpace(ModelSpace):
    """A stem, a layer to choose, a head; the width is shared by all."""

    def __init__(self) -> None:
        super().__init__()
        width = nni.choice("width", [4, 8, 16])
        self.stem = MutableConv2d(1, width, 3, padding=1)
        mixers = {
            "conv": MutableConv2d(width, width, 3, padding=1),
            "pool": nn.MaxPool2d(3, 1, 1),
            "skip": nn.Identity(),
        }
        self.mixer = LayerChoice(mixers, label="mixer")
        self.head = MutableLinear(width * 16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores of images (B, 1, 8, 8)."""
        x = torch.relu(self.mixer(torch.relu(self.stem(x))))
        return self.head(nn.functional.avg_pool2d(x, 2).flatten(1))


def train(model: nn.Module, learning_rate: float, optimizer: str) -> None:
    """One epoch on most digits, accuracy on the others."""
    X, y = (torch.as_tensor(a) for a in load_digits(return_X_y=True))
    X = X.float().reshape(-1, 1, 8, 8) / 16
    step = getattr(torch.optim, optimizer)(model.parameters(), lr=learning_rate)
    for batch in torch.arange(1400).split(50):
        step.zero_grad()
        nn.functional.cross_entropy(model(X[batch]), y[batch]).backward()
        step.step()
    nni.report_final_result((model(X[1400:]).argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    rate, optimizer = nni.loguniform("learning_rate", 1e-3, 1e-1), nni.choice("optimizer", ["SGD", "Adam"])
    evaluator = FunctionalEvaluator(train, learning_rate=rate, optimizer=optimizer)
    strategy = ForetellStrategy(example_inputs=torch.zeros(1, 1, 8, 8), seed=0, n_startup=4)
    config = NasExperimentConfig("sequential", "simplified", "local")
    config.execution_engine.max_model_count = 8
    experiment = NasExperiment(DigitsSpace(), evaluator, strategy, config)
    experiment.run()
    for model in strategy.list_models(limit=3):
        print(f"{model.metric:.3f} {model.sample}")
    experiment.stop()
