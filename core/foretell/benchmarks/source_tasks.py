"""What transfer between studies is measured on: data sets of one family, and for each the others that came before."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.benchmarks.search_spaces.nearest_problem import nearest_problem
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.search_spaces.problems import load_problem
from foretell.benchmarks.search_spaces.steplaw import steplaw_task
from foretell.benchmarks.tables import read_parquet
from foretell.distributions import CategoricalDistribution, IntDistribution
from foretell.search_space import SearchSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.distributions import Value

_NMT = ("bpe_symbols", "num_layers", "num_embed", "ffn_hidden", "attention_heads", "initial_lr")
CHOSEN = ("fcnet", "nmt")
"""Families on which settings were chosen; on the others they are reported."""
_STEPLAW_SMALL = ("0.21-4", "0.21-11", "0.21-20", "0.27-5", "0.27-14", "0.27-25")
_TABLES = {  # rows, columns, classes
    "australian": (690, 14, 2), "car": (1728, 6, 4), "kc1": (2109, 21, 2), "vehicle": (846, 18, 4),
    "naval_propulsion": (11934, 16, 1), "protein_structure": (45730, 9, 1),
}  # fmt: skip
_PAIRS = {"en-ja": 4_000_000, "ru-en": 180_000, "sw-en": 24_000}  # of sentences, to the nearest order of magnitude
_OTHERS: Mapping[str, Sequence[str]] = {
    "fcnet": ("naval_propulsion", "protein_structure"),
    "nmt": ("en-ja", "ru-en", "sw-en"),
    "hpobench-mlp": ("australian", "car", "kc1", "vehicle"),
    "nasbench201": ("cifar10", "cifar100"),
}
_SOURCES: Mapping[tuple[str, str], Sequence[str]] = {
    **{(f, t): [o for o in tasks if o != t] for f, tasks in _OTHERS.items() for t in tasks},
    **{("steplaw", t): _STEPLAW_SMALL for t in ("0.43-8", "0.43-40", "0.54-28", "1.1-20")},
}
TARGETS: Sequence[tuple[str, str]] = tuple(_SOURCES)
"""Family and task of every data set that is searched."""


def sources_of(family: str, task: str) -> Sequence[str]:
    """The tasks whose studies came before: all others of the family; of language models, small ones."""
    return _SOURCES[family, task]


def described(family: str, task: str) -> dict[str, float | str]:
    """What is known of a task before anything is tried: sizes of its data, of a model, its classes."""
    if family == "steplaw":
        parameters, tokens = task.split("-")
        return {"parameters": float(parameters) * 1e9, "tokens": float(tokens) * 1e9}
    if family == "nmt":
        return {"pairs": _PAIRS[task]}
    if family == "nasbench201":
        return {"classes": int(task.removeprefix("cifar"))}
    return dict(zip(("rows", "columns", "classes"), _TABLES[task], strict=True))


@lru_cache(maxsize=10)
def source_problem(family: str, task: str) -> SearchProblem:
    """The problem of a task, in units that mean the same for all tasks of its family.

    Translation systems are choices of numbers. The learning rates and batch sizes of language models, whose grids are
    half octaves and octaves, are whole numbers of half octaves.
    """
    if family == "nmt":
        columns = _columns("nmt/nmt.parquet", lambda row: str(row["corpus"]) == task)
        grids = {name: sorted({int(v) if v >= 1 else v for v in columns[name]}) for name in _NMT}
        space = SearchSpace({name: CategoricalDistribution(tuple(grid)) for name, grid in grids.items()})
        return nearest_problem(space, _configs(columns, _NMT), np.array(columns["dev_bleu"]))
    if family == "steplaw":
        columns = _columns("steplaw/dense_lr_bs_loss.parquet", lambda row: steplaw_task(row["N"], row["D"]) == task)
        octaves = {f"{name}_half_octaves": [round(2 * math.log2(v)) for v in columns[name]] for name in ("lr", "bs")}
        space = SearchSpace({name: IntDistribution(min(column), max(column)) for name, column in octaves.items()})
        return nearest_problem(space, _configs(octaves, tuple(octaves)), -np.array(columns["smooth loss"]))
    return load_problem(family, task)


def _columns(file: str, wanted: Callable[[Mapping[str, Any]], bool]) -> dict[str, list[Any]]:
    columns = read_parquet(file)
    rows = [r for v in zip(*columns.values(), strict=True) if wanted(r := dict(zip(columns, v, strict=True)))]
    return {name: [row[name] for row in rows] for name in columns}


def _configs(columns: Mapping[str, Sequence[Any]], names: Sequence[str]) -> list[dict[str, Value]]:
    return [dict(zip(names, row, strict=True)) for row in zip(*(columns[name] for name in names), strict=True)]


def unrelated_problem(problem: SearchProblem, seed: int) -> SearchProblem:
    """Another function on the same space: a bowl along every number, a number drawn for every choice."""
    rng = np.random.default_rng([seed, len(problem.space)])
    space = problem.space
    centre, weight, worth = rng.random(len(space)), rng.random(len(space)), rng.random((len(space), 64))

    def value(config: Mapping[str, Value]) -> float:
        total = 0.0
        for j, (name, distribution) in enumerate(space.distributions.items()):
            if name in config:
                unit = distribution.to_unit(config[name])
                choice = isinstance(distribution, CategoricalDistribution)
                total += weight[j] * (worth[j, int(unit * 64)] if choice else (unit - centre[j]) ** 2)
        return -float(total)

    return SearchProblem(space, value, problem.values)
