"""Accuracies of networks as a person keeps them: a CSV file with a model and a number a line."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from pathlib import Path


def read_labels(path: Path) -> dict[str, float]:
    """Accuracies by model, as written, in the order of the file.

    The first row names the columns; two are read, `model` (as `foretell show` takes it) and `accuracy` (larger is
    better).

    Raises:
        InvalidDataError: If it cannot be read so.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found = {row["model"].strip(): float(row["accuracy"]) for row in rows}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as e:
        msg = f"labels are a CSV file with the columns model and accuracy, but {path} is not ({e!r}): correct it"
        raise InvalidDataError(msg) from e
    if not found:
        msg = f"labels are a CSV file with the columns model and accuracy, but {path} has no row: add one a network"
        raise InvalidDataError(msg)
    return found
