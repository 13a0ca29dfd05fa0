"""Real training runs to be stopped early or not: their whole curves, drawn in a random order.

A run's curve does not depend on who may stop it, so every pruner is given the same runs in the same order, and
training them once serves all, also after an interruption (`foretell.benchmarks.trained_curves`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

from foretell.benchmarks.digits import SPACE
from foretell.benchmarks.runner import Cell
from foretell.benchmarks.taskset import TASKS, taskset_curves
from foretell.benchmarks.trained_curves import digits_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

TUNED: tuple[tuple[str, str], ...] = tuple(("taskset", task) for task in TASKS[::2])
"""Family and task of the curves on which the rule was chosen."""
REPORTED: tuple[tuple[str, str], ...] = (
    *(("taskset", task) for task in TASKS[1::2]), ("digits", "cnn"), ("digits", "mlp"),
)  # fmt: skip
"""Family and task of the curves on which it is reported."""
_RUNS = {"taskset": 60, "digits": 30}
EPOCHS = 27
"""Epochs of a network for handwritten digits."""


def pruning_cells(methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
    """Every method on the same runs of every task; quick means one task."""
    places = REPORTED[:1] if quick else (*REPORTED, *TUNED)
    return [Cell(m, *place, _RUNS[place[0]], seed) for place in places for seed in range(seeds) for m in methods]


def longer_cells(methods: Sequence[str], seeds: int) -> list[Cell]:
    """Every method on studies of as many networks as TaskSet's have runs; the first of them are those of the others."""
    places = [place for place in REPORTED if place[0] == "digits"]
    return [Cell(m, *place, _RUNS["taskset"], seed) for place in places for seed in range(seeds) for m in methods]


@lru_cache(maxsize=1)
def pruning_runs(family: str, task: str, n: int, seed: int) -> Float[np.ndarray, "n epochs"]:
    """Curves of `n` runs, larger is better; `nan` or infinite where training had diverged.

    `taskset`: settings drawn from the thousand. `digits`: configurations drawn from the convolutional half (`cnn`) or
    the other (`mlp`) of `foretell.benchmarks.digits.SPACE`, trained here; minus the log loss on 600 held-out images.
    """
    rng = np.random.default_rng(seed)
    if family == "taskset":
        curves = _taskset(task)
        return curves[rng.choice(len(curves), n, replace=False), 1:]
    configs = [{**SPACE.sample(rng), "family": task} for _ in range(n)]
    configs = [{"kernel": 3, "pool": "max", **config} for config in configs]  # what the other half lacks
    shown = tqdm(configs, desc=f"networks of seed {seed}", unit="run", leave=False, disable=None)
    return np.stack([digits_curve(config, i, EPOCHS) for i, config in enumerate(shown)])


@lru_cache(maxsize=1)
def _taskset(task: str) -> Float[np.ndarray, "settings points"]:
    return taskset_curves(task)
