"""Corpus building on a cluster of two processes equals building here: joblib's Dask backend."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from foretell import GraphStatistics
from foretell.capture import nasbench201
from foretell.corpus import build_corpus
from foretell.encode_corpus import encode_corpus
from foretell.graph_store import GraphStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("FORETELL_COMPLETE" not in os.environ, reason="starts a cluster: set FORETELL_COMPLETE"),
    pytest.mark.filterwarnings("default"),  # of the cluster's libraries
]
CELLS = list(dict.fromkeys(tuple(row) for row in np.random.default_rng(0).integers(0, 5, (1100, 6)).tolist()))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'foretell[dask]'")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as made,
        distributed.Client(made) as client,
    ):
        yield client


def test_columns_made_on_a_cluster_are_those_made_here(cluster: Any) -> None:
    here = encode_corpus(CELLS, nasbench201.graph, [GraphStatistics()])
    with joblib.parallel_config("dask"):
        there = encode_corpus(iter(CELLS), nasbench201.graph, [GraphStatistics()], n_jobs=-1)
    np.testing.assert_array_equal(there.values, here.values)
    assert len(cluster.scheduler_info()["workers"]) == 2


def test_graphs_built_on_a_cluster_are_those_built_here(cluster: Any, tmp_path: Path) -> None:
    del cluster
    here, there = GraphStore(tmp_path / "here"), GraphStore(tmp_path / "there")
    expected = build_corpus(CELLS[:200], nasbench201.graph, here)
    with joblib.parallel_config("dask"):
        half = build_corpus(CELLS[:80], nasbench201.graph, there, n_jobs=-1, batch=40)
        rest = build_corpus(CELLS[:200], nasbench201.graph, there, n_jobs=-1)
    assert half.added + rest.added == expected.added
    assert rest.resumed == 80
    assert there.digests() == here.digests()


def test_both_workers_have_work(cluster: Any) -> None:
    with joblib.parallel_config("dask"):
        found = joblib.Parallel(n_jobs=-1)(joblib.delayed(_process)(i) for i in range(40))
    assert len(set(found)) == 2
    assert os.getpid() not in found
    assert cluster is not None


def _process(_: int) -> int:
    import time

    time.sleep(0.02)
    return os.getpid()
