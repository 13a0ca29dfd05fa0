"""What a search believes of positions, judged by how desirable all objectives are together; see `Desirability`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.desirability import log_expected_gain, normal_points, overall, way_to_go
from foretell.errors import InvalidDataError
from foretell.study_belief import promise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float

    from foretell.desirability import Desirability
    from foretell.study_belief import StudyBelief
    from foretell.target_warp import TargetWarp


@dataclass(frozen=True, eq=False)
class DesiredBelief:
    """A `StudyBelief` of several objectives with wishes.

    Args:
        belief: What is believed of each objective.
        wishes: One an objective.
        warps: From each objective's own scale to that of the belief.
        best: The largest overall desirability known or expected of what runs; None if nothing holds all constraints.
        elite: Positions to look around, best first.
    """

    belief: StudyBelief
    wishes: tuple[Desirability, ...]
    warps: tuple[TargetWarp, ...]
    best: float | None
    elite: Float[np.ndarray, "k d"]

    @classmethod
    def of(
        cls,
        belief: StudyBelief,
        wishes: Sequence[Desirability],
        units: Float[np.ndarray, "n d"],
        values: Float[np.ndarray, "n m"],
        broken: Bool[np.ndarray, " n"],
        running: Float[np.ndarray, "p d"],
    ) -> DesiredBelief:
        """Judge by wishes.

        Args:
            belief: What is believed.
            wishes: One an objective.
            units: Positions that were evaluated.
            values: Their objectives.
            broken: Which violate a constraint.
            running: Positions under evaluation.

        Raises:
            InvalidDataError: If there is not one wish an objective.
        """
        if len(wishes) != values.shape[1]:
            msg = f"desirability needs one wish an objective, but got {len(wishes)} for {values.shape[1]}: name all"
            raise InvalidDataError(msg)
        reached = np.where(broken, -1.0, overall(values, wishes))
        # where nothing is worth anything yet, the order of the front
        order = np.argsort(-reached, kind="stable")
        elite = np.concatenate([units[order[reached[order] > 0]], belief.elite])[: max(5, len(units) // 10)]
        made = cls(belief, tuple(wishes), tuple(t.warp for t in belief.objectives), None, elite)
        best = None if broken.all() else max(float(reached.max()), 0.0)
        if best is not None and len(running):
            X = belief.cube.encode(running)
            expected = np.stack([t.predict(X).mean for t in belief.objectives], axis=-1)
            best = max(best, float(overall(made._own_scale(expected), wishes).max()))
        return cls(belief, made.wishes, made.warps, best, elite)

    def score(self, units: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Logarithm of what each position is expected to gain in desirability, if it works at all."""
        X = self.belief.cube.encode(units)
        scores = promise(self.belief.doubts, X)
        if self.best is None:
            return scores
        beliefs = [trend.predict(X) for trend in self.belief.objectives]
        points = normal_points(len(beliefs))
        samples = np.stack([b.mean + points[:, [k]] * b.std for k, b in enumerate(beliefs)], axis=-1)
        low = np.array([w.forward(np.array([wish.low]))[0] for w, wish in zip(self.warps, self.wishes, strict=True)])
        gain = log_expected_gain(self._own_scale(samples), self.wishes, self.best)
        return np.asarray(scores + gain + way_to_go(beliefs, low))

    def _own_scale(self, z: Float[np.ndarray, "*shape m"]) -> Float[np.ndarray, "*shape m"]:
        return np.stack([warp.inverse(z[..., k]) for k, warp in enumerate(self.warps)], axis=-1)
