"""Laws of the best settings, learnt from small runs."""

import itertools
import math
from functools import lru_cache

import numpy as np
import pytest

from foretell.errors import InvalidDataError
from foretell.scale import PowerLaw, ScaledRun, ScalingSurrogate
from foretell.scale.scaling_surrogate import FittedScaling

LR, BATCH = (2.0, -0.6, 0.3), (0.5, 0.0, 0.5)  # constant and exponents of N and D


def _optimum(n: float, d: float) -> tuple[float, float]:
    return tuple(c * n**a * d**b for c, a, b in (LR, BATCH))  # type: ignore[return-value]


def _loss(n: float, d: float, lr: float, batch: float) -> float:
    best: float = 1.7 + 4 * n**-0.3 + 4 * d**-0.3
    a, b = (math.log(x / x0) for x, x0 in zip((lr, batch), _optimum(n, d), strict=True))
    found: float = best * (1 + 0.015 * (math.exp(a) - 1 - a) + 0.01 * b * b - 0.006 * a * b)
    return found


def _runs() -> list[ScaledRun]:
    rng = np.random.default_rng(0)
    found = []
    for n, d in itertools.product((1e4, 4e4), (1e6, 4e6, 1.6e7)):
        for _ in range(6):
            lr, batch = (x * math.exp(rng.uniform(-1.5, 1.5)) for x in _optimum(n, d))
            loss = _loss(n, d, lr, batch) * math.exp(0.0005 * rng.standard_normal())
            found.append(ScaledRun({"N": n, "D": d}, {"lr": lr, "batch": batch}, loss))
    return found


@lru_cache(maxsize=1)
def _fitted() -> FittedScaling:
    expected = {("lr", "N"): -0.5, ("batch", "D"): 0.4}
    return ScalingSurrogate(("N", "D"), ("lr", "batch"), expected).fit(_runs())


def test_exponents_are_recovered_within_their_intervals() -> None:
    for setting, (_, a, b) in (("lr", LR), ("batch", BATCH)):
        law = _fitted().law(setting)
        for name, true in (("N", a), ("D", b)):
            middle, low, high = law.exponents[name]
            assert low <= true <= high
            assert middle == pytest.approx(true, abs=0.15)


def test_a_run_sixteen_times_larger_gets_settings_near_the_best() -> None:
    n, d = 6.4e5, 2.56e8
    advice = _fitted().recommend({"N": n, "D": d})
    best, reached = (_loss(n, d, lr, batch) for lr, batch in (_optimum(n, d), advice.settings.values()))
    assert reached / best - 1 < 0.006
    assert advice.excess[0] <= reached / best - 1 <= advice.excess[1] + 1e-3
    assert advice.loss[0] <= reached <= advice.loss[1]
    for name, true in zip(("lr", "batch"), _optimum(n, d), strict=True):
        low, high = advice.optimum[name]
        assert low <= true <= high
        assert low <= high


def _line(unit: float = 1.0) -> list[ScaledRun]:
    """One scale, one setting: the best is 2 / sqrt(N)."""
    return [
        ScaledRun({"N": n}, {"lr": lr * unit}, 3 * n**-0.1 * (1 + 0.02 * math.log(lr * n**0.5 / 2) ** 2))
        for n in (1.0, 2.0, 4.0, 8.0)
        for lr in (0.3, 1.0, 3.0)
    ]


def test_the_unit_of_a_setting_makes_no_difference() -> None:
    one, other = (ScalingSurrogate(("N",), ("lr",)).fit(_line(unit)).law("lr") for unit in (1.0, 1000.0))
    assert other.at({"N": 64.0}) == pytest.approx(1000 * one.at({"N": 64.0}), rel=0.05)
    assert other.exponents["N"][0] == pytest.approx(one.exponents["N"][0], abs=0.01)
    assert one.exponents["N"][0] == pytest.approx(-0.5, abs=0.05)


def test_larger_steps_beyond_what_was_seen_are_less_certain() -> None:
    widths = [math.log(high / low) for n in (1e5, 1e7) for low, high in [_fitted().recommend({"N": n, "D": 1e7}).loss]]
    assert widths == sorted(widths)


def test_only_what_is_offered_is_recommended() -> None:
    among = [{"lr": 0.4, "batch": 900.0}, {"lr": 2.0, "batch": 300.0}]
    advice = _fitted().recommend({"N": 2e4, "D": 4e6}, among)
    true = min(among, key=lambda c: _loss(2e4, 4e6, c["lr"], c["batch"]))
    assert dict(advice.settings) == pytest.approx(true)


def test_beliefs_cover_runs_that_were_not_seen() -> None:
    rng = np.random.default_rng(1)
    held = []
    for n, d in ((8e4, 6.4e7), (1.6e5, 6.4e7), (3e4, 2e6)):
        for _ in range(5):
            lr, batch = (x * math.exp(rng.uniform(-1, 1)) for x in _optimum(n, d))
            held.append(ScaledRun({"N": n, "D": d}, {"lr": lr, "batch": batch}, _loss(n, d, lr, batch)))
    belief, truth = _fitted().predict(held), np.log([run.loss for run in held])
    assert np.mean((truth >= belief.quantile(0.05)) & (truth <= belief.quantile(0.95))) >= 0.8
    assert np.abs(belief.mean - truth).max() < 0.05


def test_runs_that_diverged_say_nothing_and_the_answer_is_always_the_same() -> None:
    surrogate = ScalingSurrogate(("N",), ("lr",))
    lost = [ScaledRun({"N": 1.0}, {"lr": 50.0}, loss) for loss in (math.inf, math.nan)]
    assert str(surrogate.fit([*_line(), *lost]).law("lr")) == str(surrogate.fit(_line()).law("lr"))


def test_a_law_is_read_and_asked() -> None:
    law = PowerLaw("lr", 3.0, {"N": (-0.5, -0.6, -0.4)})
    assert law.at({"N": 9.0}) == pytest.approx(1.0)
    assert str(law) == "lr* = 3 N^-0.50 [-0.60, -0.40]"
    fitted = _fitted()
    near = fitted.recommend({"N": 2e4, "D": 4e6}).optimum["lr"]
    assert near[0] <= fitted.law("lr").at({"N": 2e4, "D": 4e6}) <= near[1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScaledRun({"N": 0.0}, {"lr": 1.0}, 1.0), "positive and finite"),
        (lambda: ScaledRun({"N": 1.0}, {"lr": math.inf}, 1.0), "positive and finite"),
        (lambda: ScaledRun({"N": 1.0}, {"lr": 1.0}, -1.0), "loss must be positive"),
        (lambda: ScalingSurrogate((), ("lr",)), "a scale and a setting at least"),
        (lambda: ScalingSurrogate(("N",), ("lr",), {("lr", "D"): 1.0}), "a scale and a setting at least"),
        (lambda: ScalingSurrogate(("N",), ("lr",), doubt=0.0), "doubt > 0"),
        (lambda: ScalingSurrogate(("N",), ("lr",)).fit([ScaledRun({"N": 1}, {"lr": 1}, 1.0)] * 7), "8 runs"),
        (lambda: ScalingSurrogate(("N", "M"), ("lr",)).fit([ScaledRun({"N": 1}, {"lr": 1}, 1.0)] * 8), "lacks"),
        (lambda: _fitted().law("momentum"), "a law is of a setting"),
        (lambda: _fitted().recommend({"N": 1e5, "D": 1e7}, []), "choose from"),
        (lambda: _fitted().recommend({"N": 1e5}), "lacks"),
    ],
)  # fmt: skip
def test_mistakes_are_named(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(InvalidDataError, match=message):
        make()
