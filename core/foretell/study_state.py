"""What a suggestion starts from: all that was tried, is under way or failed, and what may still be tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.proposals import elusive_parameters, first_unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Bool, Float

    from foretell.distributions import Value
    from foretell.observation import Observation
    from foretell.search_memory import SearchMemory
    from foretell.search_space import SearchSpace
    from foretell.unit_cube import UnitCube

_REFUSED = 8  # what costs too much is often promising: those in front may all be refused
_FLAT = 3  # trials in a row that only repeat the best value: nothing around it makes a difference


@dataclass(frozen=True, eq=False)
class StudyState:
    """Positions and values of a study; n were tried, p are under way, f failed, m objectives, c constraints.

    Args:
        space: What may be varied.
        cube: The space as the surrogate sees it.
        tried: Configurations with values, in the order in which they became known.
        units: Their positions.
        values: Objectives, larger is better, infinite allowed.
        partial: Which were stopped early.
        constraints: Values that must not be positive; `nan` where unknown.
        running: Positions under evaluation.
        failed: Positions whose evaluation failed.
        elusive: Parameters that may turn out not to be there, see `elusive_parameters`.
        seen: Positions that are no news.
        admissible: Whether a configuration may be tried at all; None where all may.
    """

    space: SearchSpace
    cube: UnitCube
    tried: list[Mapping[str, Value]]
    units: Float[np.ndarray, "n d"]
    values: Float[np.ndarray, "n m"]
    partial: Bool[np.ndarray, " n"]
    constraints: Float[np.ndarray, "n c"]
    running: Float[np.ndarray, "p d"]
    failed: Float[np.ndarray, "f d"]
    elusive: Bool[np.ndarray, " d"] | None
    seen: Float[np.ndarray, "s d"]
    admissible: Callable[[Mapping[str, Value]], bool] | None = None

    @classmethod
    def of(
        cls,
        space: SearchSpace,
        memory: SearchMemory,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, Value]] = (),
        failed: Sequence[Mapping[str, Value]] = (),
        admissible: Callable[[Mapping[str, Value]], bool] | None = None,
    ) -> StudyState:
        """Work out positions and values.

        Args:
            space: What may be varied.
            memory: Where what was worked out before is found again.
            observations: What is known.
            pending: Configurations now being evaluated elsewhere.
            failed: Configurations whose evaluation came to nothing.
            admissible: Whether a configuration may be tried at all.

        Raises:
            InvalidDataError: If observations differ in their number of objectives.
        """
        values, partial, constraints = memory.outcomes(observations)
        tried = [o.config for o in observations]
        known = memory.units(space, tried)
        running = space.to_unit(list(pending)) if pending else known[:0]
        lost = space.to_unit(list(failed)) if failed else known[:0]
        elusive = elusive_parameters(known)
        seen = np.concatenate([known, running, lost]) if pending or failed else known
        if (
            elusive is not None and pending
        ):  # as it is if parameters that no condition explains turn out not to be there
            explained = np.array([name in space.conditions for name in space.names], dtype=bool)
            seen = np.concatenate([seen, np.where(elusive & ~explained, np.nan, running)])
        cube = memory.cube(space, np.isnan(known).any(axis=0), bends=values.shape[1] > 1)
        return cls(space, cube, tried, known, values, partial, constraints, running, lost, elusive, seen, admissible)

    @property
    def single(self) -> bool:
        """Whether there is one objective."""
        return bool(self.values.shape[1] == 1)

    @property
    def on_plateau(self) -> bool:
        """Whether the last trials all had exactly the best value, which is more than their number alone can be."""
        if len(self.values) <= _FLAT or not self.single:
            return False
        return bool((self.values[-_FLAT:] == self.values.max()).all())

    @property
    def n_best(self) -> int:
        """How many trials have exactly the best value; 0 with several objectives."""
        return int((self.values == self.values.max()).sum()) if self.single and len(self.values) else 0

    def may(self, config: Mapping[str, Value]) -> bool:
        """Whether a configuration may be tried at all."""
        return self.admissible is None or self.admissible(config)

    def first(
        self,
        rows: Float[np.ndarray, "k d"],
        wanted: int = 1,
        also_seen: Float[np.ndarray, "a d"] | None = None,
        *,
        surely_new: bool = True,
    ) -> list[int]:
        """The first rows that are new and admissible; after every eight refusals in a row, of half as many.

        Args:
            rows: Positions, the most promising first.
            wanted: How many, at most.
            also_seen: Further positions that are no news.
            surely_new: Whether those are left out that may turn out to be copies.
        """
        seen = self.seen if also_seen is None else np.concatenate([self.seen, also_seen])
        elusive = self.elusive if surely_new else None
        if self.admissible is None:
            return first_unseen(rows, seen, wanted, elusive)
        found: list[int] = []
        new = first_unseen(rows, seen, len(rows), elusive)
        at, step, refused = 0, 1, 0
        while at < len(new) and len(found) < wanted:
            if self.may(self.space.from_unit(rows[new[at]])):
                found.append(new[at])
                refused = 0
            else:
                refused += 1
                step *= 2 if refused % _REFUSED == 0 else 1
            at += step
        return found

    def random(self, rng: np.random.Generator) -> dict[str, Value]:
        """A configuration at random, a new and admissible one if there is one among 64."""
        rows = self.space.sample_units(64, rng)
        fresh = self.first(rows)
        return self.space.from_unit(rows[fresh[0] if fresh else 0])
