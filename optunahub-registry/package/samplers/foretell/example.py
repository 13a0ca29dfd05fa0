import optuna
import optunahub
import torch
from torch import nn


def build(params: dict) -> nn.Module:
    layers = [nn.Linear(8, params["width"]), nn.ReLU()]
    for _ in range(params["depth"] - 1):
        layers += [nn.Linear(params["width"], params["width"]), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(params["width"], 1))


def objective(trial: optuna.Trial) -> float:
    trial.suggest_int("width", 4, 64, log=True)
    trial.suggest_int("depth", 1, 4)
    lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    size = sum(p.numel() for p in build(trial.params).parameters())
    return (size / 1000 - 2.0) ** 2 + (lr - 0.01) ** 2  # your training goes here


if __name__ == "__main__":
    module = optunahub.load_module("samplers/foretell")
    sampler = module.ForetellSampler(seed=0, graph=build, example_inputs=torch.zeros(1, 8))
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=30)
    print(study.best_params)
