"""Models of earlier experiments on the same space, or one much like it, for a warm start.

The best of them are tried first. Their metrics are not mixed with those of this experiment: another data set, another
number of epochs shifts them all, and what was good there is only likely to be good here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foretell.benchmarks.official.torch_file import read_torch
from foretell.errors import InvalidDataError

Record = tuple[dict[str, Any], float]
"""A sample and its metric, larger is better."""


def earlier_models(source: Any) -> list[Record]:
    """Samples with their metrics, best first.

    Args:
        source: Another `ForetellStrategy` or its `state_dict`; records `{"sample": ..., "metric": ...}`; a JSON file of
            such records; an experiment's folder or the `state.ckpt` in it.

    Raises:
        InvalidDataError: If it is none of those.
    """
    if hasattr(source, "state_dict"):
        source = source.state_dict()
    if isinstance(source, str | Path):
        source = _read(Path(source).expanduser())
    if isinstance(source, Mapping):
        source = source.get("strategy", source)
        source = source.get("results") if isinstance(source, Mapping) else source
    if not isinstance(source, Sequence) or isinstance(source, str | bytes):
        raise _broken(source)
    found = [_record(record) for record in source]
    return sorted((r for r in found if not math.isnan(r[1])), key=lambda r: -r[1])


def _record(record: Any) -> Record:
    if not isinstance(record, Mapping) or not isinstance(record.get("sample"), Mapping):
        raise _broken(record)
    metric = record.get("metric", record.get("value"))
    if isinstance(metric, bool) or not isinstance(metric, int | float):
        raise _broken(record)
    try:
        return dict(record["sample"]), float(metric)
    except OverflowError as error:
        raise _broken(record) from error


def _read(path: Path) -> Any:
    if path.is_dir():
        path = next(iter(sorted(path.glob("**/state.ckpt*"))), path)
    if not path.is_file():
        msg = (
            f"an earlier experiment must be its folder, its state.ckpt or a JSON file, but {path} is none: "
            "look below ~/nni-experiments"
        )
        raise InvalidDataError(msg)
    try:
        if path.suffix == ".json":
            return json.loads(path.read_text(encoding="utf-8"))
        return read_torch(path)  # a checkpoint of ours holds plain values only
    except (OSError, ValueError, RecursionError, InvalidDataError) as error:
        raise _broken(str(path)) from error


def _broken(found: Any) -> InvalidDataError:
    return InvalidDataError(
        "an earlier experiment must be records of `sample` and `metric`, or a checkpoint of ForetellStrategy, but got "
        f"{found!r:.200}: write e.g. [{{'sample': model.sample, 'metric': model.metric}}, ...]"
    )
