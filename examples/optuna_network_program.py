"""A space of networks as a program, searched in Optuna: the trial draws the network, the sampler edits its derivation.

Run it with `python examples/optuna_network_program.py [trials]`. Networks are really trained, on scikit-learn's digits.
"""

import sys

import optuna
import torch
from sklearn.datasets import load_digits
from torch import nn

from foretell import CategoricalDistribution
from foretell.spaces import Branches, Chain, Choice, Layer, Maybe, Repeat, Space, added
from foretell_adapters.optuna import SpaceSampler

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
labels = torch.tensor(digits.target)
train, held = slice(0, 1200), slice(1200, None)


def convolution(shape, kernel):
    return nn.Conv2d(shape[0], shape[0], kernel, padding=kernel // 2)


conv = Layer("conv", convolution, {"kernel": CategoricalDistribution((1, 3, 5))})
norm = Layer("norm", lambda shape: nn.BatchNorm2d(shape[0]))
relu, pool = Layer("relu", lambda shape: nn.ReLU()), Layer("pool", lambda shape: nn.MaxPool2d(3, 1, 1))
skip = Layer("identity", lambda shape: nn.Identity())
layer = Chain(Maybe(norm), conv, relu)
block = Choice(plain=layer, residual=Branches(added, layer, skip), pool=pool)
stem = Layer("stem", lambda shape: nn.Conv2d(1, 8, 3, stride=2), out=lambda shape: (8, 3, 3))
head = Layer("head", lambda shape: nn.Sequential(nn.Flatten(), nn.Linear(72, 10)), out=lambda shape: (10,))
space = Space(Chain(stem=stem, body=Repeat(block, 1, 5), head=head), (1, 8, 8))


def objective(trial):
    torch.manual_seed(0)
    network = space(trial)
    optimiser = torch.optim.Adam(network.parameters(), lr=trial.suggest_float("lr", 1e-3, 1e-1, log=True))
    for _ in range(15):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images[train]), labels[train]).backward()
        optimiser.step()
    with torch.no_grad():
        return (network.eval()(images[held]).argmax(1) == labels[held]).float().mean().item()


optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(direction="maximize", sampler=SpaceSampler(space, seed=0))
study.optimize(objective, n_trials=int(sys.argv[1]) if len(sys.argv) > 1 else 40)
print(f"{space.size:.0f} networks; best of {len(study.trials)}: accuracy {study.best_value:.3f},")
print(space.plan_of(study.best_params).text)
