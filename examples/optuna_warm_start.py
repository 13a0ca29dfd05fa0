"""A study that begins where an old one ended, though bounds, scale and direction differ.

Run it with `python examples/optuna_warm_start.py [trials]`. Networks are really trained, on digits of scikit-learn.
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


def loss_and_accuracy(width, lr, activation, classes):
    """Train on those digits below `classes` for 20 steps, and test on others of them."""
    torch.manual_seed(0)
    known = labels < classes
    X, y = images[known], labels[known]
    layer = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}[activation]()
    network = nn.Sequential(nn.Linear(64, width), layer, nn.Linear(width, classes))
    optimiser = torch.optim.Adam(network.parameters(), lr=lr)
    for _ in range(20):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(X[:400]), y[:400]).backward()
        optimiser.step()
    scores = network(X[400:])
    return nn.functional.cross_entropy(scores, y[400:]).item(), (scores.argmax(1) == y[400:]).float().mean().item()


def five_digits(trial):
    width, lr = trial.suggest_int("width", 4, 64), trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    return loss_and_accuracy(width, lr, trial.suggest_categorical("activation", ["relu", "tanh"]), 5)[0]


def all_digits(trial):
    width, lr = trial.suggest_int("Width", 8, 128, log=True), trial.suggest_float("lr", 1e-5, 1.0, log=True)
    return loss_and_accuracy(width, lr, trial.suggest_categorical("activation", ["gelu", "relu", "tanh"]), 10)[1]


if __name__ == "__main__":
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    old = optuna.create_study(study_name="five digits, loss", sampler=ForetellSampler(seed=0))
    old.optimize(five_digits, n_trials=2 * trials)
    cold = optuna.create_study(direction="maximize", sampler=ForetellSampler(seed=1))
    warm = optuna.create_study(direction="maximize", sampler=ForetellSampler(seed=1, sources=old))
    for name, study in {"cold": cold, "warm": warm}.items():
        study.optimize(all_digits, n_trials=trials)
        print(f"{name}: first five {max(t.value for t in study.trials[:5]):.3f}, best {study.best_value:.3f}")
    print(f"said of the old study: {warm.trials[-1].user_attrs['foretell:sources']}")
