"""`foretell bench latency`: suggestions beside Optuna's samplers, a fit beside scikit-learn, cell specs, the import.

Everything runs in this process on one thread. A suggestion is timed with all its parameters, in a study in memory whose
history is given, so that storage and objective cost nothing; the median of the suggestions from `n` finished trials on
is reported, and the mean too, since a sampler may do its work only now and then. One suggestion goes before, untimed.
In a busy study every third trial of the history was pruned, and four that never end are under way.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from foretell.benchmarks.cell_specs import FAMILIES, spec_milliseconds
from foretell.benchmarks.gp_fit import fit_milliseconds
from foretell.benchmarks.runner import Cell
from foretell_adapters.optuna.one_quiet_thread import one_quiet_thread
from foretell_adapters.optuna.sampler import ForetellSampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SUGGESTIONS = 20
_BUSY = "-busy"
_IMPORT = "import time, torch; start = time.perf_counter(); import foretell; print(time.perf_counter() - start)"


class Latency:
    """Milliseconds; smaller is better."""

    name = "latency"
    methods: Sequence[str] = ("foretell", "tpe", "random", "gp", "scikit-learn")

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; `gp` only at 100 trials, where a suggestion takes it a second."""
        sizes = [(10, 100)] if quick else [(d, n) for d in (10, 20, 30) for n in (100, 500, 1000)]
        samplers = [m for m in methods if m != "scikit-learn"]
        found = [
            Cell(m, f"suggest-{d}-mixed{busy}", None, n, s)
            for s in range(seeds)
            for d, n in sizes
            for busy in ("", _BUSY)
            for m in samplers
            if m != "gp" or (n == 100 and d == 10)
        ]
        fits = [m for m in methods if m in {"foretell", "scikit-learn"}]
        found += [Cell(m, "gp-fit-10-columns", None, 100, s) for s in range(seeds) for m in fits]
        if "foretell" in methods:
            found += [Cell("foretell", "import-beyond-torch", None, None, s) for s in range(seeds)]
            found += [Cell("foretell", f"spec-{f}", None, None, s) for s in range(seeds) for f in FAMILIES]
        return found

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        if cell.family.startswith("import"):
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            out = subprocess.run(
                [sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True, env=environment
            )
            return {"time": (1e3 * float(out.stdout), "ms")}
        if cell.family.startswith("spec"):
            return {"time": (spec_milliseconds(cell.family.removeprefix("spec-")), "ms")}
        assert cell.n is not None
        if cell.family.startswith("gp-fit"):
            return {"time": (fit_milliseconds(cell.method, cell.n, cell.seed), "ms")}
        running, pruned_every = (4, 3) if cell.family.endswith(_BUSY) else (0, 0)
        times = suggestion_seconds(
            sampler_of(cell.method, cell.seed),
            int(cell.family.split("-")[1]),
            cell.n,
            cell.seed,
            running=running,
            pruned_every=pruned_every,
        )
        return {
            "median": (1e3 * statistics.median(times), "ms"),
            "mean": (1e3 * statistics.mean(times), "ms"),
        }


def sampler_of(method: str, seed: int) -> optuna.samplers.BaseSampler:
    """A sampler with its default settings."""
    if method == "foretell":
        return ForetellSampler(seed=seed)
    kinds: dict[str, Any] = {
        "tpe": optuna.samplers.TPESampler,
        "gp": optuna.samplers.GPSampler,
        "random": optuna.samplers.RandomSampler,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        made: optuna.samplers.BaseSampler = kinds[method](seed=seed)
    return made


def mixed_space(d: int) -> dict[str, BaseDistribution]:
    """Half floats (every other one logarithmic), three tenths integers, two tenths choices."""
    space: dict[str, BaseDistribution] = {}
    for i in range(d):
        kind = i % 10
        if kind < 5:
            space[f"p{i}"] = FloatDistribution(1e-4, 1.0, log=kind % 2 == 0)
        elif kind < 8:
            space[f"p{i}"] = IntDistribution(1, 64, log=kind == 7)
        else:
            space[f"p{i}"] = CategoricalDistribution(("a", "b", "c", "d"))
    return space


def suggestion_seconds(
    sampler: optuna.samplers.BaseSampler, d: int, n: int, seed: int, *, running: int = 0, pruned_every: int = 0
) -> list[float]:
    """Seconds of each of 20 suggestions in a study that begins with n trials, each `pruned_every`-th of them pruned.

    Trials that are `running` were suggested after those, and never end.
    """
    with one_quiet_thread():
        space = mixed_space(d)
        history = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        history.optimize(lambda trial: value_of(asked(trial, space)), n_trials=n)
        study = optuna.create_study(sampler=sampler)
        for i, past in enumerate(history.get_trials(deepcopy=False)):
            if pruned_every and i % pruned_every == 0:
                past.state, past.intermediate_values = TrialState.PRUNED, {1: past.value or 0.0}
            study.add_trial(past)
        for _ in range(running):
            asked(study.ask(), space)
        times = []
        for _ in range(_SUGGESTIONS + 1):  # the first pays for imports and is left out, of every sampler
            trial = study.ask()
            start = time.perf_counter()
            params = asked(trial, space)
            times.append(time.perf_counter() - start)
            study.tell(trial, value_of(params))
        return times[1:]


def asked(trial: optuna.Trial, space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """The parameters of a trial."""
    return {name: trial._suggest(name, distribution) for name, distribution in space.items()}


def value_of(params: Mapping[str, Any]) -> float:
    """What an objective that costs nothing gives: smaller the nearer all numbers are to 0.3, and without "a"."""
    numbers = [float(v) / 64 if isinstance(v, int) else float(v) for v in params.values() if not isinstance(v, str)]
    return math.fsum((v - 0.3) ** 2 for v in numbers) + sum(1 for v in params.values() if v == "a")
