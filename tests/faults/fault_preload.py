"""What every worker needs, imported and used once in the server that workers are forked from."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ["OMP_NUM_THREADS"] = "1"

import fault_worker
import optuna
import sqlalchemy.orm  # noqa: F401

from foretell_adapters.optuna import ForetellSampler

optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(sampler=ForetellSampler(seed=0, n_startup_trials=2, warn_independent_sampling=False))
study.optimize(fault_worker.bowl, n_trials=6)
running = study.ask()
study.optimize(fault_worker.bowl, n_trials=2)
with contextlib.suppress(ImportError):
    import psycopg  # noqa: F401
