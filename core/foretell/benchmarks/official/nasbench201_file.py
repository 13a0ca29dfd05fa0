"""NAS-Bench-201 from its own files, without running what a pickle may hold (`plain_pickle`).

Dong and Yang, 2020, https://arxiv.org/abs/2001.00326; Dong et al., 2021 (NATS-Bench, topology space),
https://arxiv.org/abs/2009.00437. Read are:

- the folder `NATS-tss-v1_0-3ffb9-simple`, a `pickle.pbz2` file a cell;
- `NAS-Bench-201-v1_1-096897.pth` and its elder, which need several times their size of memory;
- NASLib's `nb201_cifar10_full_training.pickle` and the like: one data set each, validation accuracy.
"""

from __future__ import annotations

import bz2
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from foretell.benchmarks.official.plain_pickle import read_pickle
from foretell.benchmarks.official.torch_file import read_torch
from foretell.benchmarks.tables import Table
from foretell.capture import nasbench201
from foretell.errors import InvalidArchitectureError, InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LARGEST = 64 * 2**20  # bytes of one file of the folder, unpacked; they have a third of a megabyte
_SETS = {
    "cifar10": ("cifar10", "ori-test"), "cifar100": ("cifar100", "x-test"), "imagenet16": ("ImageNet16-120", "x-test"),
    "cifar10_valid": ("cifar10-valid", "x-valid"),
}  # fmt: skip


def load_nasbench201(path: Path) -> Table:
    """All cells in the benchmark's order: accuracy in percent after the last of 200 epochs, mean of the runs.

    `cifar10`, `cifar100` and `imagenet16` are test accuracies, `cifar10_valid` and all of NASLib's files validation.

    Args:
        path: Folder or file, see above.

    Raises:
        InvalidDataError: If it is none of these, is damaged or incomplete, or holds more than plain data.
    """
    try:
        if path.is_dir():
            archs, columns = _folder(path)
        elif path.suffix == ".pth":
            stored = read_torch(path)
            archs = list(stored["meta_archs"])
            columns = _columns([stored["arch2infos"][i]["full"] for i in range(len(archs))])
        else:
            archs, columns = _of_naslib(read_pickle(_whole(path))[0])
        specs = [nasbench201.parse(arch) for arch in archs]
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, InvalidArchitectureError) as e:
        if isinstance(e, InvalidDataError):
            raise
        msg = f"a table of NAS-Bench-201 must hold its cells and their results, but {path} does not ({e!r})"
        raise InvalidDataError(f"{msg}: give one of the files that this reader names") from e
    targets = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    return Table("nasbench201", specs, nasbench201.graph, targets, nasbench201.cells)


def _whole(path: Path) -> bytes:
    if not path.is_file():
        msg = f"a table must be a file or a folder, but {path} is neither: check the path"
        raise InvalidDataError(msg)
    return path.read_bytes()


def _folder(path: Path) -> tuple[list[str], dict[str, list[float]]]:
    archs = list(_unpacked(path / "meta.pickle.pbz2")["meta_archs"])
    files = [path / f"{i:06d}.pickle.pbz2" for i in range(len(archs))]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        msg = f"a folder of NATS-Bench must hold a file for each of its {len(archs)} cells, but {path} lacks"
        raise InvalidDataError(f"{msg} {len(missing)}, {missing[0]} first: unpack it again")
    return archs, _columns([_slim(_unpacked(file)["200"]) for file in tqdm(files, desc=path.name, disable=None)])


def _unpacked(path: Path) -> Any:
    decompressor = bz2.BZ2Decompressor()
    try:
        data = decompressor.decompress(_whole(path), max_length=_LARGEST)
    except OSError as e:
        msg = f"a pickle.pbz2 file must be compressed by bz2, but {path} is not ({e}): get it again"
        raise InvalidDataError(msg) from e
    if not decompressor.eof:
        msg = (
            f"a pickle.pbz2 file must be whole and unpack to at most {_LARGEST} bytes, but {path} is not: get it again"
        )
        raise InvalidDataError(msg)
    return read_pickle(data)[0]


def _slim(cell: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's results after the last epoch alone, in the same form."""
    runs = {}
    for run, found in cell["all_results"].items():
        last = f"@{found['epochs'] - 1}"
        ends = {name: acc for name, acc in found["eval_acc1es"].items() if name.endswith(last)}
        runs[run] = {"epochs": found["epochs"], "eval_acc1es": ends}
    return {"all_results": runs}


def _columns(cells: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    return {target: [_mean(cell, *where) for cell in cells] for target, where in _SETS.items()}


def _mean(cell: Mapping[str, Any], dataset: str, part: str) -> float:
    """Mean over the runs of a cell on a data set."""
    runs = [run for (name, _), run in cell["all_results"].items() if name == dataset]
    return float(np.mean([run["eval_acc1es"][f"{part}@{run['epochs'] - 1}"] for run in runs])) if runs else np.nan


def _of_naslib(cells: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], dict[str, list[float]]]:
    """Architecture -> data set -> lists of values by epoch; targets have the names of the data sets."""
    archs = list(cells)
    names = [name for name, values in cells[archs[0]].items() if "eval_acc1es" in values]
    return archs, {name: [float(cells[arch][name]["eval_acc1es"][-1]) for arch in archs] for name in names}
