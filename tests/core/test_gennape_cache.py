"""GENNAPE's pickles are read without unpickling: hostile ones run nothing and are refused."""

from __future__ import annotations

import os
import pickle
import sys
import types
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foretell.benchmarks.official.gennape_cache import read_gennape_cache
from foretell.benchmarks.official.plain_pickle import Record, read_pickle
from foretell.errors import InvalidArchitectureError, InvalidDataError
from foretell.gennape_v1 import graph_of_records, read_released

RAN: list[str] = []
RELEASED = Path(os.environ.get("FORETELL_DATA", "../shared/data")) / "gennape_graphs"


@pytest.fixture
def classes(monkeypatch: pytest.MonkeyPatch) -> dict[str, type]:
    """Classes with the names and modules of the release, only for writing."""
    made = {}
    for name in ("ComputeGraph", "WeightedNode", "RegularNode"):
        made[name] = type(name, (), {"__module__": "model_src.comp_graph.tf_comp_graph"})
    module = types.ModuleType("model_src.comp_graph.tf_comp_graph")
    vars(module).update(made)
    for part in ("model_src", "model_src.comp_graph", module.__name__):
        monkeypatch.setitem(sys.modules, part, module)
    return made


def thing(kind: type, **fields: Any) -> Any:
    found = kind()
    vars(found).update(fields)
    return found


def cache(classes: dict[str, type], **changes: Any) -> list[dict[str, Any]]:
    """Two networks of three nodes, as the release's `FamilyDataManager` writes them."""
    weighted = thing(classes["WeightedNode"], str_id="1|conv", label="conv2d", op_type_idx=3, type_idx=1, strides=None,
                     shape=[3, 8, 3, 3], resolution=(8, 4, 8, 4, 3, 8), metadata={"use_bias": True})  # fmt: skip
    regular = [thing(classes["RegularNode"], str_id=f"{i}|x", label="x", op_type_idx=i, type_idx=0, strides=None,
                     resolution=shape, metadata=None)
               for i, shape in ((1, (8, 8, 8, 8, 3, 3)), (2, (4, 4, 4, 4, 8, 8)))]  # fmt: skip
    fields = {"name": "Net0", "input_shape": (1, 8, 8, 3), "weighted_nodes": [weighted], "regular_nodes": regular,
              "edge_pairs": [(1, 0), (0, 2)], "adjacent": defaultdict(set, {"a": {"b"}})}  # fmt: skip
    graph = thing(classes["ComputeGraph"], **{**fields, **changes})
    return [{"compute graph": graph, "acc": np.float64(0.9), "flops": 1.5, "original config": (["a"], [[0, 1]])},
            {"compute graph": graph, "acc": 0.5}]  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_cache_is_read_without_its_classes(classes: dict[str, type], tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "gpi_nb101_comp_graph_cache.pkl"
    path.write_bytes(pickle.dumps(cache(classes), protocol))
    for name in list(sys.modules):
        if name.startswith("model_src"):
            del sys.modules[name]
    first, second = read_gennape_cache(path)
    assert (first.name, first.accuracy, first.flops) == ("Net0", 0.9, 1.5)
    assert (second.accuracy, second.flops) == (0.5, None)
    assert first.graph.op_counts() == {"Conv": 1, "Input": 1, "Output": 1}
    assert [tuple(e) for e in first.graph.edges.tolist()] == [(0, 1), (1, 2)]
    conv = first.graph.nodes[1]
    assert (conv.kernel, conv.bias, conv.in_shape, conv.out_shape) == ((3, 3), True, (3, 8, 8), (8, 4, 4))


class Hostile:
    """Runs something when it is unpickled."""

    def __init__(self, function: Any, *given: Any) -> None:
        self.called = function, given

    def __reduce__(self) -> Any:
        return self.called


def hostile_pickles() -> dict[str, bytes]:
    call = Hostile(RAN.append, "ran")
    named = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."
    return {
        "a call": pickle.dumps([{"compute graph": call, "acc": 0.5}]),
        "a shell": pickle.dumps(Hostile(os.system, "true")),
        "eval": pickle.dumps(Hostile(eval, "1")),
        "by name": named,
        "an old protocol": pickle.dumps(Hostile(os.system, "true"), 0),
        "a known class called": b"\x80\x04\x8c\x01m\x8c\x0cComputeGraph\x93\x8c\x04true\x85R.",
        "a known class with arguments": b"\x80\x04\x8c\x01m\x8c\x0cComputeGraph\x93\x8c\x04true\x85\x81.",
        "a known name of builtins": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85\x81.",
        "fields without names": b"\x80\x04\x8c\x01m\x8c\x0cComputeGraph\x93)\x81}K\x01K\x02sb.",
        "a persistent id": b"\x80\x04\x8c\x01xQ.",
        "an extension": b"\x80\x04\x82\x01.",
        "a bomb of references": b"\x80\x04]\x94" + b"(h\x00h\x00e" * 10 + b".",
        "cut off": b"\x80\x04\x8c\x01m\x8c\x0cComputeGraph\x93)\x81",
        "nothing": b"",
    }


@pytest.mark.parametrize("name", hostile_pickles())
def test_hostile_pickles_run_nothing_and_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cache.pkl"
    path.write_bytes(hostile_pickles()[name])
    with pytest.raises((InvalidDataError, InvalidArchitectureError)):
        read_gennape_cache(path)
    assert RAN == []


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"edge_pairs": [(0, 9)]}, "must join two existing nodes"),
        ({"edge_pairs": [(0, 1), (1, 0)]}, "acyclic"),
        ({"edge_pairs": [(0, "1")]}, "a position is a whole number"),
        ({"edge_pairs": 3}, "entry 0"),
        ({"weighted_nodes": [7]}, "a WeightedNode was expected"),
        ({"regular_nodes": "x"}, "a RegularNode was expected"),
    ],
)
def test_what_is_no_graph_is_refused(
    classes: dict[str, type], tmp_path: Path, change: dict[str, Any], match: str
) -> None:
    path = tmp_path / "cache.pkl"
    path.write_bytes(pickle.dumps(cache(classes, **change)))
    with pytest.raises((InvalidDataError, InvalidArchitectureError), match=match):
        read_gennape_cache(path)


@pytest.mark.parametrize(("accuracy", "match"), [(90.0, r"in \[0, 1\]"), (float("nan"), "finite"), ("x", "finite")])
def test_an_accuracy_must_be_one(classes: dict[str, type], tmp_path: Path, accuracy: Any, match: str) -> None:
    entries = cache(classes)
    entries[0]["acc"] = accuracy
    path = tmp_path / "cache.pkl"
    path.write_bytes(pickle.dumps(entries))
    with pytest.raises(InvalidDataError, match=match):
        read_gennape_cache(path)
    with pytest.raises(InvalidDataError, match="must be a list of its graphs"):
        read_gennape_cache(tmp_path / "absent")


def test_a_record_is_only_what_was_asked_for(classes: dict[str, type]) -> None:
    data = pickle.dumps(thing(classes["RegularNode"], label="x"))
    assert read_pickle(data, records=frozenset({"RegularNode"}))[0] == Record("RegularNode", {"label": "x"})
    with pytest.raises(InvalidDataError, match="asks for model_src.comp_graph.tf_comp_graph.RegularNode"):
        read_pickle(data)


def test_the_fields_of_a_released_graph_give_that_graph() -> None:
    path = RELEASED / "two_path_best.json"
    if not path.is_file():
        pytest.skip(f"needs the released graphs in FORETELL_DATA (looked in {RELEASED.resolve()})")
    import json

    stored = json.loads(path.read_text())
    weighted = [n for n in stored["nodes"] if n["kind"] == "weighted"]
    regular = [n for n in stored["nodes"] if n["kind"] != "weighted"]
    assert graph_of_records(weighted, regular, stored["edges"]) == read_released(path)
