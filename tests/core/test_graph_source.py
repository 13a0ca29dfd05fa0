"""Graph sources: captured once, remembered, and never the end of a study."""

from __future__ import annotations

import pickle
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from foretell.errors import CaptureWarning, InvalidArchitectureError, InvalidDataError
from foretell.graph import ComputationGraph, Node
from foretell.graph_source import GraphSource

GRAPH = ComputationGraph.from_nodes([Node("Input", (1, 1, 1), (1, 1, 1))], [])
EXAMPLE = (torch.zeros(1, 4),)


class Counting:
    """Builds a linear layer of the configured width, looks at `x` where there is one, and counts how often."""

    def __init__(self) -> None:
        self.widths: list[int] = []

    def __call__(self, config: dict) -> nn.Module:
        config.get("x")
        self.widths.append(config["width"])
        return nn.Linear(4, config["width"])


def test_modules_are_captured_once_a_configuration() -> None:
    build = Counting()
    source = GraphSource(build, EXAMPLE)
    first = source({"width": 3, "lr": 0.1})
    assert first is not None
    assert first.params == 15
    assert source({"lr": 0.2, "width": 3}) is first  # nobody reads the learning rate
    assert source({"width": 5, "lr": 0.1}) != first
    assert build.widths == [3, 5]


def test_true_one_and_one_point_zero_are_three_values() -> None:
    build = Counting()
    source = GraphSource(build, EXAMPLE)
    for value in (1, 1.0, True, "1", 1):
        source({"width": 2, "x": value})
    assert len(build.widths) == 4


def test_what_is_not_looked_at_is_named() -> None:
    source = GraphSource(Counting(), EXAMPLE)
    config = {"width": 3, "lr": 0.1, "momentum": 0.9}
    assert len(source.unread(config)) == 3  # nobody has looked
    source(config)
    assert source.unread(config) == {("lr", "0.1"), ("momentum", "0.9")}
    whole = GraphSource(lambda c: GRAPH if sorted(c) else None)
    whole(config)
    assert whole.unread(config) == frozenset()


def test_only_what_the_function_raises_for_is_refused() -> None:
    def build(config: dict) -> ComputationGraph | nn.Module | None:
        if config["kind"] == "broken":
            raise KeyError(config["kind"])
        return {"none": None, "graph": GRAPH, "odd": nn.Module()}[config["kind"]]

    source = GraphSource(build, EXAMPLE)
    with pytest.warns(CaptureWarning, match="failed for"):
        assert [source.refuses({"kind": k}) for k in ("none", "graph", "odd", "broken")] == [False, False, False, True]
    assert not source.refuses({})  # it may yet have what its network needs


def test_graphs_and_none_pass_through() -> None:
    source = GraphSource(lambda c: GRAPH if c["a"] else None)
    assert source({"a": 1}) is GRAPH
    assert source({"a": 0}) is None


def test_a_full_memory_starts_again() -> None:
    build = Counting()
    source = GraphSource(build, EXAMPLE, capacity=2)
    for width in (1, 2, 1, 3, 3, 1):
        source({"width": width})
    assert build.widths == [1, 2, 3, 1]


def test_the_first_failure_warns_and_the_study_goes_on() -> None:
    def build(config: dict) -> nn.Module:
        if config["width"] < 0:
            raise KeyError("no such block")
        return nn.Linear(4, config["width"])

    source = GraphSource(build, EXAMPLE)
    with pytest.warns(CaptureWarning, match=r"failed for \{'width': -1\} \(KeyError: 'no such block'\); such conf"):
        assert source({"width": -1}) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert source({"width": -1}) is None  # remembered
        assert source({"width": -2}) is None  # said once
    assert source({"width": 2}) is not None


def test_a_proposal_that_lacks_a_parameter_is_passed_over() -> None:
    source = GraphSource(lambda config: nn.Linear(4, config["width"]), EXAMPLE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert source.proposed({"lr": 0.1}) is None
        assert source.proposed({"width": 3}) is not None
    with pytest.warns(CaptureWarning, match=r"failed for \{'lr': 0.1\} \(KeyError: 'width'\)"):
        assert source({"lr": 0.1}) is None  # a trial really had none


def test_a_proposal_that_lacks_nothing_may_warn() -> None:
    with pytest.warns(CaptureWarning, match="RuntimeError: Trying to create tensor with negative dimension"):
        assert GraphSource(lambda config: nn.Linear(4, config["width"]), EXAMPLE).proposed({"width": -1}) is None


@pytest.mark.parametrize(
    ("built", "message"),
    [(nn.Linear(5, 5), "forward pass must run on tensors without numbers"), ("a string", "needs a torch.nn.Module")],
)
def test_what_cannot_be_captured_has_no_graph(built: object, message: str) -> None:
    with pytest.warns(CaptureWarning, match=message):
        assert GraphSource(lambda _: built, EXAMPLE)({}) is None


def test_an_invalid_graph_of_the_users_has_no_graph_either() -> None:
    source = GraphSource(lambda _: ComputationGraph.from_nodes([GRAPH.nodes[0]], [(0, 0)]))
    with pytest.warns(CaptureWarning, match="must be acyclic"):
        assert source({}) is None


def test_missing_example_inputs_are_an_error() -> None:
    source = GraphSource(lambda _: nn.Linear(4, 4))
    with pytest.raises(InvalidArchitectureError, match="needs example inputs .* gave Linear .* pass example_inputs="):
        source({})


def build_for_pickle(config: dict) -> ComputationGraph:
    return GRAPH


def test_pickling_keeps_the_function_and_forgets_the_rest() -> None:
    source = GraphSource(build_for_pickle, EXAMPLE, capacity=7)
    source({"a": 1})
    again = pickle.loads(pickle.dumps(source))
    assert again({"a": 1}) == GRAPH
    assert len(pickle.dumps(source)) == len(pickle.dumps(GraphSource(build_for_pickle, EXAMPLE, capacity=7)))


def test_threads_share_one_source() -> None:
    source = GraphSource(Counting(), EXAMPLE)
    with ThreadPoolExecutor(4) as pool:
        graphs = list(pool.map(lambda i: source({"width": i % 5 + 1}), range(40)))
    assert [g.params for g in graphs if g is not None] == [5 * (i % 5 + 1) for i in range(40)]


# a function that is told to stop may be in a callback of the garbage collector, which can only say so
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_a_function_that_hangs_is_done_without_and_after_three_times_for_good() -> None:
    asked: list[int] = []

    def build(config: dict) -> ComputationGraph:
        asked.append(config["width"])
        while config["width"] > 3:
            pass
        return GRAPH

    source = GraphSource(build, timeout=0.4)
    assert source({"width": 3}) is GRAPH
    with pytest.warns(CaptureWarning, match=r"took more than 0.4 s for \{'width': 5\}; such configurations are"):
        assert source({"width": 5}) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert source({"width": 5, "lr": 0.1}) is None  # remembered by what it had read
        assert source({"width": 6}) is None
        assert source({"width": 3}) is GRAPH
    with pytest.warns(CaptureWarning, match="took too long 3 times; from now on no network is asked for"):
        assert source({"width": 7}) is None
    assert source({"width": 2}) is None
    assert source({"width": 3}) is GRAPH
    assert asked == [3, 5, 6, 7]


def test_a_function_that_ends_the_process_does_not() -> None:
    with pytest.warns(CaptureWarning, match=r"\(SystemExit: 3\)"):
        assert GraphSource(lambda _: sys.exit(3))({}) is None


def test_a_limit_must_be_positive() -> None:
    with pytest.raises(InvalidDataError, match=r"`timeout > 0` must hold, but got timeout=0"):
        GraphSource(lambda _: GRAPH, timeout=0)


def test_it_knows_whether_modules_are_captured() -> None:
    def module(config: dict[str, int]) -> torch.nn.Module:
        return torch.nn.Linear(4, config["width"])

    def captured(config: dict[str, int]) -> ComputationGraph:
        return ComputationGraph.from_module(module(config), torch.zeros(1, 4))

    written = captured({"width": 3})
    for source, captures in ((GraphSource(module, (torch.zeros(1, 4),)), True), (GraphSource(captured), True),
                             (GraphSource(lambda config: written), False)):  # fmt: skip
        assert not source.captures
        assert source({"width": 2}) is not None
        assert source.captures is captures
