"""Encoders of what was measured: learning curves and numbers known before training."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.candidate import Candidate
from foretell.encoders import ENCODERS, ColumnScaler, LearningCurve, Measurements
from foretell.errors import InvalidDataError
from foretell.predictor import Predictor

VALUES = st.floats(-1e6, 1e6)


def columns(curve: list[tuple[float, float]], points: int = 8) -> dict[str, float]:
    encoding = LearningCurve(points).encode([Candidate(curve=tuple(curve))])
    return dict(zip(encoding.names, encoding.values[0].tolist(), strict=True))


@pytest.mark.parametrize("encoder", [LearningCurve(5), Measurements(("synflow", "naswot"))], ids=lambda e: e.name)
def test_settings_survive_json_and_a_bare_candidate_is_absent(encoder: LearningCurve | Measurements) -> None:
    assert ENCODERS.make(encoder.name, json.loads(json.dumps(encoder.to_config()))) == encoder
    encoding = encoder.encode([Candidate(), Candidate()])
    assert np.isnan(encoding.values).all()
    assert encoding.values.shape == (2, len(encoding.names))
    assert encoder.encode([]).values.shape == (0, len(encoding.names))
    assert len(set(encoding.names)) == len(encoding.groups) == len(encoding.scaled)


# learning curves


def test_a_curve_by_hand() -> None:
    c = columns([(0, 0.2), (2, 0.6), (3, math.nan), (4, 0.5)], points=5)
    expected = {
        "y0": 0.2, "y1": 0.4, "y2": 0.6, "y3": 0.55, "y4": 0.5, "dy0": 0.2, "dy3": -0.05, "ddy0": 0.0, "ddy1": -0.25,
        "last": 0.5, "best": 0.6, "mean": 1.3 / 3, "std": math.sqrt(26) / 30, "slope": 0.3,
        "late_slope": -0.2, "best_at": 0.5, "lost": 0.25, "log_points": math.log10(4),
        "log_steps": math.log10(5),
    }  # fmt: skip
    assert {k: c[k] for k in expected} == pytest.approx(expected)
    assert len(c) == 5 + 4 + 3 + 8 + 2


@given(VALUES, VALUES, st.integers(2, 40), st.integers(3, 12))
@settings(max_examples=60, deadline=None)
def test_straight_lines_of_any_length_differ_only_in_length_and_spread(a: float, b: float, n: int, points: int) -> None:
    c = columns([(t / (n - 1), a + b * t / (n - 1)) for t in range(n)], points)
    near = pytest.approx
    tolerance = 1e-8 * (1 + abs(a) + abs(b))
    assert [c[f"y{i}"] for i in range(points)] == near([a + b * i / (points - 1) for i in range(points)], abs=tolerance)
    assert [c[f"dy{i}"] for i in range(points - 1)] == near([b / (points - 1)] * (points - 1), abs=tolerance)
    assert [c[f"ddy{i}"] for i in range(points - 2)] == near([0.0] * (points - 2), abs=tolerance)
    assert c["slope"] == near(b, abs=tolerance)
    assert c["late_slope"] == near(b if n > 2 else 0.0, abs=1e-6 * (1 + abs(a) + abs(b)))


@given(st.lists(st.tuples(st.floats(0.01, 1e4), st.floats(allow_nan=True)), min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_columns_are_finite_where_a_point_is(points: list[tuple[float, float]]) -> None:
    steps = np.cumsum([max(1e-2, t) for t, _ in points]).tolist()
    curve = [(t, y) for t, (_, y) in zip(steps, points, strict=True)]
    found = list(columns(curve).values())
    usable = any(abs(y) <= 1e100 for _, y in curve)
    assert all(map(math.isfinite, found)) == usable
    assert all(map(math.isnan, found)) != usable


def test_one_point_has_no_slope() -> None:
    c = columns([(3, 0.4)])
    assert {c[k] for k in ("last", "best", "mean", "y0", "y7")} == {0.4}
    assert {c[k] for k in ("dy0", "ddy0", "std", "slope", "late_slope", "best_at", "lost")} == {0.0}


def test_a_curve_predicts_where_it_ends() -> None:
    """Saturating curves of random height and speed, seen to a third: better than the last value seen."""
    rng = np.random.default_rng(0)
    top, speed = rng.uniform(0.5, 1.0, 80), rng.uniform(0.05, 0.4, 80)
    seen = [tuple((t, h * (1 - math.exp(-s * t))) for t in range(1, 11)) for h, s in zip(top, speed, strict=True)]
    final = top * (1 - np.exp(-speed * 30))
    candidates = [Candidate(curve=curve) for curve in seen]
    predicted = Predictor((LearningCurve(),)).fit(candidates[:50], final[:50]).predict(candidates[50:]).mean
    error = np.abs(predicted - final[50:]).mean()
    assert error < 0.1 * np.abs(np.array([c[-1][1] for c in seen[50:]]) - final[50:]).mean()


def test_a_second_difference_needs_three_points() -> None:
    with pytest.raises(InvalidDataError, match=r"`points >= 3` must hold for a learning curve, but got self.points=2"):
        LearningCurve(2)


# measurements


def test_measurements_by_hand() -> None:
    encoder = Measurements(("synflow", "naswot"))
    given_ = [{"naswot": 0.0, "synflow": -1e20, "other": 5.0}, {"naswot": math.nan, "synflow": 0.1}]
    encoding = encoder.encode([Candidate(measured=m) for m in given_])
    expected = [[-math.log(2e20), 0.0], [math.asinh(0.1), math.nan]]
    np.testing.assert_allclose(encoding.values, expected)
    assert encoding.groups == encoding.names == ("synflow", "naswot")
    assert np.isfinite(ColumnScaler.fit(encoding).transform(encoding)).all()


def test_a_predictor_with_measurements_survives_saving(tmp_path) -> None:
    rng = np.random.default_rng(0)
    candidates = [Candidate(measured={"a": float(x), "b": float(10.0**x)}) for x in rng.uniform(0, 9, 30)]
    y = [c.measured["a"] for c in candidates]
    predictor = Predictor((Measurements(("a", "b")),)).fit(candidates[:20], y[:20])
    predictor.save(tmp_path)
    expected = predictor.predict(candidates[20:]).mean
    np.testing.assert_array_equal(Predictor.load(tmp_path).predict(candidates[20:]).mean, expected)
    assert np.corrcoef(expected, y[20:])[0, 1] > 0.95


@pytest.mark.parametrize("names", [(), ("a", "b", "a")])
def test_names_are_given_once(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidDataError, match=r"measurements need names that differ, but got \(.*: name each"):
        Measurements(names)
    assert Measurements("latency").names == ("latency",)
