"""Objectives that tests run in this process and in others."""

from __future__ import annotations

import json
import sys

import optuna

from foretell import ComputationGraph
from foretell_adapters.optuna import ForetellSampler


def mixed(trial: optuna.Trial) -> float:
    """A conditional space with every kind of parameter; the best value is 0."""
    x = trial.suggest_float("x", -1.0, 1.0)
    lr = trial.suggest_float("lr", 1e-4, 1.0, log=True)
    n = trial.suggest_int("n", 1, 9, step=2)
    kind = trial.suggest_categorical("kind", ["conv", "mlp"])
    value = (x - 0.3) ** 2 + (n - 5) ** 2 / 16 + abs(lr - 0.01) + (kind == "mlp")
    if kind == "conv":
        value += (trial.suggest_int("kernel", 1, 7) - 3) ** 2 / 9
    else:
        value += trial.suggest_float("dropout", 0.0, 0.9)
    return value


def width_graph(params: dict[str, object]) -> ComputationGraph:
    """A network of `depth` linear layers of `width`."""
    import torch
    from torch import nn

    width, depth = int(str(params["width"])), int(str(params["depth"]))
    layers = [nn.Linear(4, width), *(nn.Linear(width, width) for _ in range(depth - 1))]
    return ComputationGraph.from_module(nn.Sequential(*layers), torch.zeros(1, 4))


def opened(url: str, kind: str, n_startup: int) -> optuna.Study:
    """The study of that storage, which is made if it is not there: "rdb" by its URL, "journal" by its file."""
    if kind == "journal":
        backend = optuna.storages.journal.JournalFileBackend(url)
        storage: optuna.storages.BaseStorage | str | None = optuna.storages.JournalStorage(backend)
    else:
        storage = url or None
    sampler = ForetellSampler(seed=3, n_startup_trials=n_startup)
    return optuna.create_study(study_name="s", storage=storage, sampler=sampler, load_if_exists=True)


def main() -> None:
    """Run the study on `url` for so many trials; print the parameters as JSON."""
    url, kind, n_trials, n_startup = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = opened(url, kind, n_startup)
    study.optimize(mixed, n_trials=n_trials)
    sys.stdout.write(json.dumps([t.params for t in study.trials]))


if __name__ == "__main__":
    main()
