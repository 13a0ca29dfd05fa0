"""foretell in Optuna: samplers, a pruner, a callback that stops, defaults for tasks, and a journal that stays whole."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from foretell.errors import MissingDependencyError

if TYPE_CHECKING:
    from foretell_adapters.optuna.pruner import ForetellPruner
    from foretell_adapters.optuna.sampler import ForetellSampler
    from foretell_adapters.optuna.space_sampler import SpaceSampler
    from foretell_adapters.optuna.stop_when_done import StopWhenDone
    from foretell_adapters.optuna.task_defaults import TaskDefaults
    from foretell_adapters.optuna.whole_journal import WholeJournalBackend

__all__ = ["ForetellPruner", "ForetellSampler", "SpaceSampler", "StopWhenDone", "TaskDefaults", "WholeJournalBackend"]

_MODULES = {
    "ForetellPruner": "pruner",
    "ForetellSampler": "sampler",
    "SpaceSampler": "space_sampler",
    "StopWhenDone": "stop_when_done",
    "TaskDefaults": "task_defaults",
    "WholeJournalBackend": "whole_journal",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    except ModuleNotFoundError as e:
        if e.name != "optuna":
            raise
        msg = f"{name} needs optuna>=5, but it is not installed: pip install 'foretell[optuna]'"
        raise MissingDependencyError(msg) from e
