"""Curves of networks that a benchmark trains itself, kept on the disk one by one.

Training takes minutes and the same for every method that is then measured on it. Each finished curve is a file, so that
what is interrupted goes on with the next run.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.digits import train_curve
from foretell.errors import InvalidDataError
from foretell.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float

    from foretell.distributions import Value

_FOLDER = "FORETELL_CURVES"


def curves_folder() -> Path:
    """Where curves are kept: the folder that `FORETELL_CURVES` names, else `bench/curves` beside the results."""
    return Path(os.environ.get(_FOLDER) or Path("bench") / "curves")


def digits_curve(config: Mapping[str, Value], seed: int, epochs: int) -> Float[np.ndarray, " epochs"]:
    """Minus the log loss, in nats, on 600 held-out images of handwritten digits after every epoch.

    Trained by `foretell.benchmarks.digits.train_curve` once, read from `curves_folder()` afterwards.

    Args:
        config: A configuration of `foretell.benchmarks.digits.SPACE`.
        seed: Seed of the training.
        epochs: How many.

    Returns:
        Larger is better; `-inf` where training had diverged.

    Raises:
        InvalidDataError: If the file of the curve holds something else.
        WriteError: If it cannot be written.
    """
    asked = {"data": "digits", "config": dict(sorted(config.items())), "seed": seed, "epochs": epochs}
    name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    path = curves_folder() / f"digits-{name}.json"
    if path.exists():
        return _read(path, asked)
    losses = [score.log_loss for score in train_curve(config, seed, epochs)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole({path: json.dumps({**asked, "log_loss": losses}) + "\n"})
    return -np.array(losses)


def _read(path: Path, asked: Mapping[str, object]) -> Float[np.ndarray, " epochs"]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        losses = np.array(stored.pop("log_loss"), dtype=np.float64)
        if stored != asked or losses.shape != (asked["epochs"],):
            raise ValueError("it is the curve of another training")
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        msg = f"a kept curve must be that of the training asked for, but {path} is not ({e}): delete it"
        raise InvalidDataError(msg) from e
    return -losses
