"""Whether stored arrays are folded graphs: types, sizes, and that nothing points to what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATISTICS = 4
_LABELS = {10: (31, 7, 1), 17: (127, None, 1)}  # columns -> largest operator, kernel, bias: rows of embeddings


def check_folded(arrays: Mapping[str, np.ndarray]) -> None:
    """See `FoldedGraphs.from_arrays`, whose arrays these are.

    Raises:
        InvalidDataError: Naming the first array that is wrong.
    """
    hops = sum(name.startswith("own.") for name in arrays)
    ways = sum(name.startswith("source.0.") for name in arrays)
    if hops and not ways:
        raise _wrong("source.0.0", "is missing")
    names = ["labels", "size", "share", "owner", "colour", "statistics"]
    names += [f"keys.{i}" for i in range(hops + 1)] + [f"own.{i}" for i in range(hops)]
    names += [f"{n}.{i}.{w}" for n in ("source", "target", "times") for i in range(hops) for w in range(ways)]
    for name in names:
        if name not in arrays:
            raise _wrong(name, "is missing")
    colours = [_vector(arrays, f"keys.{i}", np.uint64) for i in range(hops + 1)]
    size = arrays["size"]
    graphs = int(size.reshape(-1)[0]) if size.size == 1 and size.dtype.kind in "iu" else 0
    entries = _vector(arrays, "owner", np.uint32)
    if not 0 < graphs <= entries:
        raise _wrong("size", f"is {graphs}")
    _labels(arrays["labels"], colours[0])
    for i in range(hops):
        _points(arrays[f"own.{i}"], colours[i], f"own.{i}", colours[i + 1])
        for w in range(ways):
            edges = _vector(arrays, f"target.{i}.{w}", np.uint32)
            _points(arrays[f"source.{i}.{w}"], colours[i], f"source.{i}.{w}", edges)
            _points(arrays[f"target.{i}.{w}"], colours[i + 1], f"target.{i}.{w}", edges, rising=True)
            _weights(arrays[f"times.{i}.{w}"], f"times.{i}.{w}", edges)
    _points(arrays["owner"], graphs, "owner", entries, rising=True)
    if len(np.unique(arrays["owner"])) != graphs:
        raise _wrong("owner", "leaves a graph without a node")
    _points(arrays["colour"], colours[-1], "colour", entries)
    _weights(arrays["share"], "share", entries)
    statistics = arrays["statistics"]
    if statistics.shape != (graphs, _STATISTICS) or statistics.dtype != np.float64 or not np.isfinite(statistics).all():
        raise _wrong("statistics", f"must be {_STATISTICS} finite numbers a graph")


def _vector(arrays: Mapping[str, np.ndarray], name: str, dtype: type) -> int:
    array = arrays[name]
    if array.dtype != dtype or array.ndim != 1:
        raise _wrong(name, f"must be a vector of {np.dtype(dtype)}")
    return len(array)


def _points(array: np.ndarray, limit: int, name: str, length: int, *, rising: bool = False) -> None:
    if array.dtype != np.uint32 or array.shape != (length,):
        raise _wrong(name, f"must be {length} numbers of 32 bits")
    if length and int(array.max()) >= limit:
        raise _wrong(name, f"points beyond {limit}")
    if rising and bool((array[1:] < array[:-1]).any()):
        raise _wrong(name, "must not fall")


def _weights(array: np.ndarray, name: str, length: int) -> None:
    if array.dtype != np.float32 or array.shape != (length,) or not np.isfinite(array).all() or (array <= 0).any():
        raise _wrong(name, f"must be {length} positive numbers")


def _labels(labels: np.ndarray, colours: int) -> None:
    if labels.dtype != np.int64 or labels.ndim != 2 or len(labels) != colours or labels.shape[1] not in _LABELS:
        raise _wrong("labels", f"must be 10 or 17 whole numbers for each of {colours} colours")
    operator, kernel, bias = _LABELS[labels.shape[1]]
    if len(labels) and (labels.min() < 0 or labels[:, 0].max() > operator):
        raise _wrong("labels", f"must be at least 0, operators at most {operator}")
    if kernel is not None and len(labels) and (labels[:, 7:9].max() > kernel or labels[:, 9].max() > bias):
        raise _wrong("labels", f"must have kernels up to {kernel}, biases up to {bias}")


def _wrong(name: str, why: str) -> InvalidDataError:
    return InvalidDataError(f"stored graphs must be whole, but `{name}` {why}: build them again")
