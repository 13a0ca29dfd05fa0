"""Families of tasks of which something is known beforehand: what `foretell bench defaults` leaves one out of.

- `steplaw`: learning rate and batch size of language models, all grids of size and data.
- `taskset`: the settings of Adam on six recurrent networks, a configuration has the loss of the nearest of a thousand.
- `cells`: the 4,096 cells that NAS-Bench-201 and TransNAS-Bench-101 both hold, on two and four tasks.
- `hpobench-mlp` and `nmt`: as in `foretell bench sources`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks import source_tasks
from foretell.benchmarks.scale import Scale
from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.nearest_problem import nearest_problem
from foretell.benchmarks.tables import TABLES
from foretell.benchmarks.taskset import TASKS, taskset_curves, taskset_settings
from foretell.distributions import Distribution, FloatDistribution
from foretell.search_space import SearchSpace
from foretell.transfer.nearness import task_distances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.search_spaces.problem import SearchProblem
    from foretell.distributions import Value
    from foretell.transfer.nearness import TaskDescription

_CELLS: Mapping[str, Mapping[str, float | str]] = {
    "cifar10": {"kind": "classes", "classes": 10, "pixels": 32, "scenes": "objects"},
    "cifar100": {"kind": "classes", "classes": 100, "pixels": 32, "scenes": "objects"},
    "class_scene": {"kind": "classes", "classes": 47, "pixels": 256, "scenes": "rooms"},
    "jigsaw": {"kind": "classes", "classes": 1000, "pixels": 256, "scenes": "rooms"},
    "autoencoder": {"kind": "pixels", "pixels": 256, "scenes": "rooms"},
    "room_layout": {"kind": "numbers", "pixels": 256, "scenes": "rooms"},
}
_EDGES_201 = ("1<-0", "2<-0", "3<-0", "2<-1", "3<-1", "3<-2")
_EDGES_TRANSNAS = ("1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2")
_OPERATORS_201 = {0: "skip", 1: "none", 2: "conv3x3", 3: "conv1x1"}  # and pooling, which the other table lacks
_OPERATORS_TRANSNAS = {0: "none", 1: "skip", 2: "conv1x1", 3: "conv3x3"}
FAMILIES = ("steplaw", "taskset", "cells", "hpobench-mlp", "nmt")


@lru_cache(maxsize=1)
def described_tasks() -> Mapping[str, Sequence[str]]:
    """Tasks by family."""
    others = {f: tuple(t for g, t in source_tasks.TARGETS if g == f) for f in ("hpobench-mlp", "nmt")}
    return MappingProxyType(
        {"steplaw": tuple(sorted(Scale().grids())), "taskset": TASKS, "cells": tuple(_CELLS), **others}
    )


def description(family: str, task: str) -> dict[str, float | str]:
    """What is known of a task before anything is tried."""
    if family == "cells":
        return dict(_CELLS[task])
    if family == "taskset":
        found = re.fullmatch(r"patch(\d+)_([A-Z]+)(\d+)_(.*?)_?bs(\d+)", task)
        assert found is not None
        patch, cell, width, rest, batch = found.groups()
        return {
            "patch": int(patch), "cell": cell, "width": int(width), "batch": int(batch),
            "mean": "yes" if "avg" in rest else "no",
        }  # fmt: skip
    return source_tasks.described(family, task)


@lru_cache(maxsize=40)
def described_problem(family: str, task: str) -> SearchProblem:
    """The problem of a task, in units that mean the same for all tasks of its family."""
    if family == "taskset":
        settings, losses = taskset_settings(task), taskset_curves(task)[:, -1]
        space: dict[str, Distribution] = {
            name: FloatDistribution(min(c[name] for c in settings), max(c[name] for c in settings), log=True)
            for name in settings[0]
        }
        return nearest_problem(SearchSpace(space), settings, np.where(np.isnan(losses), np.nanmin(losses), losses))
    if family == "cells":
        of_201 = task.startswith("cifar")
        table = TABLES["nasbench201" if of_201 else "transnasbench101"]()
        edges, operators = (
            (_EDGES_201, _OPERATORS_201) if of_201 else (_EDGES_TRANSNAS, _OPERATORS_TRANSNAS)
        )  # fmt: skip
        rows = [i for i, spec in enumerate(table.specs) if all(op in operators for op in spec)]
        columns = {
            edge: [operators[table.specs[i][edges.index(edge)]] for i in rows] for edge in _EDGES_201
        }  # fmt: skip
        return grid_problem(columns, table.targets[task][rows])
    return source_tasks.source_problem(family, task)


def middle(space: SearchSpace) -> dict[str, Value]:
    """The configuration in the middle of every parameter.

    >>> middle(SearchSpace({"x": FloatDistribution(0.0, 1.0)}))
    {'x': 0.5}
    """
    return space.from_unit(space.snap(np.full((1, len(space)), 0.5))[0])


def nearest_task(task: TaskDescription, others: Sequence[TaskDescription]) -> int:
    """Which of other tasks is described most alike, the first of several.

    >>> nearest_task({"rows": 100.0}, [{"rows": 9000.0}, {"rows": 150.0}])
    1
    """
    return int(np.nanargmin(task_distances([task, *others])[0, 1:]))
