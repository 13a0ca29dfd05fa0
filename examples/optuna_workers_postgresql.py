"""Many workers, one study: start this on as many machines as you like; each goes on until the study is full.

Run it with `python examples/optuna_workers_postgresql.py URL [trials]`, where URL is
`postgresql+psycopg://user:password@host/database` (`pip install 'psycopg[binary]'`). Workers may be killed and started
again, and the database may be restarted: what was finished stays, and counts once.
"""

import sys
import time

import optuna
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sqlalchemy.exc import SQLAlchemyError

from foretell_adapters.optuna import ForetellSampler

digits = load_digits()
X, y = digits.data / 16, digits.target


def objective(trial):
    """Error of a small network."""
    settings = {
        "hidden_layer_sizes": (trial.suggest_int("width", 4, 64, log=True),) * trial.suggest_int("depth", 1, 3),
        "learning_rate_init": trial.suggest_float("lr", 1e-4, 1e-1, log=True),
        "alpha": trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
    }
    network = MLPClassifier(**settings, max_iter=8, random_state=0)
    for _ in range(8):
        network.partial_fit(X[:600], y[:600], classes=range(10))
    return 1 - network.score(X[1200:], y[1200:])


def patiently(call):
    """Ask a database that is away again, for five minutes."""
    for wait in [0.1, 0.5, 1, 2, 5] + [10] * 29:
        try:
            return call()
        except (optuna.exceptions.StorageInternalError, SQLAlchemyError):
            time.sleep(wait)
    return call()


def unfinished(study, wanted):
    return len(study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])) < wanted


if __name__ == "__main__":
    url, wanted = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 40
    storage = patiently(lambda: optuna.storages.RDBStorage(url, engine_kwargs={"pool_pre_ping": True}))
    settings = {"study_name": "digits", "sampler": ForetellSampler(seed=0), "load_if_exists": True}
    study = patiently(lambda: optuna.create_study(storage=storage, **settings))
    while patiently(lambda: unfinished(study, wanted)):
        trial = patiently(study.ask)
        error = patiently(lambda trial=trial: objective(trial))
        patiently(lambda trial=trial, error=error: study.tell(trial, error, skip_if_finished=True))  # told once
    print(f"best error {patiently(lambda: study.best_value):.3f} with {study.best_params}")
    storage.engine.dispose()
