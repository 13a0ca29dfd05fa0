"""One of the edits, drawn by chance: what a search of graphs proposes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.errors import InvalidArchitectureError
from foretell.search.activation_swap import ActivationSwap
from foretell.search.block_insertion import BlockInsertion
from foretell.search.block_removal import BlockRemoval
from foretell.search.kernel_change import KernelChange
from foretell.search.pool_swap import PoolSwap
from foretell.search.segment_swap import SegmentSwap
from foretell.search.skip_edits import SkipAddition, SkipRemoval
from foretell.search.width_change import WidthChange

if TYPE_CHECKING:
    import numpy as np

    from foretell.graph import ComputationGraph
    from foretell.search.edit import Edit

EDITS: tuple[Edit, ...] = (
    ActivationSwap(), PoolSwap(), KernelChange(), WidthChange(), BlockInsertion(), BlockRemoval(), SkipAddition(),
    SkipRemoval(), SegmentSwap(),
)  # fmt: skip
"""All edits."""


@dataclass(frozen=True)
class RandomEdit:
    """Draws an edit and tries it.

    Args:
        edits: What to draw from.
    """

    edits: tuple[Edit, ...] = EDITS

    def __call__(self, graph: ComputationGraph, rng: np.random.Generator) -> tuple[str, ComputationGraph] | None:
        """The edit in words and the edited graph, None where the edit was impossible or changed nothing."""
        edit = self.edits[int(rng.integers(len(self.edits)))]
        try:
            words, edited = edit.apply(graph, rng)
        except InvalidArchitectureError:
            return None
        return None if edited == graph else (words, edited)
