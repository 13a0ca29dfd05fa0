"""`foretell bench limits`: accurate cells of NAS-Bench-201 within a latency, and whether any proposal is beyond.

`n` is the share in percent of all cells that a device's limit allows, by the table of HW-NAS-Bench. What counts is the
best test accuracy (CIFAR-10, 200 epochs) after k cells within the limit; `regret@k` is what it lacks to the best such
cell, in points. `violations` counts evaluated cells beyond the limit, of 60. Sampling by rejection asks again until a
proposal is within, at most 500 times; what was rejected costs nothing and is not learnt from. `tpe-constraints` is told
by how much a cell is beyond the limit, and its trials beyond it cost as much as others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import optuna

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.search_spaces.problems import load_problem
from foretell.benchmarks.tables import read_parquet
from foretell.capture import nasbench201
from foretell.limit import Limit
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.sampler import ForetellSampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.search_spaces.problem import SearchProblem

_TRIALS, _STEPS = 60, (20, 40, 60)
_DEVICES = ("edgegpu", "raspi4", "fpga")
_SHARES = (10, 50)
_REJECTED = 500
_NAMES = [f"edge{i}" for i in range(len(nasbench201.EDGES))]


@dataclass
class LimitsBench:
    """Regret within a limit, in points; smaller is better."""

    name: str = "limits"
    methods: Sequence[str] = ("foretell", "foretell+graph", "tpe-rejection", "random-rejection", "tpe-constraints")
    _latencies: dict[str, dict[tuple[int, ...], float]] = field(default_factory=dict)
    _problem: list[SearchProblem] = field(default_factory=list)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one device and one limit."""
        devices, shares = (_DEVICES[:1], _SHARES[:1]) if quick else (_DEVICES, _SHARES)
        return [Cell(m, "nasbench201", d, n, s) for s in range(seeds) for d in devices for n in shares for m in methods]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.task is not None
        assert cell.n is not None
        if not self._problem:
            self._problem.append(load_problem("nasbench201", "cifar10"))
        problem, latency = self._problem[0], self._latency(cell.task)
        at_most = sorted(latency.values())[len(latency) * cell.n // 100 - 1]
        with one_quiet_thread():
            tried = _run(cell, problem, lambda config: latency[_spec(config)], at_most)
        best = max(problem.value(_config(spec)) for spec, ms in latency.items() if ms <= at_most)
        found = {}
        for k in _STEPS:
            within = [problem.value(c) for c in tried[:k] if latency[_spec(c)] <= at_most]
            found[f"regret@{k}"] = best - max(within, default=0.0), "points"
        return found | {"violations": (float(sum(latency[_spec(c)] > at_most for c in tried)), "")}

    def _latency(self, device: str) -> dict[tuple[int, ...], float]:
        if device not in self._latencies:
            columns = read_parquet("hwnasbench201/hw_cifar10.parquet")
            of = zip(columns["net"], columns[f"{device}_latency"], strict=True)
            self._latencies[device] = {nasbench201.parse(_digits(net)): float(ms) for net, ms in of}
        return self._latencies[device]


def _digits(net: Any) -> list[int]:
    return [int(d) for d in (net.strip("()").split(",") if isinstance(net, str) else net)]


def _config(spec: Sequence[int]) -> dict[str, Any]:
    return {name: nasbench201.OPERATIONS[digit] for name, digit in zip(_NAMES, spec, strict=True)}


def _spec(config: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(nasbench201.OPERATIONS.index(config[name]) for name in _NAMES)


def _run(cell: Cell, problem: SearchProblem, latency: Any, at_most: float) -> list[dict[str, Any]]:
    """Configurations in the order in which they are evaluated."""
    space: dict[str, Any] = dict.fromkeys(_NAMES, optuna.distributions.CategoricalDistribution(nasbench201.OPERATIONS))
    rejects, limits = cell.method.endswith("-rejection"), [Limit(latency, at_most)]
    sampler: optuna.samplers.BaseSampler
    if cell.method.startswith("foretell"):
        graph = problem.graph if cell.method == "foretell+graph" else None
        sampler = ForetellSampler(seed=cell.seed, limits=limits, search_space=space, graph=graph)
    elif cell.method.startswith("tpe"):
        sampler = optuna.samplers.TPESampler(seed=cell.seed)
    else:
        sampler = optuna.samplers.RandomSampler(seed=cell.seed)
    study = optuna.create_study(sampler=sampler, direction="maximize")
    tried: list[dict[str, Any]] = []
    while len(tried) < _TRIALS:
        trial = study.ask(space)
        for _ in range(_REJECTED if rejects else 0):
            if latency(trial.params) <= at_most:
                break
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            trial = study.ask(space)
        if cell.method == "tpe-constraints":
            trial.set_constraint("latency", latency(trial.params) - at_most)
        study.tell(trial, problem.value(trial.params))
        tried.append(dict(trial.params))
    return tried
