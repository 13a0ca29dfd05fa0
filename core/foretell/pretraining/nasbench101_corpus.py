"""50,000 networks of NAS-Bench-101 with their test accuracies, as GENNAPE is pretrained on.

Drawn once for all seeds; which of them are trained on and which are held out is the seed's matter.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from foretell.benchmarks.tables import load_101, some_rows
from foretell.encoders.laplacian_spectrum import LaplacianSpectrum
from foretell.pretraining.labelled_graphs import LabelledGraphs
from foretell.pretraining.sharded_graphs import ShardedGraphs

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from jaxtyping import Int

    from foretell.benchmarks.tables import Table
    from foretell.pretraining.graph_encoder import EncoderSettings
    from foretell.pretraining.processes import Processes

NETWORKS = 50_000
"""How many the paper takes of the 423,624."""
DRAW = 2023
"""Seed of the draw."""
EIGENVALUES = 21
"""Of each spectrum."""


SHARD = 2**16
"""Networks a file."""


def nasbench101_corpus(
    folder: Path,
    settings: EncoderSettings,
    *,
    networks: int = NETWORKS,
    shard: int = SHARD,
    processes: Processes | None = None,
    progress: bool = False,
) -> ShardedGraphs:
    """Read the corpus from a folder, or make what is missing there: about two minutes of one core in all.

    Args:
        folder: Where its files are.
        settings: Encoder that will read them.
        networks: How many.
        shard: Networks a file.
        processes: Those that make and read it together.
        progress: Whether to show a bar.

    Raises:
        CheckpointError: If the folder holds another corpus.
        InvalidDataError: If the table of NAS-Bench-101 is not in `FORETELL_DATA`.
    """

    @cache
    def drawn() -> tuple[Table, Int[np.ndarray, " n"]]:
        table = load_101()
        return table, some_rows(len(table), networks, DRAW)

    def make(which: Int[np.ndarray, " k"]) -> LabelledGraphs:
        table, rows = drawn()
        return LabelledGraphs.build(
            lambda i: table.build(table.specs[rows[which[i]]]),
            table.targets["test_acc"][rows[which]],
            settings,
            spectrum=LaplacianSpectrum(EIGENVALUES),
            progress=progress,
        )

    return ShardedGraphs.build(folder, networks, make, settings, shard=shard, processes=processes, progress=progress)
