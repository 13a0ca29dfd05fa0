"""What running trials try; with many workers the same proposals are read before every suggestion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foretell_adapters.optuna import space as spaces
from foretell_adapters.optuna.proposal import read_proposal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from foretell.distributions import Value

_MOST = 4096


class RunningTrials:
    """Remembers what was read; forgetting it changes nothing. Safe for threads, and empty again after pickling."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, dict[str, Any], dict[str, Any], dict[str, Value]]] = {}

    def config(self, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]) -> dict[str, Value]:
        """What a trial tries: its stored proposal, overruled by what it was given.

        Args:
            trial: A running one.
            search_space: Distributions of what may be proposed.

        Raises:
            InvalidDataError: If what is stored cannot be read.
        """
        last = self._known.get(trial._trial_id)
        if last and last[0] is search_space and last[1] == trial.system_attrs and last[2] == trial.params:
            return last[3]
        found = spaces.to_config({**read_proposal(trial, search_space), **trial.params})
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[trial._trial_id] = search_space, dict(trial.system_attrs), dict(trial.params), found
        return found

    def __getstate__(self) -> dict[str, object]:
        return {}

    def __setstate__(self, state: dict[str, object]) -> None:
        del state
        RunningTrials.__init__(self)
