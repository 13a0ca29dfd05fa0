"""One earlier study, as knowledge about the present one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.held_down import held_down

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.observation import Observation
    from foretell.search_space import SearchSpace
    from foretell.transfer.nearness import TaskDescription


@dataclass(frozen=True)
class Source:
    """What an earlier search over a space of its own has seen.

    Args:
        name: How messages and weights call it.
        space: The space that was searched, with its own distributions.
        observations: What was evaluated there; larger is better, as everywhere.
        task: What is known of its task beforehand, see `task_distances`.

    Raises:
        InvalidDataError: If there are no observations, or they differ in their number of objectives.
    """

    name: str
    space: SearchSpace
    observations: tuple[Observation, ...]
    task: TaskDescription = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "observations", tuple(self.observations))
        counts = {len(o.values) for o in self.observations}
        if len(counts) != 1:
            msg = (
                f"a source needs observations that agree in their number of objectives, but {self.name!r} has "
                f"{len(self.observations)} with {sorted(counts)}: leave it out, or keep its studies apart"
            )
            raise InvalidDataError(msg)

    @property
    def n_objectives(self) -> int:
        """Number of objectives of every observation."""
        return len(self.observations[0].values)

    def targets(self, objective: int) -> Float[np.ndarray, " n"]:
        """One objective of every observation: of those stopped early at most the median, violators below all others.

        Among those that break constraints, the more they do, the lower.

        Args:
            objective: Which of the objectives.
        """
        values = np.array([o.values[objective] for o in self.observations])
        finished = held_down(values, np.array([o.partial for o in self.observations]))
        excess = np.array([sum(max(c, 0.0) for c in o.constraints) for o in self.observations])
        fine = finished[(excess <= 0) & np.isfinite(finished)]
        floor = float(fine.min()) if len(fine) else 0.0
        order = 1.0 + np.searchsorted(np.unique(excess[excess > 0]), excess)
        return np.where(excess > 0, floor - order, finished)
