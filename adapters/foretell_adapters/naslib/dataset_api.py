"""Real labels for NASLib where its own downloads cannot be had.

Benchmark tables become the `dataset_api` that it expects:
`evaluator.adapt_search_space(space, load_labeled=False, dataset_api=nasbench201(folder))`. The tables hold
final results only: training times read 0, and a learning curve has one point, the last. NASLib's validation
and test accuracy give the same number, the one that each function names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.capture import nasbench101 as cells
from foretell.errors import InvalidDataError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def nasbench101(folder: str | Path) -> dict[str, Any]:
    """NAS-Bench-101: mean test accuracy of three runs of 108 epochs on CIFAR-10, for all 423,624 cells.

    Args:
        folder: Holds `nasbench101/nb101.npz` with columns `hash`, `test_acc_mean` and `trainable_params`.

    Raises:
        InvalidDataError: If the table is not there.
    """
    with np.load(_existing(folder, "nasbench101/nb101.npz")) as table:
        rows = {name.tobytes(): row for row, name in enumerate(table["hash"])}
        data = NASBench101Table(rows, table["test_acc_mean"].tolist(), table["trainable_params"].tolist())
    return {"api": NASBench101Names, "nb101_data": data}


def nasbench201(folder: str | Path) -> dict[str, Any]:
    """NAS-Bench-201: test accuracy after 200 epochs, mean over seeds, for all 15,625 cells.

    CIFAR-10 and CIFAR-100.

    Args:
        folder: Holds `nasbench201/nb201.parquet`.

    Raises:
        InvalidDataError: If the table is not there.
        MissingDependencyError: Without pyarrow.
    """
    columns = _columns(folder, "nasbench201/nb201.parquet")
    datasets = {"cifar10-valid": "cifar10", "cifar100": "cifar100"}  # NASLib's name -> the table's
    return {
        "nb201_data": {
            arch: {
                name: _nasbench201_entry(columns[f"{column}_test_acc_200ep"][row], columns[f"{column}_params"][row])
                for name, column in datasets.items()
            }
            for row, arch in enumerate(columns["arch_str"])
        }
    }


def nasbench301(folder: str | Path) -> dict[str, Any]:
    """NAS-Bench-301: accuracy as its **surrogate** predicts it, for 1,218 cells; use `load_labeled=True`.

    Args:
        folder: Holds `nasbench301/nb301_sample.parquet`.

    Raises:
        InvalidDataError: If the table is not there.
        MissingDependencyError: Without pyarrow.
    """
    columns = _columns(folder, "nasbench301/nb301_sample.parquet")
    pairs = [json.loads(text.replace("(", "[").replace(")", "]")) for text in columns["arch"]]
    archs = [tuple(tuple((source, op) for source, op in cell) for cell in cells) for cells in pairs]
    data = {
        arch: {"val_accuracies": [accuracy], "train_losses": [], "runtime": 0.0}
        for arch, accuracy in zip(archs, columns["val_accuracy"], strict=True)
    }
    return {"nb301_data": data, "nb301_arches": list(data)}


def best(api: Mapping[str, Any], space: str) -> float:
    """The highest accuracy of a table on CIFAR-10, in percent.

    Args:
        api: What `nasbench101` or `nasbench201` gave.
        space: Which of the two.
    """
    if space == "nasbench101":
        return 100.0 * float(api["nb101_data"].best)
    return float(max(entry["cifar10-valid"]["eval_acc1es"][-1] for entry in api["nb201_data"].values()))


@dataclass(frozen=True, slots=True)
class NASBench101Cell:
    """A NAS-Bench-101 cell as NASLib hands it to the table.

    Attributes:
        matrix: Adjacency matrix, not pruned.
        ops: Names of the operators.
    """

    matrix: np.ndarray
    ops: Sequence[str]


class NASBench101Names:
    """What NASLib looks up in the benchmark's module."""

    ModelSpec = NASBench101Cell


class NASBench101Table:
    """The benchmark's interface over a table of final results.

    Args:
        rows: Row of each cell by its fingerprint.
        accuracy: Accuracy of each row, a fraction.
        params: Trainable parameters of each row.
    """

    def __init__(self, rows: Mapping[bytes, int], accuracy: Sequence[float], params: Sequence[int]) -> None:
        self._rows, self._accuracy, self._params = rows, accuracy, params

    def __deepcopy__(self, memo: dict[int, Any]) -> NASBench101Table:
        """Itself: NASLib copies search spaces often, and the table never changes."""
        return self

    def is_valid(self, cell: NASBench101Cell) -> bool:
        """Whether the benchmark holds the cell: pruned, it has a path, at most 7 vertices and 9 edges."""
        return self._fingerprint(cell) in self._rows

    def query(self, cell: NASBench101Cell, epochs: int = 108) -> dict[str, Any]:
        """Results of a cell, whatever the number of epochs.

        Raises:
            InvalidDataError: If the benchmark does not hold it.
        """
        del epochs
        row = self._rows.get(self._fingerprint(cell))
        if row is None:
            msg = f"a cell needs a path, at most 7 vertices and 9 edges, but got {cell}: ask is_valid first"
            raise InvalidDataError(msg)
        accuracy = self._accuracy[row]
        return {
            "module_adjacency": cell.matrix,
            "module_operations": list(cell.ops),
            "trainable_parameters": self._params[row],
            "training_time": 0.0,
            "train_accuracy": accuracy,
            "validation_accuracy": accuracy,
            "test_accuracy": accuracy,
        }

    @property
    def best(self) -> float:
        """The highest accuracy, a fraction."""
        return max(self._accuracy)

    def hash_iterator(self) -> Iterator[str]:
        """Fingerprints of all cells, as hexadecimal."""
        return (name.hex() for name in self._rows)

    @staticmethod
    def _fingerprint(cell: NASBench101Cell) -> bytes:
        return cells.fingerprint(cell.matrix, [str(op) for op in cell.ops])


def _nasbench201_entry(accuracy: float, params: float) -> dict[str, Any]:
    return {
        "train_acc1es": [accuracy],
        "eval_acc1es": [accuracy],
        "params": [params],
        "cost_info": {"train_time": 0.0, "params": params},
    }


def _existing(folder: str | Path, name: str) -> Path:
    path = Path(folder) / name
    if not path.is_file():
        msg = f"the table {name} must be in the data folder, but {path} is not there: pass another folder"
        raise InvalidDataError(msg)
    return path


def _columns(folder: str | Path, name: str) -> dict[str, list[Any]]:
    path = _existing(folder, name)
    try:
        from pyarrow import parquet
    except ImportError as e:
        msg = f"reading {name} needs pyarrow: pip install pyarrow"
        raise MissingDependencyError(msg) from e
    columns: dict[str, list[Any]] = parquet.read_table(path).to_pydict()
    return columns
