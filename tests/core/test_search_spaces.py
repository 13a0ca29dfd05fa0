"""Problems to be searched: small files of the tables' form, constructed objectives, the real tables where they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from foretell import CategoricalDistribution, IntDistribution, SearchSpace
from foretell.benchmarks.search_spaces import sampled_problem
from foretell.benchmarks.search_spaces.constructed import layers, optimizer_tree
from foretell.benchmarks.search_spaces.darts_like import darts_like, darts_space
from foretell.benchmarks.search_spaces.fcnet import fcnet
from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.hpobench_mlp import hpobench_mlp
from foretell.benchmarks.search_spaces.nasbench101_space import cell, nasbench101_space
from foretell.benchmarks.search_spaces.nasbench201_space import nasbench201_space
from foretell.benchmarks.search_spaces.nmt import nmt
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.search_spaces.problems import CONSTRUCTED, REPORTED, TUNED, load_problem
from foretell.benchmarks.search_spaces.steplaw import steplaw
from foretell.capture import nasbench101, nasbench201
from foretell.errors import InvalidArchitectureError, InvalidDataError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder."""
    monkeypatch.setenv("FORETELL_DATA", str(tmp_path))
    for name in ("fcnet", "hpobench_mlp", "nmt", "steplaw", "nasbench201", "nasbench101"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Constructed problems with fewer values, to be quick."""
    monkeypatch.setattr(sampled_problem, "_SAMPLES", 300)


def write(path: Path, **columns: Sequence[Any]) -> None:
    parquet.write_table(pyarrow.table(dict(columns)), path)


def test_values_must_be_sorted_and_finite() -> None:
    for values in ([], [2.0, 1.0], [1.0, np.inf]):
        with pytest.raises(InvalidDataError, match="finite values in increasing order"):
            SearchProblem(SearchSpace({}), lambda config: 0.0, np.array(values))


def test_share_and_nearness_by_counting() -> None:
    values = np.sort(np.random.default_rng(0).integers(0, 9, 50).astype(float))
    problem = SearchProblem(SearchSpace({}), lambda config: 0.0, values, near=2.0)
    for value in np.linspace(-1, 10, 23):
        assert problem.share_better(value) == pytest.approx(np.mean(values > value))
        assert problem.found(value) == (value >= values.max() - 2.0)
    assert not SearchProblem(SearchSpace({}), lambda config: 0.0, values).found(9.0)


def test_a_grid_of_names_and_numbers() -> None:
    columns = {"kind": ["b", "a", "a"], "rate": [0.1, 10.0, 1.0], "same": [3, 3, 3]}
    problem = grid_problem(columns, np.array([5.0, 7.0, 6.0]))
    assert dict(problem.space.distributions) == {
        "kind": CategoricalDistribution(("a", "b")), "rate": IntDistribution(0, 2)
    }  # fmt: skip
    grid = [[problem.value({"kind": kind, "rate": rate}) for rate in range(3)] for kind in "ab"]
    assert grid == [[5.0, 6.0, 7.0], [5.0, 5.0, 5.0]]  # gaps have the worst value
    assert problem.values.tolist() == [5.0, 6.0, 7.0]  # and are no rows
    with pytest.raises(InvalidDataError, match="one entry a row"):
        grid_problem(columns, np.array([1.0]))


def test_fcnet_is_minus_the_mean_of_four_seeds(folder: Path) -> None:
    errors = np.random.default_rng(0).random((4, 4))
    write(
        folder / "fcnet/x.parquet", lr_schedule=["const", "cosine"] * 2, n_units_1=[16, 16, 32, 32],
        **{f"valid_mse_seed{s}": errors[:, s] for s in range(4)}, **{f"runtime_s_seed{s}": [1.0] * 4 for s in range(4)},
    )  # fmt: skip
    problem = fcnet("x")
    assert problem.space.names == ("lr_schedule", "n_units_1")
    assert problem.value({"lr_schedule": "cosine", "n_units_1": 1}) == pytest.approx(-errors[3].mean())


def test_hpobench_is_the_mean_of_its_seeds(folder: Path) -> None:
    write(
        folder / "hpobench_mlp/x.parquet", alpha=[1e-3, 1e-3, 1.0, 1.0], batch_size=[4, 4, 8, 8], depth=[1] * 4,
        learning_rate_init=[0.1] * 4, width=[16] * 4, seed=[1, 2, 1, 2], bal_acc=[0.5, 0.75, 0.25, 0.5],
        precision=[0.0] * 4,
    )  # fmt: skip
    problem = hpobench_mlp("x")
    assert [problem.value({"alpha": i, "batch_size": i}) for i in (0, 1)] == [0.625, 0.375]


def test_nmt_is_one_corpus(folder: Path) -> None:
    names = ("num_layers", "num_embed", "ffn_hidden", "attention_heads", "initial_lr")
    write(
        folder / "nmt/nmt.parquet", corpus=["a", "b", "a"], bpe_symbols=[1000.0, 1000.0, 4000.0],
        **{name: [1.0, 2.0, 1.0] for name in names}, dev_bleu=[20.0, 99.0, 21.0],
    )  # fmt: skip
    problem = nmt("a")
    assert problem.space.names == ("bpe_symbols",)
    assert [problem.value({"bpe_symbols": i}) for i in (0, 1)] == [20.0, 21.0]


def test_steplaw_is_one_model_and_amount_of_data(folder: Path) -> None:
    write(
        folder / "steplaw/dense_lr_bs_loss.parquet", lr=[1e-3, 1e-2, 1e-3], bs=[32, 32, 64],
        N=[429_260_800] * 2 + [1_073_741_824], D=[8_000_000_000] * 3, **{"smooth loss": [2.5, 3.0, 1.0]},
    )  # fmt: skip
    problem = steplaw("0.43-8")
    assert [problem.value({"lr": i}) for i in (0, 1)] == [-2.5, -3.0]


def test_nasbench201_names_operators_and_builds_its_network(folder: Path) -> None:
    specs = [(2, 2, 0, 3, 2, 1), (4, 2, 0, 3, 2, 1), (2, 0, 0, 3, 2, 1)]
    write(
        folder / "nasbench201/nb201.parquet", net=[str(s) for s in specs], cifar10_test_acc_200ep=[90.0, 92.0, 91.0],
        cifar100_test_acc_200ep=[70.0, 69.0, 71.0],
    )  # fmt: skip
    problem = nasbench201_space("cifar10")
    assert problem.space.names == ("edge0", "edge1")  # the others are the same in all rows
    assert problem.value({"edge0": "avg_pool_3x3", "edge1": "nor_conv_3x3"}) == 92.0
    assert problem.near == 0.5
    assert problem.graph is not None
    config = {f"edge{i}": nasbench201.OPERATIONS[digit] for i, digit in enumerate(specs[1])}
    assert problem.graph(config) == nasbench201.graph(specs[1])


def test_nasbench101_is_found_by_fingerprint(folder: Path) -> None:
    rng = np.random.default_rng(1)
    specs = [nasbench101.sample(rng) for _ in range(4)]
    hashes = np.stack([np.frombuffer(nasbench101.fingerprint(*spec), np.uint8) for spec in specs])
    codes = {"input": -1, "output": -2, **{name: i for i, name in enumerate(nasbench101.OPERATIONS)}}
    np.savez(
        folder / "nasbench101/nb101.npz", adjacency=np.array([m for m, _ in specs], np.uint8), hash=hashes,
        ops=np.array([[codes[o] for o in ops] for _, ops in specs], np.int8), n_vertices=np.full(4, 7, np.uint8),
        test_acc_mean=np.array([0.9, 0.8, 0.95, 0.85]),
    )  # fmt: skip
    problem = nasbench101_space("test_acc")
    assert len(problem.space) == 26
    for (matrix, ops), acc in zip(specs, (0.9, 0.8, 0.95, 0.85), strict=True):
        config: dict[str, Any] = {f"edge{u}{v}": bool(matrix[u][v]) for u in range(7) for v in range(u + 1, 7)}
        config |= {f"op{v}": ops[v] for v in range(1, 6)}
        assert cell(config) == (matrix, ops)
        assert problem.value(config) == acc
        assert problem.graph is not None
        assert problem.graph(config) == nasbench101.graph(matrix, ops)
    for edge, message in ((True, "got edges=21"), (False, "got edges=0")):
        no_cell = {**config, **{name: edge for name in problem.space.names if "edge" in name}}
        assert problem.value(no_cell) == 0.0
        with pytest.raises(InvalidArchitectureError, match=message):
            problem.graph(no_cell)


def test_the_space_of_darts_has_its_34_parameters() -> None:
    space = darts_space()
    assert len(space) == 34
    for seed in range(20):
        config = space.sample(np.random.default_rng(seed))
        assert space.contains(config)
        for kind in ("normal", "reduce"):
            for node in range(2, 6):
                edges = {s for s in range(node) if f"{kind}_edge{s}{node}" in config}
                named = str(config.get(f"{kind}_inputs{node}", "0_1")).split("_")
                assert edges == {int(s) for s in named}


@pytest.mark.parametrize("make", [darts_like, optimizer_tree, layers])
@pytest.mark.usefixtures("few_samples")
def test_constructed_objectives_are_functions_of_their_name(make: Any) -> None:
    first, again, other = make("a"), make("a"), make("b")
    rng = np.random.default_rng(3)
    configs = [first.space.sample(rng) for _ in range(30)]
    assert [first.value(c) for c in configs] == [again.value(c) for c in configs]
    assert all(first.value(c) != other.value(c) for c in configs)
    assert np.array_equal(first.values, again.values)
    drawn = np.array([first.share_better(first.value(c)) for c in configs])
    assert 0.25 < drawn.mean() < 0.75  # a random configuration is as good as others


@pytest.mark.parametrize("make", [darts_like, optimizer_tree, layers])
@pytest.mark.usefixtures("few_samples")
def test_every_active_parameter_matters(make: Any) -> None:
    problem, rng = make("a"), np.random.default_rng(0)
    parents = {condition.parent for conditions in problem.space.conditions.values() for condition in conditions}
    config = problem.space.sample(rng)
    for name in set(config) - parents:
        distribution = problem.space.distributions[name]
        values = {problem.value({**config, name: distribution.from_unit(u)}) for u in (0.0, 0.3, 0.6, 1.0)}
        assert len(values) > 1, name


def test_the_halves_are_apart() -> None:
    assert not set(TUNED) & set(REPORTED)
    assert {f for f, _ in TUNED} | {"nasbench101"} == {f for f, _ in REPORTED}
    assert {f for f, _ in TUNED} > CONSTRUCTED


@pytest.mark.parametrize(("family", "task"), [p for p in (*TUNED, *REPORTED) if p[0] not in CONSTRUCTED])
def test_real_tables(foretell_data: Path, monkeypatch: pytest.MonkeyPatch, family: str, task: str) -> None:
    monkeypatch.setenv("FORETELL_DATA", str(foretell_data))
    problem = load_problem(family, task)
    rng = np.random.default_rng(0)
    values = [problem.value(problem.space.sample(rng)) for _ in range(100)]
    gaps = {"nmt": 0.3, "steplaw": 0.2, "nasbench101": 0.4}.get(family, 0.1)
    assert np.mean(np.array(values) <= problem.values[0]) < gaps
    assert 0.3 < np.mean([problem.share_better(v) for v in values]) < 0.75
