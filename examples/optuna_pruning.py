"""Hopeless trials end early: `ForetellPruner` reads their learning curves, `StopWhenDone` ends the study.

Run it with `python examples/optuna_pruning.py [trials]`. Networks are really trained, on digits of scikit-learn.
"""

import sys

import optuna
import torch
from sklearn.datasets import load_digits
from torch import nn

from foretell_adapters.optuna import ForetellPruner, ForetellSampler, StopWhenDone

EPOCHS = 20
digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).flatten(1) / 16
labels = torch.tensor(digits.target)
train, held = slice(0, 1200), slice(1200, None)


def objective(trial):
    width = trial.suggest_int("width", 4, 128, log=True)
    lr = trial.suggest_float("lr", 1e-4, 1.0, log=True)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
    optimiser = torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9)
    accuracy = 0.0
    for epoch in range(1, EPOCHS + 1):
        for batch in torch.arange(1200).split(300):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimiser.step()
        accuracy = (network(images[held]).argmax(1) == labels[held]).float().mean().item()
        trial.report(accuracy, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return accuracy


if __name__ == "__main__":
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    # wider networks take longer, which is known before: a cost in any unit; cost="time" would measure it
    sampler = ForetellSampler(seed=0, cost=lambda params: 64 * params["width"] + 10 * params["width"])
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=ForetellPruner())
    study.optimize(objective, n_trials=trials, callbacks=[StopWhenDone()])
    epochs = sum(len(trial.intermediate_values) for trial in study.trials)
    pruned = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
    print(f"{len(study.trials)} trials, {pruned} pruned: {epochs} epochs instead of {EPOCHS * len(study.trials)}")
    print(f"best accuracy {study.best_value:.3f} with {study.best_params}")
