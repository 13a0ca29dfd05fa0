"""Loaders of the tables on small files of the same form, and on the real ones where they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from foretell.benchmarks import tables
from foretell.benchmarks.tables import TABLES, Table, data_file, load_101, load_201, load_301, load_transnas
from foretell.capture import nasbench101, nasbench201, nasbench301, transnasbench101
from foretell.errors import InvalidDataError, MissingDependencyError

FILES = {
    "nasbench101": "nasbench101/nb101.npz", "nasbench201": "nasbench201/nb201.parquet",
    "nasbench301": "nasbench301/nb301_sample.parquet", "transnasbench101": "transnasbench101/tnb101_micro.parquet",
}  # fmt: skip
TASKS = ("class_scene", "jigsaw", "autoencoder", "room_layout")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder."""
    monkeypatch.setenv("FORETELL_DATA", str(tmp_path))
    for name in FILES.values():
        (tmp_path / name).parent.mkdir()
    return tmp_path


def sampled(sample: Callable[[np.random.Generator], Any], n: int) -> list[Any]:
    rng = np.random.default_rng(0)
    return [sample(rng) for _ in range(n)]


def write(path: Path, **columns: Sequence[Any]) -> None:
    parquet.write_table(pyarrow.table(dict(columns)), path)


def same_candidates(table: Table, specs: Sequence[Any], family: Any) -> None:
    for row, spec in enumerate(specs):
        found = table.candidate(row)
        graph = family.graph(*spec) if family is nasbench101 else family.graph(spec)
        assert found.graph == graph
        assert found.cells == family.cells(spec)


# files of the same form


def test_nasbench101_is_unpacked_cell_by_cell(folder: Path) -> None:
    small = ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", "maxpool3x3", "output"])
    specs = [*sampled(nasbench101.sample, 5), small]
    codes = {"input": -1, "output": -2, "conv3x3-bn-relu": 0, "conv1x1-bn-relu": 1, "maxpool3x3": 2}
    adjacency, ops = np.zeros((6, 7, 7), np.uint8), np.full((6, 7), 0, np.int8)
    for i, (matrix, names) in enumerate(specs):
        adjacency[i, : len(names), : len(names)] = matrix
        ops[i, : len(names)] = [codes[name] for name in names]
    acc = np.linspace(0.9, 0.95, 6)
    np.savez(
        folder / FILES["nasbench101"], adjacency=adjacency, ops=ops, test_acc_mean=acc,
        n_vertices=np.array([len(names) for _, names in specs], np.uint8), hash=np.zeros((6, 16), np.uint8),
    )  # fmt: skip
    table = load_101()
    assert len(table) == len(table.specs) == 6
    assert [table.specs[i] for i in range(6)] == [(np.asarray(m).tolist(), list(names)) for m, names in specs]
    assert table.specs[1:5:2] == [table.specs[1], table.specs[3]]
    assert table.specs[-1] == table.specs[5]
    assert table.targets["test_acc"].tolist() == acc.tolist()
    same_candidates(table, specs, nasbench101)


def test_nasbench201_has_two_tasks(folder: Path) -> None:
    specs = sampled(nasbench201.sample, 5)
    write(
        folder / FILES["nasbench201"], net=[str(s) for s in specs], cifar10_test_acc_200ep=[90.0, 10.0, 91.5, 80, 70],
        cifar100_test_acc_200ep=[50.0, 1.0, 60.0, 2.0, 3.0], cifar10_val_acc_200ep=[0.0] * 5,
    )  # fmt: skip
    table = load_201()
    assert list(table.specs) == specs
    assert {task: values.tolist() for task, values in table.targets.items()} == {
        "cifar10": [90.0, 10.0, 91.5, 80, 70], "cifar100": [50.0, 1.0, 60.0, 2.0, 3.0]
    }  # fmt: skip
    same_candidates(table, specs, nasbench201)


@pytest.mark.parametrize("as_text", [True, False])
def test_nasbench301_may_be_text_or_lists(folder: Path, as_text: bool) -> None:
    number = nasbench301.OPERATIONS.index
    specs = [[[[v, number(op)] for v, op in cell] for cell in s] for s in sampled(nasbench301.sample, 3)]
    arch = [str(s) for s in specs] if as_text else specs
    write(folder / FILES["nasbench301"], arch=arch, val_accuracy=[93.0, 94.0, 92.0])
    table = load_301()
    assert table.specs == specs
    assert table.targets["val_acc"].tolist() == [93.0, 94.0, 92.0]
    same_candidates(table, specs, nasbench301)


@pytest.mark.parametrize("as_text", [True, False])
def test_transnasbench101_has_four_tasks(folder: Path, as_text: bool) -> None:
    specs = sampled(transnasbench101.sample, 4)
    values = {task: [k + 0.5 * i for i in range(4)] for k, task in enumerate(TASKS)}
    arch = [str(s) for s in specs] if as_text else [list(s) for s in specs]
    write(folder / FILES["transnasbench101"], arch=arch, **values)
    table = load_transnas()
    assert table.specs == specs
    assert {task: column.tolist() for task, column in table.targets.items()} == values
    same_candidates(table, specs, transnasbench101)


# what is missing


@pytest.mark.parametrize("family", list(TABLES))
def test_a_missing_table_is_named_with_the_variable(folder: Path, family: str) -> None:
    with pytest.raises(InvalidDataError) as caught:
        TABLES[family]()
    said = f"the table {FILES[family]} is needed, but {folder} does not hold it: name its folder in FORETELL_DATA"
    assert str(caught.value) == said


def test_a_folder_in_the_place_of_a_table_is_none(folder: Path) -> None:
    (folder / FILES["nasbench201"]).mkdir()
    with pytest.raises(InvalidDataError, match="name its folder in FORETELL_DATA"):
        data_file(FILES["nasbench201"])


def test_parquet_without_pyarrow_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"needs pyarrow: pip install 'foretell\[bench\]'"):
        tables.read_parquet(FILES["nasbench201"])


# the real ones


def real(folder: Path, monkeypatch: pytest.MonkeyPatch, family: str) -> Table:
    monkeypatch.setenv("FORETELL_DATA", os.fspath(folder))
    if not (folder / FILES[family]).is_file():
        pytest.skip(f"needs the table {FILES[family]}")
    return TABLES[family]()


def test_cells_of_nasbench101_have_their_published_fingerprints_and_sizes(
    foretell_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = real(foretell_data, monkeypatch, "nasbench101")
    assert len(table) == len(table.targets["test_acc"]) == 423_624
    with np.load(foretell_data / FILES["nasbench101"]) as stored:
        hashes, params = stored["hash"], stored["trainable_params"]
    for row in np.random.default_rng(0).permutation(len(table))[:25].tolist():
        assert nasbench101.fingerprint(*table.specs[row]) == hashes[row].tobytes()
        graph = table.candidate(row).graph
        assert graph is not None
        assert graph.params == params[row]


def test_cells_of_nasbench201_are_those_that_the_strings_name(
    foretell_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = real(foretell_data, monkeypatch, "nasbench201")
    names = tables.read_parquet(FILES["nasbench201"])["arch_str"]
    assert [nasbench201.parse(name) for name in names] == list(table.specs)
    assert len(set(table.specs)) == len(table) == 5**6
    assert 94 < table.targets["cifar10"].max() < 95  # the published optimum is 94.37
    assert 73 < table.targets["cifar100"].max() < 74  # and 73.51


@pytest.mark.parametrize(("family", "size"), [("nasbench301", 1218), ("transnasbench101", 4096)])
def test_the_other_tables_are_whole(
    foretell_data: Path, monkeypatch: pytest.MonkeyPatch, family: str, size: int
) -> None:
    table = real(foretell_data, monkeypatch, family)
    assert len(table) == len({str(s) for s in table.specs}) == size
    assert all(len(column) == size and np.isfinite(column).all() for column in table.targets.values())
    for row in (0, size - 1):
        assert table.candidate(row).cells
