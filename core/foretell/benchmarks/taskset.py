"""TaskSet's learning curves: a thousand settings of an optimiser on each of six text classification tasks.

Metz et al., 2020, "Using a Thousand Optimization Tasks to Learn Hyperparameter Search Strategies",
https://arxiv.org/abs/2002.11887.
"""

from __future__ import annotations

import json
import lzma
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.benchmarks.tables import data_file

if TYPE_CHECKING:
    from jaxtyping import Float

TASKS = (
    "patch128_LSTM128_avg_bs64", "patch128_LSTM128_embed128_bs64", "patch32_GRU64_avg_bs128",
    "patch32_IRNN64_relu_last_bs128", "patch32_LSTM128_bs128", "patch32_VRNN64_relu_avg_bs128",
)  # fmt: skip
"""Names of the tasks, by alphabet."""


def taskset_curves(task: str) -> Float[np.ndarray, "settings points"]:
    """Minus the validation loss, `nan` where training had diverged; the first point is before training.

    Args:
        task: One of `TASKS`.

    Raises:
        InvalidDataError: If the file is not in the data folder.
    """
    runs = _runs(task)
    losses = [[np.nan if loss is None else loss for loss in run["valid"]["loss"]] for run in runs]
    return -np.array(losses, dtype=np.float64)


def taskset_settings(task: str) -> list[dict[str, float]]:
    """The settings of Adam of every run, all on logarithmic scales: decay rates of moments as what they lack to 1.

    Args:
        task: One of `TASKS`.

    Raises:
        InvalidDataError: If the file is not in the data folder.
    """
    return [
        {f"1-{name}" if name.startswith("beta") else name: 1.0 - v if name.startswith("beta") else v
         for name, v in run["hp"].items()}
        for run in _runs(task)
    ]  # fmt: skip


def _runs(task: str) -> list[dict[str, Any]]:
    path = data_file(f"taskset/FixedTextRNNClassification_imdb_{task}.json.xz")
    runs: list[dict[str, Any]] = json.loads(lzma.decompress(path.read_bytes()))
    return runs
