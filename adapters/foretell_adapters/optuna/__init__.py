"""foretell in Optuna: `ForetellSampler`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.errors import MissingDependencyError

if TYPE_CHECKING:
    from foretell_adapters.optuna.sampler import ForetellSampler

__all__ = ["ForetellSampler"]


def __getattr__(name: str) -> object:
    if name != "ForetellSampler":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    try:
        from foretell_adapters.optuna.sampler import ForetellSampler
    except ModuleNotFoundError as e:
        if e.name != "optuna":
            raise
        msg = "ForetellSampler needs optuna>=5, but it is not installed: pip install 'foretell[optuna]'"
        raise MissingDependencyError(msg) from e
    return ForetellSampler
