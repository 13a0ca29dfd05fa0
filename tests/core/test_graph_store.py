"""The store and the corpus: nothing finished is lost, nothing is kept twice, and damage is named."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest

from foretell.capture import nasbench201
from foretell.corpus import build_corpus
from foretell.errors import CaptureWarning, CheckpointError, InvalidArchitectureError
from foretell.graph import ComputationGraph, Node
from foretell.graph_shard import Shard, encode, file_name
from foretell.graph_store import GraphStore
from foretell.operations import VOCABULARY_VERSION

CELLS = list(itertools.product((0, 2), repeat=6))


def graph(width: int) -> ComputationGraph:
    nodes = [Node("Input", (3, 8, 8), (3, 8, 8)), Node("Conv", (3, 8, 8), (width, 8, 8), (3, 3), params=27 * width)]
    return ComputationGraph.from_nodes(nodes, [(0, 1)])


GRAPHS = [graph(width) for width in range(1, 11)]


def test_graphs_come_back_in_order_and_once(tmp_path: Path) -> None:
    store = GraphStore(tmp_path, shard_size=4)
    assert store.add(iter([*GRAPHS[:6], *GRAPHS[2:8]])) == 8
    assert store.add(GRAPHS) == 2
    for here in (store, GraphStore(tmp_path)):
        assert len(here) == 10
        assert list(here) == GRAPHS
        assert here.digests() == [g.digest for g in GRAPHS]
        assert [node for g in here for node in g.nodes] == [node for g in GRAPHS for node in g.nodes]
        assert GRAPHS[3] in here
        assert GRAPHS[3].digest in here
        assert here.get(GRAPHS[7].digest) == GRAPHS[7]
        assert graph(99) not in here
        assert "no digest" not in here
        with pytest.raises(KeyError):
            here.get(graph(99).digest)
    assert repr(store) == f"GraphStore({str(tmp_path)!r}, graphs=10, files=4)"


def test_a_graph_that_is_read_does_not_keep_its_file_in_memory(tmp_path: Path) -> None:
    store = GraphStore(tmp_path)
    store.add(GRAPHS)
    one = store.get(GRAPHS[0].digest)
    assert one.in_shape.base is None or one.in_shape.base.size == one.in_shape.size


def test_an_empty_store(tmp_path: Path) -> None:
    store = GraphStore(tmp_path / "new" / "folder")
    assert (len(store), list(store), store.add([])) == (0, [], 0)


def test_what_a_crash_leaves_behind_is_repaired(tmp_path: Path) -> None:
    GraphStore(tmp_path, shard_size=4).add(GRAPHS)
    (tmp_path / "000009-half.part").write_bytes(b"half a file")
    index = tmp_path / "index.jsonl"
    whole = index.read_bytes()
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        index.write_bytes(whole[:cut])
        store = GraphStore(tmp_path, shard_size=4)
        assert list(store) == GRAPHS
        assert not list(tmp_path.glob("*.part"))
        assert sorted(index.read_bytes().splitlines()) == sorted(whole.splitlines())
        assert store.add(GRAPHS) == 0
    index.unlink()
    assert list(GraphStore(tmp_path)) == GRAPHS


def test_a_process_killed_while_it_writes_loses_nothing_finished(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from foretell import graph_shard, graph_store\n"
        "from foretell.capture import nasbench201\n"
        "from foretell.corpus import build_corpus\n"
        "store, writes = graph_store.GraphStore(sys.argv[1]), []\n"
        "def dying(path, content):\n"
        "    writes.append(path)\n"
        "    if len(writes) == 3:\n"
        "        path.with_suffix('.part').write_bytes(content[:100])\n"
        "        os._exit(9)\n"
        "    graph_shard.write_whole(path, content)\n"
        "graph_store.write_whole = dying\n"
        "build_corpus([(0, 0, 0, 0, 0, k) for k in range(5)], nasbench201.graph, store, batch=1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 9, done.stderr
    assert len(list(tmp_path.glob("*.part"))) == 1
    store = GraphStore(tmp_path)
    assert len(store) == 2
    report = build_corpus([(0, 0, 0, 0, 0, k) for k in range(5)], nasbench201.graph, store)
    assert (report.added, report.resumed) == (2, 3)  # of the five cells, the first two are one network
    assert len(GraphStore(tmp_path)) == 4


@pytest.mark.parametrize("place", [0, 9, 300, -1])
def test_a_changed_byte_is_found_and_the_file_named(tmp_path: Path, place: int) -> None:
    GraphStore(tmp_path).add(GRAPHS)
    (path,) = tmp_path.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"must be whole, but .*{path.name} is not \(its bytes .*restore it"):
        list(GraphStore(tmp_path))


def test_a_truncated_and_a_missing_file_are_named(tmp_path: Path) -> None:
    GraphStore(tmp_path).add(GRAPHS)
    (path,) = tmp_path.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CheckpointError, match=path.name):
        GraphStore(tmp_path).get(GRAPHS[0].digest)
    path.unlink()
    with pytest.raises(CheckpointError, match=rf"needs all its files, but .*{path.name} is missing"):
        GraphStore(tmp_path)


@pytest.mark.parametrize(
    "line", ["{}", "[]", "nonsense", '{"file": 3, "digests": []}', '{"file": "x", "digests": ["zz"]}', "[" * 5000]
)
def test_a_damaged_log_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "x").touch()
    (tmp_path / "index.jsonl").write_text(line + "\n")
    with pytest.raises(CheckpointError, match=r"index.jsonl does not: delete that log|x is missing"):
        GraphStore(tmp_path)


def read_all(path: Path) -> list[ComputationGraph]:
    shard = Shard(path)
    return [shard[digest] for digest in shard]


def test_a_file_of_another_version_or_shape_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import load, save

    arrays = load(encode(GRAPHS))
    versions = {"format": "1", "vocabulary": str(VOCABULARY_VERSION)}
    wrong = [
        (save(arrays, metadata={**versions, "format": "7"}), "it has the versions"),
        (save({**arrays, "nodes": arrays["nodes"][:-1]}, metadata=versions), "its table of graphs is wrong"),
        (save({**arrays, "nodes": -arrays["nodes"]}, metadata=versions), "its table of graphs is wrong"),
        (save({**arrays, "op": arrays["op"][:-1]}, metadata=versions), "`op` has 19 rows"),
        (save({**arrays, "edges": arrays["edges"][::-1] * 50}, metadata=versions), "must join two existing nodes"),
        (b"", "line 1 column 1"),
    ]
    for content, message in wrong:
        path = tmp_path / file_name(0, content)
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=message):
            read_all(path)


def test_a_store_needs_a_folder_and_room_for_one_graph(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="needs a folder that can be written"):
        GraphStore(tmp_path / "file")
    with pytest.raises(CheckpointError, match="at least one graph"):
        GraphStore(tmp_path, shard_size=0)


# ----- corpus


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_workers_of_any_kind_build_the_same_corpus(tmp_path: Path, backend: str) -> None:
    with joblib.parallel_config(backend):
        report = build_corpus(CELLS, nasbench201.graph, GraphStore(tmp_path), n_jobs=2, batch=40)
    expected = {nasbench201.graph(cell).digest for cell in CELLS}
    store = GraphStore(tmp_path)
    assert set(store.digests()) == expected
    assert (report.added, report.added + report.duplicates) == (len(expected), len(CELLS))


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    calls: list[tuple[int, ...]] = []

    def build(cell: tuple[int, ...]) -> ComputationGraph:
        calls.append(cell)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return nasbench201.graph(cell)

    with pytest.raises(KeyboardInterrupt):
        build_corpus(CELLS, build, GraphStore(tmp_path), batch=8)
    report = build_corpus(iter(CELLS), build, GraphStore(tmp_path), batch=8)
    assert report.resumed == 24
    assert len(calls) == 30 + len(CELLS) - 24
    log = tmp_path / "built.jsonl"
    log.write_bytes(log.read_bytes()[:-5])  # cut off: the last batch is built again
    assert build_corpus(CELLS, build, GraphStore(tmp_path), batch=8).resumed == len(CELLS) - 8
    assert len(json.loads(log.read_text().splitlines()[0])) == 8


def test_specifications_that_fail_are_left_out_and_told(tmp_path: Path) -> None:
    def build(width: int) -> ComputationGraph:
        return graph(10 // width) if width < 3 else "no graph"  # type: ignore[return-value]

    with pytest.warns(CaptureWarning, match="0 has no graph .ZeroDivisionError") as caught:
        report = build_corpus([0, 1, 2, 3], build, GraphStore(tmp_path))
    assert len(caught) == 1
    assert (report.added, report.failures, set(report.failed)) == (2, 2, {"0", "3"})
    assert "gave str, not a ComputationGraph" in report.failed["3"]


def test_a_progress_bar_is_shown_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build_corpus([1, 2], graph, GraphStore(tmp_path))
    assert capsys.readouterr().err == ""
    build_corpus([1, 2, 3], graph, GraphStore(tmp_path), progress=True)
    assert "3/3" in capsys.readouterr().err


def test_a_batch_has_a_specification(tmp_path: Path) -> None:
    with pytest.raises(InvalidArchitectureError, match="at least one specification"):
        build_corpus([1], graph, GraphStore(tmp_path), batch=0)


def test_arrays_hold_no_objects() -> None:
    from safetensors.numpy import load

    assert {a.dtype.kind for a in load(encode(GRAPHS)).values()} <= {"i", "b", "u"}
    assert all(isinstance(a, np.ndarray) for a in load(encode(GRAPHS)).values())
