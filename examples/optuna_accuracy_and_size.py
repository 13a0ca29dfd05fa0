"""Two objectives: accuracy and FLOPs, the second known exactly from the graph before anything is trained.

Run it with `python examples/optuna_accuracy_and_size.py [trials]`. Networks are really trained, on digits of
scikit-learn.
"""

import sys

import optuna
import torch
from sklearn.datasets import load_digits
from torch import nn

from foretell import ComputationGraph
from foretell_adapters.optuna import ForetellSampler

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
labels = torch.tensor(digits.target)
train, held = slice(0, 1200), slice(1200, None)


def build(params):
    """A small convolutional network."""
    layers, channels = [], 1
    for _ in range(params["depth"]):
        layers += [nn.Conv2d(channels, params["width"], params["kernel"], padding="same"), nn.ReLU()]
        channels = params["width"]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 10))


def objective(trial):
    trial.suggest_int("width", 2, 24, log=True)
    trial.suggest_int("depth", 1, 3)
    trial.suggest_categorical("kernel", [1, 3, 5])
    torch.manual_seed(0)
    network = build(trial.params)
    flops = ComputationGraph.from_module(network, images[:1]).flops
    optimiser = torch.optim.Adam(network.parameters(), lr=trial.suggest_float("lr", 1e-3, 1e-1, log=True))
    for _ in range(10):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images[train]), labels[train]).backward()
        optimiser.step()
    accuracy = (network(images[held]).argmax(1) == labels[held]).float().mean().item()
    return accuracy, flops / 1e3


if __name__ == "__main__":
    sampler = ForetellSampler(seed=0, graph=build, example_inputs=images[:1])
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    study.optimize(objective, n_trials=int(sys.argv[1]) if len(sys.argv) > 1 else 30, show_progress_bar=True)
    for trial in sorted(study.best_trials, key=lambda t: t.values[1]):
        print(f"accuracy {trial.values[0]:.3f} at {trial.values[1]:.1f} thousand FLOPs: {trial.params}")
