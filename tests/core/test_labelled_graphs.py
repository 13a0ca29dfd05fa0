"""Networks with their accuracy, FLOPs and spectrum: what was built is what was stored."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.encoders import LaplacianSpectrum
from foretell.errors import CheckpointError
from foretell.pretraining.graph_encoder import EncoderSettings
from foretell.pretraining.labelled_graphs import LabelledGraphs

CELLS = [(2, 0, 0, 2, 0, 2), (3, 0, 0, 3, 0, 3), (4, 1, 2, 0, 1, 3)]


def test_built_networks_survive_storage(tmp_path):
    graphs = [nasbench201.graph(cell) for cell in CELLS]
    built = LabelledGraphs.build(
        graphs.__getitem__, np.array([0.9, 0.8, 0.7]), EncoderSettings(hops=2), spectrum=LaplacianSpectrum(q=5)
    )
    expected = LaplacianSpectrum(q=5).encode([Candidate(g) for g in graphs]).values
    np.testing.assert_allclose(built.spectra, expected, atol=1e-9)
    np.testing.assert_allclose(built.gflops, [g.flops / 1e9 for g in graphs])
    built.save(tmp_path / "graphs.safetensors")
    again = LabelledGraphs.load(tmp_path / "graphs.safetensors").select(np.array([2, 0]))
    assert again.accuracy.tolist() == [0.7, 0.9]
    assert again.graphs.size == len(again) == 2


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "graphs.safetensors").write_bytes(b"none")
    with pytest.raises(CheckpointError, match="delete it, run again"):
        LabelledGraphs.load(tmp_path / "graphs.safetensors")
