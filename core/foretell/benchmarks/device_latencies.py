"""`foretell bench devices`: latency of NAS-Bench-201's cells on a device of which few were measured.

Each device of HW-NAS-Bench is left out in turn. Of every other one 300 random cells are known; `n` cells are measured
on the new one, and 3,000 others predicted. `foretell` chooses the cells among 400 random ones; `foretell-random`
measures the first of these; `foretell-alone` the same without other devices; `flops` is a straight line through the
logarithms of FLOPs and of milliseconds. `rho` is Spearman's, `error` the mean relative error, `inside` the share of
latencies inside the 90 % interval. Under a limit that half of all cells keep, `beyond` is the share beyond it of those
predicted to keep it, `admitted` the share predicted so of those that do; `surely` the same with 95 % certainty. Cells
without a path from input to output, and those that a device has no latency of, are left out. Settings were chosen on
`CHOSEN`.
"""

from __future__ import annotations

import ast
import statistics
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.tables import read_parquet
from foretell.capture import nasbench201
from foretell.distributions import CategoricalDistribution
from foretell.known_devices import KnownDevices
from foretell.latency_predictor import LatencyPredictor
from foretell.metrics import spearman_rho
from foretell.search_space import SearchSpace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.benchmarks.runner import Measurement

DEVICES = ("edgegpu", "pixel3", "eyeriss", "raspi4", "edgetpu", "fpga")
CHOSEN = DEVICES[:3]
"""Devices on which settings were chosen; on the others they are reported."""
_SIZES = (10, 20, 50)
_KNOWN, _POOL, _TESTED = 300, 400, 3000
SPACE = SearchSpace(
    {f"edge{i}": CategoricalDistribution(nasbench201.OPERATIONS) for i in range(len(nasbench201.EDGES))}
)


@dataclass
class DeviceLatencies:
    """Errors of predicted latencies."""

    name: str = "devices"
    methods: Sequence[str] = ("foretell", "foretell-random", "foretell-alone", "flops")
    _known: dict[tuple[str, int], KnownDevices] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one device and ten measurements."""
        devices, sizes = (DEVICES[:1], _SIZES[:1]) if quick else (DEVICES, _SIZES)
        return [
            Cell(m, "hwnasbench201", d, n, s) for d in devices for s in range(seeds) for n in sizes for m in methods
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.task is not None
        assert cell.n is not None
        specs, latency = _measured(cell.task)
        order = np.random.default_rng([cell.seed, DEVICES.index(cell.task)]).permutation(len(specs))
        pool, tested = order[:_POOL], order[_POOL : _POOL + _TESTED]
        if cell.method == "flops":
            known, asked = (np.log([_flops(specs[i]) for i in rows]) for rows in (pool[: cell.n], tested))
            slope, base = np.polyfit(known, np.log(latency[pool[: cell.n]]), 1)
            return _scores(latency[tested], base + slope * asked)
        devices = self._devices("" if cell.method == "foretell-alone" else cell.task, cell.seed)
        rows = pool[: cell.n]
        if cell.method == "foretell":
            rows = pool[devices.worth_measuring([_config(specs[i]) for i in pool], cell.n)]
        fitted = LatencyPredictor.fit(devices, [_config(specs[i]) for i in rows], latency[rows].tolist())
        belief = fitted.predict([_config(specs[i]) for i in tested])
        low, high = belief.quantile(0.05), belief.quantile(0.95)
        y = np.log(latency[tested])
        inside = float(((y >= low) & (y <= high)).mean())
        limits = {}
        for name, share in (("", 0.5), ("surely ", 0.95)):
            let, kept = belief.quantile(share) <= np.log(np.median(latency)), latency[tested] <= np.median(latency)
            limits[f"{name}beyond"] = 100 * float((~kept[let]).mean()) if let.any() else 0.0, "%"
            limits[f"{name}admitted"] = 100 * float(let[kept].mean()), "%"
        return _scores(latency[tested], belief.mean) | {"inside": (100 * inside, "%")} | limits

    def _devices(self, new: str, seed: int) -> KnownDevices:
        """What is known of all devices but one; of none for the empty name."""
        if (new, seed) not in self._known:
            measured = {}
            for device in DEVICES if new else ():
                if device != new:
                    specs, latency = _measured(device)
                    rng = np.random.default_rng([seed, DEVICES.index(device), 1])
                    rows = rng.choice(len(specs), _KNOWN, replace=False)
                    measured[device] = [_config(specs[i]) for i in rows], latency[rows].tolist()
            self._known[new, seed] = KnownDevices.learn(SPACE, measured)
        return self._known[new, seed]

    def average(self, values: Sequence[float]) -> float:
        """The mean."""
        return statistics.fmean(values)

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting`: mean over seeds, and over the devices on which nothing was chosen."""
        metrics = ("rho", "error", "inside", "beyond", "admitted", "surely beyond", "surely admitted")
        shown = ("device", "measured", "method", "rho", *(f"{m}, %" for m in metrics[1:]), "seeds")
        lines = [f"| {' | '.join(shown)} |", "|---" * len(shown) + "|"]
        groups = {**{d: (d,) for d in DEVICES}, "mean of the last three": DEVICES[len(CHOSEN) :]}
        for name, devices in groups.items():
            for n in _SIZES:
                for method in self.methods:
                    mine = [r for r in rows if r.task in devices and r.n == n and r.method == method]
                    found = [[r.value for r in mine if r.metric == metric] for metric in metrics]
                    if len({r.task for r in mine}) == len(devices):
                        means = [f"{statistics.fmean(v):.3g}" if v else "-" for v in found]
                        seeds = len({r.seed for r in mine})
                        lines.append(f"| {name} | {n} | {method} | {' | '.join(means)} | {seeds} |")
        return lines


def _scores(truth: Float[np.ndarray, " n"], guess: Float[np.ndarray, " n"]) -> dict[str, tuple[float, str]]:
    """Against predicted logarithms."""
    error = float(np.mean(np.abs(np.exp(guess) - truth) / truth))
    return {"rho": (spearman_rho(truth, guess), ""), "error": (100 * error, "%")}


@lru_cache(maxsize=len(DEVICES))
def _measured(device: str) -> tuple[list[tuple[int, ...]], Float[np.ndarray, " n"]]:
    columns = read_parquet("hwnasbench201/hw_cifar10.parquet")
    specs = [tuple(ast.literal_eval(net) if isinstance(net, str) else net) for net in columns["net"]]
    latency = np.array(columns[f"{device}_latency"], dtype=np.float64)
    rows = [i for i, spec in enumerate(specs) if latency[i] > 0 and nasbench201.live_edges(spec)]
    return [specs[i] for i in rows], latency[rows]


def _config(spec: Sequence[int]) -> dict[str, str]:
    return {name: nasbench201.OPERATIONS[digit] for name, digit in zip(SPACE.names, spec, strict=True)}


@cache
def _flops(spec: tuple[int, ...]) -> float:
    return float(nasbench201.graph(spec).flops)
