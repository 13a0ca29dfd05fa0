"""50,000 networks of NAS-Bench-101 with their test accuracies, as GENNAPE is pretrained on.

Drawn once for all seeds; which of them are trained on and which are held out is the seed's matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.benchmarks.tables import load_101, some_rows
from foretell.encoders.laplacian_spectrum import LaplacianSpectrum
from foretell.pretraining.labelled_graphs import LabelledGraphs

if TYPE_CHECKING:
    from pathlib import Path

    from foretell.pretraining.graph_encoder import EncoderSettings

NETWORKS = 50_000
"""How many the paper takes of the 423,624."""
DRAW = 2023
"""Seed of the draw."""
EIGENVALUES = 21
"""Of each spectrum."""


def nasbench101_corpus(
    path: Path, settings: EncoderSettings, *, networks: int = NETWORKS, progress: bool = False
) -> LabelledGraphs:
    """Read the corpus from a file, or make it and write the file: about two minutes of one core.

    Raises:
        InvalidDataError: If the table of NAS-Bench-101 is not in `FORETELL_DATA`.
    """
    if path.is_file():
        return LabelledGraphs.load(path)
    table = load_101()
    rows = some_rows(len(table), networks, DRAW)
    made = LabelledGraphs.build(
        lambda i: table.build(table.specs[rows[i]]),
        table.targets["test_acc"][rows],
        settings,
        spectrum=LaplacianSpectrum(EIGENVALUES),
        progress=progress,
    )
    made.save(path)
    return made
