"""Settings for a run that is too large to be tried, with what they may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Recommendation:
    """What to set, and what is expected of it; every interval holds with a probability of 90 %.

    Args:
        settings: By name.
        optimum: Interval of the best value of each setting; the recommended one need not be its middle, since errors
            to one side may cost more.
        loss: Interval of the loss of the run.
        excess: Interval of how far its loss lies above that of the best settings among those that were compared, as a
            share of that loss, noise left out.
    """

    settings: Mapping[str, float]
    optimum: Mapping[str, tuple[float, float]]
    loss: tuple[float, float]
    excess: tuple[float, float]
