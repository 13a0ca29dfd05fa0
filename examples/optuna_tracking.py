"""A study followed in MLflow or Weights & Biases, by Optuna's own callbacks; nothing of foretell is in between.

Run it with `python examples/optuna_tracking.py [trials]`, after `pip install optuna-integration mlflow` (or `wandb`).
What is not installed is left out. MLflow writes a file here; W&B is asked to stay offline.
"""

import contextlib
import os
import sys

import optuna

from foretell_adapters.optuna import ForetellSampler


def trackers():
    """Callbacks by name, of the trackers that are installed."""
    found = {}
    with contextlib.suppress(ImportError):
        from optuna_integration.mlflow import MLflowCallback

        found["mlflow"] = MLflowCallback(tracking_uri="sqlite:///mlflow.db", metric_name="loss")
    with contextlib.suppress(ImportError):
        from optuna_integration.wandb import WeightsAndBiasesCallback

        os.environ.setdefault("WANDB_MODE", "offline")
        found["wandb"] = WeightsAndBiasesCallback(metric_name="loss", wandb_kwargs={"project": "foretell"})
    return found


def objective(trial):
    lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    depth = trial.suggest_int("depth", 1, 6)
    trial.set_user_attr("layers", 2 * depth + 1)
    return (lr - 0.01) ** 2 * 1e4 + abs(depth - 3)  # your training goes here


if __name__ == "__main__":
    callbacks = trackers()
    study = optuna.create_study(study_name="digits", sampler=ForetellSampler(seed=0))
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    study.optimize(objective, n_trials=trials, callbacks=list(callbacks.values()))
    print(
        f"{len(study.trials)} trials, best {study.best_value:.3f}; followed by {', '.join(callbacks) or 'no tracker'}"
    )
