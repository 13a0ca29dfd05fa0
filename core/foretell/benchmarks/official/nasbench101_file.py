"""NAS-Bench-101 from its own file: `nasbench_only108.tfrecord` or `nasbench_full.tfrecord`.

Ying et al., 2019, https://arxiv.org/abs/1902.09635. A record is a JSON list of a cell's fingerprint, epochs, matrix,
operators, and results in base64: a protobuf message `ModelMetrics` with evaluations before, halfway and after training.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

from foretell.benchmarks.official.tfrecord import records
from foretell.benchmarks.tables import Cells101, Table
from foretell.capture import nasbench101
from foretell.capture.families import FAMILIES
from foretell.errors import InvalidArchitectureError, InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_EPOCHS = 108
_CODES = {"input": -1, "output": -2, **{name: code for code, name in enumerate(nasbench101.OPERATIONS)}}
_EVALUATIONS, _VALIDATION, _TEST = 1, 4, 5  # fields of ModelMetrics and of EvaluationData


def load_nasbench101(path: Path) -> Table:
    """All cells trained for 108 epochs, ordered by fingerprint: `test_acc` and `val_acc`, means of the runs, fractions.

    Raises:
        InvalidDataError: If it is no such file, or is cut off.
    """
    specs: dict[str, tuple[str, str]] = {}
    runs: dict[str, list[tuple[float, float]]] = {}
    for number, record in enumerate(tqdm(records(path), desc=path.name, unit="run", disable=None)):
        try:
            name, epochs, matrix, ops, metrics = json.loads(record)
            if epochs == _EPOCHS:
                runs.setdefault(name, []).append(_final(base64.b64decode(metrics, validate=True)))
                specs.setdefault(name, (matrix, ops))
        except (ValueError, TypeError, IndexError, struct.error) as e:
            msg = f"a record must be a list of a cell and its results, but record {number} of {path} is not ({e})"
            raise InvalidDataError(f"{msg}: get it again") from e
    if not runs:
        msg = f"a table must hold runs of {_EPOCHS} epochs, but {path} holds none: take nasbench_only108.tfrecord"
        raise InvalidDataError(msg)
    names = sorted(runs)
    means = np.array([np.mean(runs[name], axis=0) for name in names])
    targets = {"test_acc": means[:, 1], "val_acc": means[:, 0]}
    try:
        cells = _cells([specs[name] for name in names])
    except (InvalidArchitectureError, ValueError, IndexError, KeyError) as e:
        msg = f"the cells of {path} must be those of NAS-Bench-101, but one is not ({e}): get it again"
        raise InvalidDataError(msg) from e
    return Table("nasbench101", cells, FAMILIES["nasbench101"].graph, targets, nasbench101.cells)


def _cells(specs: Sequence[tuple[str, str]]) -> Cells101:
    """A matrix comes row by row in digits, the operators with commas between."""
    most = nasbench101.MAX_VERTICES
    adjacency = np.zeros((len(specs), most, most), dtype=np.uint8)
    ops, sizes = np.zeros((len(specs), most), dtype=np.int8), np.zeros(len(specs), dtype=np.uint8)
    for i, (digits, kinds) in enumerate(specs):
        names = kinds.split(",")
        n = len(names)
        matrix = np.array([int(digit) for digit in digits], dtype=np.uint8).reshape(n, n)
        nasbench101.prune(matrix, names)  # which checks both
        adjacency[i, :n, :n], ops[i, :n], sizes[i] = matrix, [_CODES[name] for name in names], n
    return Cells101(adjacency, ops, sizes)


def _final(message: bytes) -> tuple[float, float]:
    """Validation and test accuracy after training, from a `ModelMetrics`."""
    evaluations = [part for field, part in _fields(message) if field == _EVALUATIONS]
    numbers = {field: struct.unpack("<d", part)[0] for field, part in _fields(evaluations[2]) if len(part) == 8}
    return numbers.get(_VALIDATION, 0.0), numbers.get(_TEST, 0.0)


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and bytes of the fields of a protobuf message; a varint's bytes are left out."""
    here = 0
    while here < len(message):
        key, here = _varint(message, here)
        size = {1: 8, 5: 4}.get(key & 7, 0)
        if key & 7 == 0:
            _, here = _varint(message, here)
        elif not size:
            size, here = _varint(message, here)
        if here + size > len(message) or key & 7 not in (0, 1, 2, 5):
            raise ValueError("no protobuf message")
        yield key >> 3, message[here : here + size]
        here += size


def _varint(message: bytes, here: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[here]
        here += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, here
    raise ValueError("no number")
