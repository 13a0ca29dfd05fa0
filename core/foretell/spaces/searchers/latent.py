"""A continuous space in which architectures lie, and the way back from any of its points to an architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from jaxtyping import Float

    from foretell.spaces.trace import Trace


class Latent(Protocol):
    """Where architectures lie, and which are near."""

    def chart(self, observed: Sequence[Trace], rng: np.random.Generator) -> Chart:
        """Coordinates for what was observed, best first, and its surroundings."""
        ...


class Chart(Protocol):
    """Coordinates of one suggestion; a step of 1 is large in each of them."""

    def rows(self, traces: Sequence[Trace]) -> Float[np.ndarray, "n d"]:
        """Where architectures lie."""
        ...

    def nearest(self, points: Float[np.ndarray, "n d"]) -> list[Trace]:
        """An architecture for each point."""
        ...
