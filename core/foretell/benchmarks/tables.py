"""The real tables, as specifications with their targets; found in the folder that `FORETELL_DATA` names.

Nothing synthetic stands in for a table that is missing.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.candidate import Candidate
from foretell.capture import nasbench101, nasbench201, nasbench301, transnasbench101
from foretell.capture.families import FAMILIES
from foretell.errors import InvalidDataError, MissingDependencyError

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from foretell.graph import ComputationGraph

_DEFAULT = Path("../shared/data")
_FILE_101, _FILE_201 = "nasbench101/nb101.npz", "nasbench201/nb201.parquet"
_FILE_301, _FILE_TRANSNAS = "nasbench301/nb301_sample.parquet", "transnasbench101/tnb101_micro.parquet"
_OPS_101 = {-1: "input", -2: "output", **dict(enumerate(nasbench101.OPERATIONS))}


@dataclass(frozen=True, eq=False)
class Table:
    """Architectures of one family with what training made of them.

    Args:
        family: Name of the family.
        specs: Specifications of all architectures.
        build: From a specification to its graph.
        targets: Columns by name, larger is better.
        cells: From a specification to the cells of its network.
    """

    family: str
    specs: Sequence[Any]
    build: Callable[[Any], ComputationGraph]
    targets: Mapping[str, Float[np.ndarray, " n"]]
    cells: Callable[[Any], tuple[ComputationGraph, ...]]

    def __len__(self) -> int:
        return len(self.specs)

    def candidate(self, row: int) -> Candidate:
        """Network and cells of one architecture."""
        spec = self.specs[row]
        return Candidate(self.build(spec), cells=self.cells(spec))


def _folder() -> Path:
    return Path(os.environ.get("FORETELL_DATA", _DEFAULT))


def data_file(name: str) -> Path:
    """A file of the data folder.

    Raises:
        InvalidDataError: If it is not there.
    """
    folder = _folder()
    if not (folder / name).is_file():
        msg = f"the table {name} is needed, but {folder} does not hold it: name its folder in FORETELL_DATA"
        raise InvalidDataError(msg)
    return folder / name


def read_parquet(name: str) -> dict[str, list[Any]]:
    """Columns of a parquet table of the data folder.

    Raises:
        MissingDependencyError: Without pyarrow.
        InvalidDataError: If it is not there.
    """
    try:
        from pyarrow import parquet
    except ImportError as e:
        msg = "the tables are parquet files, and reading these needs pyarrow: pip install 'foretell[bench]'"
        raise MissingDependencyError(msg) from e
    columns: dict[str, list[Any]] = parquet.read_table(data_file(name)).to_pydict()
    return columns


class Cells101(Sequence[Any]):
    """NAS-Bench-101's cells, unpacked one by one: as lists, all of them would take a gigabyte.

    Args:
        adjacency: Matrices, cells x 7 x 7, zeros beyond a cell's vertices.
        ops: Operators, cells x 7: -1 input, -2 output, others positions in `nasbench101.OPERATIONS`.
        sizes: Vertices of each cell.
    """

    def __init__(self, adjacency: np.ndarray, ops: np.ndarray, sizes: np.ndarray) -> None:
        self._adjacency, self._ops, self._sizes = adjacency, ops, sizes

    def __len__(self) -> int:
        return len(self._sizes)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        n = int(self._sizes[i])
        return self._adjacency[i, :n, :n].tolist(), [_OPS_101[o] for o in self._ops[i, :n].tolist()]


def load_101() -> Table:
    """All 423,624 cells of NAS-Bench-101: `test_acc`, mean of three runs of 108 epochs, a fraction."""
    with np.load(data_file(_FILE_101)) as stored:
        cells = Cells101(stored["adjacency"], stored["ops"], stored["n_vertices"])
        targets = {"test_acc": stored["test_acc_mean"].astype(np.float64)}
    return Table("nasbench101", cells, FAMILIES["nasbench101"].graph, targets, nasbench101.cells)


def load_201() -> Table:
    """All 15,625 cells of NAS-Bench-201: test accuracy in percent after 200 epochs on two data sets."""
    columns = read_parquet(_FILE_201)
    targets = {task: np.array(columns[f"{task}_test_acc_200ep"], dtype=np.float64) for task in ("cifar10", "cifar100")}
    return Table(
        "nasbench201", [ast.literal_eval(net) for net in columns["net"]], nasbench201.graph, targets, nasbench201.cells
    )


def load_301() -> Table:
    """1,218 cells of NAS-Bench-301: the benchmark's surrogate's prediction of validation accuracy, in percent."""
    columns = read_parquet(_FILE_301)
    genotypes = [ast.literal_eval(arch) if isinstance(arch, str) else arch for arch in columns["arch"]]
    targets = {"val_acc": np.array(columns["val_accuracy"], dtype=np.float64)}
    return Table("nasbench301", genotypes, nasbench301.graph, targets, nasbench301.cells)


def load_transnas() -> Table:
    """All 4,096 micro cells of TransNAS-Bench-101: validation metric of four tasks, losses negated."""
    columns = read_parquet(_FILE_TRANSNAS)
    tasks = ("class_scene", "jigsaw", "autoencoder", "room_layout")
    specs = [ast.literal_eval(arch) if isinstance(arch, str) else tuple(arch) for arch in columns["arch"]]
    targets = {task: np.array(columns[task], dtype=np.float64) for task in tasks}
    return Table("transnasbench101", specs, transnasbench101.graph, targets, transnasbench101.cells)


def load_table(family: str) -> Table:
    """A family's table from the data folder; where that lacks ours, from the benchmark's own file, if it is there.

    Raises:
        InvalidDataError: If neither is there, see `foretell.benchmarks.official` for the second.
    """
    from foretell.benchmarks.official import find_official  # which makes tables too

    name, load = _OURS[family]
    if not _folder().joinpath(name).is_file():
        found = find_official(_folder() / family, family)
        if found is not None:
            return found
    return load()


_OURS: Mapping[str, tuple[str, Callable[[], Table]]] = {
    "nasbench101": (_FILE_101, load_101), "nasbench201": (_FILE_201, load_201),
    "nasbench301": (_FILE_301, load_301), "transnasbench101": (_FILE_TRANSNAS, load_transnas),
}  # fmt: skip
TABLES: Mapping[str, Callable[[], Table]] = {family: partial(load_table, family) for family in _OURS}
"""Loaders by family."""


def some_rows(n: int, k: int, seed: int) -> Int[np.ndarray, " k"]:
    """`k` different rows of `n`, the same ones for the same seed, in random order.

    >>> some_rows(10, 3, seed=0).tolist()
    [4, 6, 2]
    """
    return np.random.default_rng(seed).permutation(n)[:k]
