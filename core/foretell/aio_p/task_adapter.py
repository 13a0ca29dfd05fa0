"""What is known of one source task: its adapter, and how outputs of the adapter are to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.aio_p.k_adapter import KAdapter
    from foretell.pretraining.objectives import Objective, Scale


@dataclass(frozen=True)
class TaskScale:
    """How labels of a task are standardised, by itself and by no other task.

    T' = Z(y / (log10(F + 1) + 1)) for accuracies, F in GFLOPs, Z(y) for what falls with size, such as a negated loss or
    latency; Z with the task's own mean and deviation (Mills et al., 2023, https://arxiv.org/abs/2211.17228, section
    3.3).

    Args:
        objective: `AccuracyPerFlops()` or `Accuracy()`.
        scale: Constants of the standardised label.
        mean: Of the label itself.
        std: Its deviation, positive.
    """

    objective: Objective
    scale: Scale
    mean: float
    std: float

    @classmethod
    def fit(cls, objective: Objective, y: Float[np.ndarray, " n"], gflops: Float[np.ndarray, " n"]) -> TaskScale:
        """Learn the constants; 20 labels are what the paper takes for a new task.

        Raises:
            InvalidDataError: If there are fewer than two labels, they do not differ, or one is not finite.
        """
        if len(y) < 2 or not np.isfinite(y).all() or not float(np.std(y)) > 0:
            msg = (
                f"a task is standardised by finite labels that differ, two at least, but got {len(y)}, of which "
                f"{np.count_nonzero(~np.isfinite(y))} are not finite: leave those out, or label more networks"
            )
            raise InvalidDataError(msg)
        return cls(objective, objective.fit(y, gflops), float(np.mean(y)), float(np.std(y)))

    def target(self, y: Float[np.ndarray, " n"], gflops: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """What outputs are compared with."""
        return self.objective.target(y, gflops, self.scale)

    def read(self, outputs: Float[np.ndarray, " n"], gflops: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Labels that outputs stand for, in the task's own unit."""
        return self.objective.score(outputs, gflops, self.scale)

    def standard(self, outputs: Float[np.ndarray, " n"], gflops: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """As `read`, in deviations from the task's mean, so that tasks can be averaged."""
        return np.asarray((self.read(outputs, gflops) - self.mean) / self.std)


@dataclass(frozen=True, eq=False)
class TaskAdapter:
    """A trained adapter.

    Args:
        module: The adapter.
        scale: Of its task.
    """

    module: KAdapter
    scale: TaskScale
