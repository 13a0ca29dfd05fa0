"""Latency on a new device: from few measurements and other devices, and which networks to measure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from foretell.benchmarks.device_latencies import DeviceLatencies
from foretell.benchmarks.runner import Cell
from foretell.distributions import CategoricalDistribution
from foretell.errors import InvalidDataError
from foretell.known_devices import KnownDevices, layout_of
from foretell.latency_predictor import LatencyPredictor
from foretell.limit import Limit
from foretell.metrics import spearman_rho
from foretell.search_space import SearchSpace
from foretell.surrogates.search_process import fit_theta, prior_covariance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.distributions import Value

OPS = ("skip", "pool", "conv1", "conv3")
SPACE = SearchSpace({f"op{i}": CategoricalDistribution(OPS) for i in range(6)})
Config = dict[str, "Value"]


def networks(n: int, seed: int = 0) -> list[Config]:
    rng = np.random.default_rng(seed)
    return [{name: OPS[rng.integers(4)] for name in SPACE.names} for _ in range(n)]


def device(*costs: float, base: float = 1.0, twist: float = 0.0) -> Callable[[Mapping[str, Value]], float]:
    """Milliseconds of a device on which each operator costs something, more in the middle by `twist`."""

    def milliseconds(config: Mapping[str, Value]) -> float:
        each = [costs[OPS.index(str(config[f"op{i}"]))] * (1.0 + twist * (i in (2, 3))) for i in range(6)]
        return base + sum(each)

    return milliseconds


def times(of: Callable[[Mapping[str, Value]], float], configs: Sequence[Config]) -> list[float]:
    return [of(c) for c in configs]


SLOW, FAST, NEW = (
    device(0.0, 1.0, 2.0, 6.0),
    device(0.1, 0.1, 0.4, 1.5, base=0.2),
    device(0.0, 2.0, 1.0, 9.0, twist=0.4),
)


def known(*devices: Callable[[Mapping[str, Value]], float]) -> KnownDevices:
    measured = {}
    for k, each in enumerate(devices):
        configs = networks(80, 10 + k)
        measured[f"device {k}"] = configs, times(each, configs)
    return KnownDevices.learn(SPACE, measured)


def agreement(predictor: LatencyPredictor, of: Callable[[Mapping[str, Value]], float]) -> float:
    asked = networks(300, 99)
    return spearman_rho(np.array(times(of, asked)), predictor.predict(asked).mean)


def test_other_devices_help_where_few_networks_were_measured() -> None:
    gains = []
    for seed in range(3):
        few = networks(5, seed)
        found = [LatencyPredictor.fit(d, few, times(NEW, few)) for d in (known(SLOW, FAST), known())]
        gains.append(agreement(found[0], NEW) - agreement(found[1], NEW))
    assert min(gains) > 0.0
    assert np.mean(gains) > 0.1


def test_devices_that_say_nothing_are_outvoted() -> None:
    rng = np.random.default_rng(0)
    configs = networks(80, 1)
    noise = KnownDevices.learn(SPACE, {"noise": (configs, np.exp(rng.standard_normal(80)).tolist())})
    some = networks(40, 2)
    heard, alone = (LatencyPredictor.fit(d, some, times(NEW, some)) for d in (noise, known()))
    assert agreement(heard, NEW) > agreement(alone, NEW) - 0.02
    assert agreement(alone, NEW) > 0.95
    assert sum(heard.weights) == pytest.approx(1.0)


def test_intervals_hold_most_and_widen_away_from_what_is_known() -> None:
    devices, candidates = known(SLOW, FAST), networks(200, 5)
    some = [candidates[i] for i in devices.worth_measuring(candidates, 20)]
    predictor = LatencyPredictor.fit(devices, some, times(NEW, some))
    belief, truth = predictor.predict(candidates), np.log(times(NEW, candidates))
    assert ((truth > belief.quantile(0.05)) & (truth < belief.quantile(0.95))).mean() > 0.85
    assert predictor.predict(some).std.mean() < belief.std.mean()
    sure = predictor.surely(0.95)
    assert all(sure(c) > predictor(c) for c in candidates[:10])
    assert predictor(candidates[0]) == pytest.approx(math.exp(belief.mean[0]))


@pytest.mark.parametrize("devices", [(), (SLOW, FAST)])
def test_each_network_chosen_leaves_least_variance(devices: tuple[Callable[[Mapping[str, Value]], float], ...]) -> None:
    """Second route: the remaining variance by conditioning on all of those chosen at once."""
    found, configs = known(*devices), networks(25, 3)
    chosen = found.worth_measuring(configs, 4)
    X, layout = found.columns(configs), layout_of(found.cube, len(found))
    own = np.mean(found.thetas, axis=0) if devices else fit_theta(X[:1], np.zeros(1), layout)
    K = prior_covariance(X - X.mean(axis=0), layout, np.append(own, math.log(0.3)) if devices else own)

    def left(rows: list[int]) -> float:
        inner = np.linalg.inv(K[np.ix_(rows, rows)] + 0.02 * np.eye(len(rows)))
        return float(np.trace(K - K[:, rows] @ inner @ K[rows]))

    for k in range(4):
        others = [i for i in range(25) if i not in chosen[:k]]
        best = min(others, key=lambda i: left([*chosen[:k], i]))
        assert left(chosen[: k + 1]) == pytest.approx(left([*chosen[:k], best]), rel=1e-9)


def test_a_limit_may_be_a_predictor() -> None:
    few = networks(8)
    predictor = LatencyPredictor.fit(known(SLOW), few, times(NEW, few))
    limit = Limit(predictor, at_most=predictor(few[0]) / 1.25)
    assert limit.excess(few[0], None) == pytest.approx(0.25)


def test_many_measurements_of_a_device_are_thinned() -> None:
    configs = networks(900)
    devices = KnownDevices.learn(SPACE, {"slow": (configs, times(SLOW, configs))})
    assert len(devices.processes[0].y) == 500
    assert devices.columns(configs[:3]).shape == (3, len(devices.cube.groups) + 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KnownDevices.learn(SPACE, {"x": (networks(5), [1.0] * 4)}), "device 'x' has 4 for 5"),
        (lambda: KnownDevices.learn(SPACE, {"x": (networks(5), [1.0] * 4 + [-1.0])}), r"among them \[-1.0\]"),
        (lambda: LatencyPredictor.fit(known(), networks(3), [1.0] * 3), "four or more"),
        (lambda: known().worth_measuring(networks(3), 4), "n=4 of 3"),
        (lambda: LatencyPredictor.fit(known(), networks(4), [1.0, 2.0, 3.0, 4.0]).surely(1.0), "0.95"),
    ],
)
def test_mistakes_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        make()


def test_the_bench_measures_a_real_device() -> None:
    pytest.importorskip("pyarrow")
    try:
        found = DeviceLatencies().measure(Cell("foretell-alone", "hwnasbench201", "fpga", 20, 0))
    except InvalidDataError as error:
        pytest.skip(str(error))
    assert found["rho"][0] > 0.5
    assert DeviceLatencies().cells(["flops"], 2, quick=True)[-1] == Cell("flops", "hwnasbench201", "edgegpu", 10, 1)
