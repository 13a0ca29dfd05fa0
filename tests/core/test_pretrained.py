"""The checkpoint's predictors as columns: what they say, of whom they say nothing, and what each may not know."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from foretell.benchmarks.unknowing import unknowing
from foretell.candidate import Candidate
from foretell.capture import nasbench101, nasbench201, nasbench301
from foretell.encoders import ENCODERS, Pretrained, pretrained
from foretell.errors import CheckpointError, OutOfDomainWarning
from foretell.graph import ComputationGraph
from foretell.predictor import Predictor
from foretell.presets import foretell_pretrained
from foretell.pretraining.transferable import SOURCES, any_family, pretrain_transferable

CHECKPOINT = pretrained.SHIPPED / "foretell-pretrained"
CELLS = ((2, 2, 2, 2, 2, 2), (0, 2, 0, 3, 4, 2), (4, 4, 0, 4, 3, 4))

GOLDEN = (
    (1.61308, 1.79477, 2.10623, -0.3771, 0.87341, 0.2171, -0.15858),
    (0.75438, 0.73775, 0.51456, 1.14927, 1.1059, 0.73425, 1.14102),
    (-1.00588, -1.65157, -1.72749, 0.44868, -0.35743, -0.12701, 1.02178),
)


def candidates() -> list[Candidate]:
    return [Candidate(nasbench201.graph(s), cells=nasbench201.cells(s)) for s in CELLS]


def test_the_shipped_weights_say_what_they_said() -> None:
    found = Pretrained().encode(candidates())
    assert found.names == tuple(f"pretrained {source}" for source in sorted(SOURCES))
    np.testing.assert_allclose(found.values, GOLDEN, atol=1e-4)


def test_a_predictor_alone_ranks_without_a_label() -> None:
    predictor = Predictor.load(CHECKPOINT / "nasbench101.test_acc")
    assert predictor.rank([c.graph for c in candidates()]).tolist() == [0, 1, 2]  # type: ignore[misc]


def test_outside_of_what_the_weights_know_they_are_silent_and_say_so_once() -> None:
    pretrained._say.cache_clear()
    perceptron = ComputationGraph.from_module(
        nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 2)), torch.zeros(1, 64)
    )
    encoder = Pretrained(without=("nasbench201", "transnasbench101"))
    with pytest.warns(
        OutOfDomainWarning, match="lie outside the region that the weights learnt on nasbench101.test_acc"
    ):
        found = encoder.encode([Candidate(perceptron), candidates()[0], Candidate()]).values[:, 0]
    assert np.isnan(found).tolist() == [True, False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode([Candidate(perceptron)])


def test_a_family_left_out_has_no_column() -> None:
    names = Pretrained(without=("nasbench201",)).sources
    assert all("nasbench201" not in name for name in names)
    encoder = unknowing(foretell_pretrained(), "nasbench101").encoders[-1]
    assert isinstance(encoder, Pretrained)
    assert encoder.without == ("nasbench101",)
    assert ENCODERS.make("pretrained", encoder.to_config()) == encoder


def test_a_task_left_out_leaves_the_others_of_its_family() -> None:
    names = Pretrained(without=("transnasbench101.jigsaw",)).sources
    assert "transnasbench101.jigsaw" not in names
    assert "transnasbench101.class_scene" in names


def test_cells_with_operators_that_training_never_had_get_no_vote_of_cells() -> None:
    rng = np.random.default_rng(0)
    specs = [nasbench301.sample(rng) for _ in range(20)]
    graphs = [Candidate(nasbench301.graph(s), cells=nasbench301.cells(s)) for s in specs]
    encoder = Pretrained()
    pretrained._say.cache_clear()
    with pytest.warns(OutOfDomainWarning, match=r"nasbench201.cifar10 and .* and transnasbench101.room_layout know"):
        found = encoder.encode(graphs)
    silent = np.isnan(found.values).mean(axis=0)
    assert silent[encoder.sources.index("nasbench101.test_acc")] == 0.0
    assert silent[1:].min() > 0.8


def test_a_checkpoint_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"must hold a folder for each source, but .* holds none besides \(\)"):
        Pretrained(str(tmp_path))


def test_the_checkpoint_is_small() -> None:
    assert sum(file.stat().st_size for file in CHECKPOINT.rglob("*")) < 10_000_000


@pytest.mark.skipif("FORETELL_DATA" not in os.environ, reason="FORETELL_DATA does not name the tables")
def test_pretraining_resumes_and_its_predictor_ranks_another_family(tmp_path: Path) -> None:
    sources = {"nasbench101.test_acc": (any_family, 400)}
    pretrain_transferable(tmp_path, sources=sources)
    model = tmp_path / "nasbench101.test_acc" / "model.safetensors"
    before = model.stat().st_mtime_ns
    pretrain_transferable(tmp_path, sources=sources)
    assert model.stat().st_mtime_ns == before
    worst, best = Pretrained(str(tmp_path)).encode([candidates()[2], candidates()[0]]).values[:, 0]
    assert worst < best


def test_cells_of_its_own_family_lie_inside() -> None:
    rng = np.random.default_rng(0)
    predictor = Predictor.load(CHECKPOINT / "nasbench101.test_acc")
    graphs = [nasbench101.graph(*nasbench101.sample(rng)) for _ in range(50)]
    assert pretrained.in_domain(predictor, predictor.encode(graphs)).mean() > 0.9
