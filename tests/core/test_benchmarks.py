"""The digits task, the comparison of searches, the result files, and the drawing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from foretell import ComputationGraph, Node
from foretell.benchmarks import digits
from foretell.benchmarks.comparison import Run, best_run, forecast, table
from foretell.benchmarks.comparison_report import report
from foretell.benchmarks.gp_fit import fit_milliseconds
from foretell.benchmarks.runner import Cell, medians, read, run
from foretell.drawing import to_svg
from foretell.errors import InvalidArchitectureError, InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def graph_of(config: Mapping[str, object]) -> ComputationGraph:
    return ComputationGraph.from_module(digits.build(config), torch.zeros(digits.EXAMPLE_SHAPE))  # type: ignore[arg-type]


def test_every_configuration_makes_a_network_whose_graph_counts_its_parameters() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        config = digits.SPACE.sample(rng)
        network = digits.build(config)
        assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
        assert graph_of(config).params == sum(p.numel() for p in network.parameters())


def test_training_learns_and_is_a_function_of_its_seed() -> None:
    config = {"family": "mlp", "depth": 1, "width": 32, "activation": "relu", "norm": "none", "skip": False,
              "dropout": 0.0, "optimizer": "adam", "lr": 3e-3, "weight_decay": 1e-6, "batch_size": 32}  # fmt: skip
    state = torch.get_rng_state()
    first, again, other = digits.train(config, 1), digits.train(config, 1), digits.train(config, 2)
    assert first == again
    assert first != other
    assert first.accuracy > 0.85
    assert torch.equal(torch.get_rng_state(), state)


def runs(*losses: float) -> list[Run]:
    return [Run({"width": 8 + i, "depth": 1}, loss, 1 - loss, 0.01, 1.0) for i, loss in enumerate(losses)]


def test_table_ranks_methods_within_each_seed() -> None:
    studies = {("a", 0): runs(3, 1, 2), ("b", 0): runs(2, 2, 2), ("a", 1): runs(5, 4, 4), ("b", 1): runs(9, 3, 4)}
    a, b = table(studies)
    assert (a.method, a.best, a.mean_rank) == ("a", 2.5, 1.5)
    assert (b.method, b.best, b.mean_rank) == ("b", 2.5, 1.5)
    assert a.suggest_ms == pytest.approx(10.0)
    assert a.total_seconds == pytest.approx(3.03)
    assert best_run(studies).loss == 1


def test_forecast_and_report_on_real_networks() -> None:
    rng = np.random.default_rng(1)
    configs = [digits.SPACE.sample(rng) for _ in range(40)]
    made = [Run(c, float(np.log10(graph_of(c).params)), 0.5, 0.01, 0.1) for c in configs]
    seen = forecast(made, digits.SPACE, graph_of, n_train=25, seed=0)
    assert len(seen.truth) == 15
    assert seen.tau_params == pytest.approx(-1.0)  # the loss grows with parameters
    assert seen.tau > seen.tau_without_graph
    page = report({("foretell", 0): made, ("<script>", 0): made}, seen, graph_of, "a <title>", "p & q")
    assert "<script>" not in page
    assert "a &lt;title&gt;" in page
    assert page.count("<svg") == 4


class Doubling:
    """A benchmark that measures twice its size."""

    name = "doubling"
    methods: Sequence[str] = ("x", "y")

    def __init__(self) -> None:
        self.measured: list[Cell] = []

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        del quick
        return [Cell(m, "f", None, n, s) for m in methods for n in (1, 2) for s in range(seeds)]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        self.measured.append(cell)
        assert cell.n is not None
        return {"double": (2.0 * cell.n + cell.seed, "things")}


def test_the_runner_measures_each_cell_once_and_resumes(tmp_path: Path) -> None:
    out, benchmark = tmp_path / "new" / "r.jsonl", Doubling()
    cells = benchmark.cells(["x"], 3, quick=False)
    assert list(run(benchmark, cells[:2], out)) == cells[:2]
    with out.open("a") as file:
        file.write('{"bench": "doub')
    assert list(run(benchmark, cells, out)) == cells
    assert benchmark.measured == cells
    assert medians(read(out)) == [
        (Cell("x", "f", None, 1), "double", 3.0, "things"), (Cell("x", "f", None, 2), "double", 5.0, "things")
    ]  # fmt: skip


def test_a_result_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r").write_text(json.dumps({"a": 1}) + "\n")
    with pytest.raises(InvalidDataError, match="one measurement a line"):
        read(tmp_path / "r")


@pytest.mark.parametrize("method", ["foretell", "scikit-learn"])
def test_both_processes_can_be_timed(method: str) -> None:
    assert fit_milliseconds(method, 12, 0) > 0


def test_a_drawing_is_sound_xml_with_a_box_a_node_and_a_line_an_edge() -> None:
    graph = graph_of({"family": "cnn", "depth": 3, "width": 8, "kernel": 3, "pool": "max", "activation": "relu",
                      "norm": "batch", "skip": True, "dropout": 0.1})  # fmt: skip
    root = ElementTree.fromstring(to_svg(graph, "<a & b>"))
    assert sum(e.tag.endswith("rect") for e in root.iter()) == len(graph)
    assert sum(e.tag.endswith("path") for e in root.iter()) == len(graph.edges)


def test_a_network_too_large_to_read_is_not_drawn() -> None:
    nodes = [Node("ReLU", (1, 1, 1), (1, 1, 1))] * 2001
    with pytest.raises(InvalidArchitectureError, match="at most 2000 nodes, but got 2001"):
        to_svg(ComputationGraph.from_nodes(nodes, []))
