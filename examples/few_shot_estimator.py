"""Twenty trained networks predict sixty others: foretell's columns and regressor in scikit-learn's tools.

Run it with `python examples/few_shot_estimator.py`. Networks are really trained, on digits of scikit-learn.
"""

import sys

import numpy as np
import torch
from scipy.stats import kendalltau
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from torch import nn

from foretell import ComputationGraph, GraphStatistics, Predictor
from foretell.regressor import ForetellRegressor

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).flatten(1) / 16
labels = torch.tensor(digits.target)
train, held = slice(0, 1200), slice(1200, None)


def build(rng):
    """A random multilayer perceptron."""
    width, depth = int(2 ** rng.uniform(2, 7)), int(rng.integers(1, 6))
    activation = [nn.ReLU, nn.Tanh, nn.Sigmoid][rng.integers(3)]
    layers = [nn.Linear(64, width), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def accuracy(network):
    """Train for 30 steps and test."""
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images[train]), labels[train]).backward()
        optimiser.step()
    return (network(images[held]).argmax(1) == labels[held]).float().mean().item()


if __name__ == "__main__":
    known, number = 20, int(sys.argv[1]) if len(sys.argv) > 1 else 80
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    networks = [build(rng) for _ in range(number)]
    graphs = [ComputationGraph.from_module(network, torch.zeros(1, 64)) for network in networks]
    X = Predictor((GraphStatistics(),)).encode(graphs).values
    y = np.array([accuracy(network) for network in networks])
    model = ForetellRegressor().fit(X[:known], y[:known])
    low, high = model.predict_interval(X[known:], coverage=0.9)
    print(f"tau on {number - known} others: {kendalltau(model.predict(X[known:]), y[known:]).statistic:.2f}")
    print(f"tau of counting parameters: {kendalltau([g.params for g in graphs[known:]], y[known:]).statistic:.2f}")
    print(f"90 % intervals hold {100 * np.mean((low <= y[known:]) & (y[known:] <= high)):.0f} %")
    print(f"cross-validated R2 on the known: {cross_val_score(ForetellRegressor(), X[:known], y[:known]).mean():.2f}")
