"""Architecture and recipe searched together in Optuna: the sampler sees the network that the parameters make.

Run it with `python examples/optuna_joint_search.py [trials]`. Networks are really trained, on digits of scikit-learn.
"""

import sys

import optuna
import torch
from sklearn.datasets import load_digits
from torch import nn

from foretell_adapters.optuna import ForetellSampler

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).flatten(1) / 16
labels = torch.tensor(digits.target)
train, held = slice(0, 1200), slice(1200, None)


def build(params):
    """The network of a trial."""
    width, layers = params["width"], [nn.Linear(64, params["width"]), nn.ReLU()]
    for _ in range(params["depth"] - 1):
        layers += [nn.Linear(width, width), nn.BatchNorm1d(width) if params["norm"] else nn.Identity(), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def objective(trial):
    trial.suggest_int("width", 8, 256, log=True)
    trial.suggest_int("depth", 1, 5)
    trial.suggest_categorical("norm", [False, True])
    lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    torch.manual_seed(0)
    network = build(trial.params)
    optimiser = torch.optim.Adam(network.parameters(), lr=lr)
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images[train]), labels[train]).backward()
        optimiser.step()
    network.eval()
    return (network(images[held]).argmax(1) == labels[held]).float().mean().item()


if __name__ == "__main__":
    sampler = ForetellSampler(seed=0, graph=build, example_inputs=torch.zeros(1, 64))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=int(sys.argv[1]) if len(sys.argv) > 1 else 30, show_progress_bar=True)
    print(f"best accuracy {study.best_value:.3f} with {study.best_params}")
