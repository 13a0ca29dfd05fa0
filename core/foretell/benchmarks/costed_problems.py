"""Problems whose configurations take different amounts of time or arithmetic, as their tables say.

FCNet (Klein and Hutter, 2019): seconds of training. Translation (Zhang and Duh, 2020): parameters times updates, to
which the arithmetic of training is proportional; how many updates a system took until it got no better is not known
beforehand. Step Law (Li et al., 2025): learning rate, batch size and amount of data for a model of one size; six times
parameters times tokens, known exactly beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.search_spaces.nearest_problem import nearest_problem
from foretell.benchmarks.search_spaces.nmt import nmt
from foretell.benchmarks.search_spaces.problems import load_problem
from foretell.benchmarks.tables import read_parquet
from foretell.distributions import FloatDistribution, IntDistribution
from foretell.errors import InvalidDataError
from foretell.search_space import SearchSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from jaxtyping import Float

    from foretell.benchmarks.search_spaces.problem import SearchProblem
    from foretell.distributions import Value

TUNED: tuple[tuple[str, str], ...] = (
    ("fcnet", "protein_structure"), ("nmt", "sw-en"), ("steplaw-data", "0.21"), ("steplaw-data", "0.54"),
)  # fmt: skip
"""Family and task of the problems on which samplers may be tuned."""
REPORTED: tuple[tuple[str, str], ...] = (
    ("fcnet", "naval_propulsion"), ("nmt", "en-ja"), ("nmt", "ru-en"), ("steplaw-data", "0.27"),
    ("steplaw-data", "0.43"),
)  # fmt: skip
"""Family and task of the problems on which they are reported."""
_SEEDS = 4


@dataclass(frozen=True, eq=False)
class CostedProblem:
    """A search problem in which an evaluation has a cost.

    Args:
        problem: The space and its values.
        cost: From a configuration to what it costs, above 0; the median of the table where that has a gap.
        mean: Mean cost over the table, the unit in which budgets are counted.
        exact: Whether the cost is known before the evaluation.

    Raises:
        InvalidDataError: If the mean is not above 0.
    """

    problem: SearchProblem
    cost: Callable[[Mapping[str, Value]], float]
    mean: float
    exact: bool

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mean) and self.mean > 0):
            msg = f"costs must have a mean above 0, but got {self.mean}: give what an evaluation takes"
            raise InvalidDataError(msg)

    def shares(
        self, values: Sequence[float], costs: Sequence[float], budgets: Sequence[float]
    ) -> list[tuple[int, float]]:
        """How many trials end within each budget, and the percentage of all configurations better than their best.

        Args:
            values: Of the trials in their order, larger is better.
            costs: Likewise.
            budgets: In units of the mean cost; where not one trial ends within, all configurations are better.
        """
        spent = np.cumsum(np.asarray(costs, dtype=np.float64)) / self.mean
        counts = [int((spent <= budget).sum()) for budget in budgets]
        return [(k, 100 * (self.problem.share_better(max(values[:k])) if k else 1.0)) for k in counts]


@lru_cache(maxsize=2)
def load_costed(family: str, task: str) -> CostedProblem:
    """The problem of a family and a task.

    Raises:
        InvalidDataError: If its table is not there.
    """
    return {"fcnet": _fcnet, "nmt": _nmt, "steplaw-data": _steplaw}[family](task)


def _fcnet(task: str) -> CostedProblem:
    columns = read_parquet(f"fcnet/{task}.parquet")
    seconds = np.mean([columns[f"runtime_s_seed{seed}"] for seed in range(_SEEDS)], axis=0)
    return _costed(load_problem("fcnet", task), columns, seconds, exact=False)


def _nmt(task: str) -> CostedProblem:
    columns = read_parquet("nmt/nmt.parquet")
    rows = [i for i, name in enumerate(columns["corpus"]) if name == task]
    problem = nmt(task)
    parameters = {name: [columns[name][i] for i in rows] for name in problem.space.names}
    work = np.array([float(columns["num_param"][i]) * float(columns["num_updates"][i]) for i in rows])
    return _costed(problem, parameters, work, exact=False)


def _steplaw(task: str) -> CostedProblem:
    columns = read_parquet("steplaw/dense_lr_bs_loss.parquet")
    rows = [i for i, n in enumerate(columns["N"]) if f"{n / 1e9:.2g}" == task]
    tokens = [float(d) for d in sorted({columns["D"][i] for i in rows})]
    space = SearchSpace(
        {
            "data": IntDistribution(0, len(tokens) - 1),
            "lr": FloatDistribution(min(columns["lr"]), max(columns["lr"]), log=True),
            "bs": IntDistribution(16, 2048, log=True),
        }
    )
    configs = [
        {"data": tokens.index(columns["D"][i]), "lr": float(columns["lr"][i]), "bs": int(columns["bs"][i])}
        for i in rows
    ]
    problem = nearest_problem(space, configs, -np.array([columns["smooth loss"][i] for i in rows]))
    size = float(columns["N"][rows[0]])

    def cost(config: Mapping[str, Value]) -> float:
        return 6.0 * size * tokens[int(config["data"])]  # type: ignore[arg-type]

    return CostedProblem(problem, cost, float(np.mean([cost(c) for c in configs])), exact=True)


def _costed(
    problem: SearchProblem, columns: Mapping[str, Sequence[Any]], costs: Float[np.ndarray, " n"], *, exact: bool
) -> CostedProblem:
    """A grid's problem with a cost a row of its table."""
    names = problem.space.names
    levels = {name: np.unique(np.asarray(columns[name]), return_inverse=True) for name in names}
    whole = {name: not isinstance(found[0], str) for name, (found, _) in levels.items()}
    known: dict[tuple[Value, ...], list[float]] = {}
    for i, value in enumerate(costs.tolist()):
        key = tuple(int(at[i]) if whole[name] else str(found[at[i]]) for name, (found, at) in levels.items())
        known.setdefault(key, []).append(value)
    table = {key: float(np.mean(values)) for key, values in known.items()}
    usual = float(np.median(costs))

    def cost(config: Mapping[str, Value]) -> float:
        return table.get(tuple(config[name] for name in names), usual)

    return CostedProblem(problem, cost, float(np.mean(list(table.values()))), exact)
