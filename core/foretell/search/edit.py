"""What an edit of a computation graph is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph


class Edit(Protocol):
    """Changes a graph in one way; frozen, and the same seed makes the same graph."""

    @property
    def name(self) -> str:
        """Name for logs."""
        ...

    def apply(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph]:
        """Edit a graph at a place drawn by chance.

        Args:
            graph: Stays as it is.
            rng: Source of all chance.

        Returns:
            What was done, in words, and the edited graph.

        Raises:
            InvalidArchitectureError: If the edit is impossible, there or anywhere.
        """
        ...
