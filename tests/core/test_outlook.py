"""What a study may still gain: by a second route, in all units, at both ends of a study, and beside what came."""

from __future__ import annotations

import math

import numpy as np
import pytest

from foretell import CategoricalDistribution, FloatDistribution, IntDistribution, SearchSpace
from foretell.encoders import ColumnScaler, Hyperparameters
from foretell.errors import InvalidDataError
from foretell.outlook import Outlook, hoped_gain, outlook
from foretell.surrogates import GaussianProcess
from foretell.target_warp import TargetWarp

BOWL = SearchSpace({"x": FloatDistribution(-3, 3), "y": FloatDistribution(-3, 3)})


def tried(space: SearchSpace, n: int, seed: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(n)]


def bowl(config: dict) -> float:
    return -((config["x"] - 1) ** 2) - (config["y"] + 1) ** 2


def test_of_one_proposal_it_is_the_expected_improvement() -> None:
    space = SearchSpace({"k": IntDistribution(0, 8)})
    configs = [{"k": k} for k in range(9) if k != 4]
    values = np.array([-((c["k"] - 4.4) ** 2) for c in configs])
    block = Hyperparameters(space)
    encoding, warp = block.encode_units(space.to_unit(configs)), TargetWarp.fit_top_linear(values)
    scaler = ColumnScaler.fit(encoding)
    process = GaussianProcess().fit(scaler.transform(encoding), warp.forward(values), scaler.groups)
    belief = process.predict_latent(scaler.transform(block.encode_units(space.to_unit([{"k": 4}]))))
    best = process.smoothed.max()
    z, weight = np.polynomial.hermite_e.hermegauss(200)
    reached = warp.inverse(np.maximum(belief.mean + belief.std * z, best)) - warp.inverse(np.array([best]))
    exact = float(weight @ reached / weight.sum())
    assert exact > 0
    assert hoped_gain(space, configs, values, 10, seed=0) == pytest.approx(exact, rel=0.15)  # 512 samples


def test_joint_predictions_agree_with_single_ones_and_with_conditioning() -> None:
    rng = np.random.default_rng(0)
    X, at = rng.random((20, 2)), rng.random((5, 2))
    process = GaussianProcess().fit(X, np.sin(5 * X[:, 0]) + X[:, 1], ("a", "b"))
    mean, covariance = process.predict_jointly(at)
    single = process.predict_latent(at)
    assert np.allclose(mean, single.mean)
    assert np.allclose(np.sqrt(np.diag(covariance)), single.std, atol=1e-5)
    noise = math.exp(process.theta[-1]) + 1e-8 * math.exp(process.theta[-2])
    told = process.condition(at[:1], mean[:1]).predict_latent(at[1:])
    left = np.diag(covariance)[1:] - covariance[0, 1:] ** 2 / (covariance[0, 0] + noise)
    assert np.allclose(told.std**2, left, atol=1e-6)


def test_units_do_not_matter() -> None:
    configs = tried(BOWL, 25)
    values = np.array([bowl(c) for c in configs])
    plain, other = outlook(BOWL, configs, values, 10), outlook(BOWL, configs, 1000 * values - 7, 10)
    assert other.gain == pytest.approx(1000 * plain.gain, rel=1e-3)
    assert other.progress == pytest.approx(1000 * plain.progress)
    assert other.share == pytest.approx(plain.share, rel=1e-3)


def test_a_used_up_space_has_no_outlook() -> None:
    space = SearchSpace({"a": CategoricalDistribution((1, 2, 3)), "b": CategoricalDistribution((False, True))})
    configs = [{"a": a, "b": b} for a in (1, 2, 3) for b in (False, True)]
    assert outlook(space, configs, np.arange(6.0), 10).gain == 0.0
    assert outlook(space, configs[:5], np.arange(5.0), 10).gain > 0.0


def test_it_falls_as_the_best_is_approached() -> None:
    far = tried(BOWL, 12)
    near = [*far, *({"x": 1 + dx, "y": -1 + dy} for dx in (-0.1, 0.0, 0.1) for dy in (-0.1, 0.0, 0.1))]
    first, then = (outlook(BOWL, c, np.array([bowl(k) for k in c]), 10) for c in (far, near))
    assert then.gain < 0.1 * first.gain
    assert then.progress > first.progress


def test_a_record_of_nothing_dampens_hope() -> None:
    """The same surrogate's hope, once after trials that gained as it hoped, once after many that gained nothing."""
    configs = tried(BOWL, 60)
    noise = np.random.default_rng(1).standard_normal(60)
    nothing = np.concatenate([np.sort(noise[:20])[::-1], noise[20:] - 3])  # the first was the best
    seen = outlook(BOWL, configs, nothing, 20)
    assert 0 < seen.gain < 0.12 * hoped_gain(BOWL, configs, nothing, 20, seed=0)


def test_hopes_come_true_about() -> None:
    """Sum over studies of what was foreseen of the next 15 random-and-local trials, beside what these gained."""
    foreseen, came = 0.0, 0.0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        centre = rng.uniform(-2, 2, 2)

        def value(c: dict, centre: np.ndarray = centre) -> float:
            return -((c["x"] - centre[0]) ** 2) - (c["y"] - centre[1]) ** 2

        configs = tried(BOWL, 12, seed)
        best = max(configs, key=value)
        later = [
            {k: float(np.clip(v + 0.7 * rng.standard_normal(), -3, 3)) for k, v in best.items()} for _ in range(15)
        ]
        values = np.array([value(c) for c in configs])
        foreseen += outlook(BOWL, configs, values, 15).gain
        came += max(0.0, max(map(value, later)) - values.max())
    assert 0.2 < foreseen / came < 5


def test_failed_and_infinite_values() -> None:
    configs = tried(BOWL, 12)
    values = np.array([bowl(c) for c in configs])
    values[3] = -np.inf
    assert math.isfinite(outlook(BOWL, configs, values, 5).gain)
    with pytest.raises(InvalidDataError, match="none nan"):
        outlook(BOWL, configs, np.where(values < -5, np.nan, values), 5)
    for wrong in ((configs[:3], values[:3], 5), (configs, values[:5], 5), (configs, values, 0)):
        with pytest.raises(InvalidDataError, match="an outlook needs"):
            outlook(BOWL, *wrong)


def test_share_at_the_ends() -> None:
    assert Outlook(0.0, 0.0).share == 0.0
    assert Outlook(1.0, 0.0).share == math.inf
    assert Outlook(1.0, 4.0).share == 0.25
