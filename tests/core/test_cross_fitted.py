"""Cross-fitting against refitting by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior
from foretell.surrogates import SURROGATES, CrossFitted, ExtraTrees, GaussianProcess, RandomForest, Surrogate

INNER = [GaussianProcess(), ExtraTrees(n_trees=5), RandomForest(5)]
EACH = pytest.mark.parametrize("inner", INNER, ids=lambda s: s.name)
G = ("a", "a", "b")


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(seed).standard_normal((n, 3))
    return X, np.sin(X[:, 0]) + 0.3 * X[:, 1]


@dataclass(frozen=True)
class Mean:
    """Predicts the mean of what it saw, and remembers which targets these were."""

    name = "mean"
    fits: list[list[float]] = field(default_factory=list)

    def fit(self, X: np.ndarray, y: np.ndarray, groups: Sequence[str]) -> FittedMean:
        self.fits.append(y.tolist())
        return FittedMean(float(y.mean()), 1.0 + len(y))


@dataclass(frozen=True)
class FittedMean:
    value: float
    std: float

    def predict(self, X: np.ndarray) -> GaussianPosterior:
        return GaussianPosterior(np.full(len(X), self.value), np.full(len(X), self.std))


@given(n=st.integers(2, 40), folds=st.integers(2, 12), seed=st.integers(0, 99))
def test_each_observation_is_left_out_once_in_folds_of_equal_size(n: int, folds: int, seed: int) -> None:
    inner, y = Mean(), np.arange(float(n))
    fitted = CrossFitted(inner, folds, seed).fit(np.zeros((n, 3)), y, G)  # type: ignore[arg-type]
    left_out = [sorted(set(y.tolist()) - set(seen)) for seen in inner.fits]
    assert sorted(i for part in left_out for i in part) == y.tolist()
    assert len(left_out) == min(folds, n)
    assert max(map(len, left_out)) - min(map(len, left_out)) <= 1
    for part, seen in zip(left_out, inner.fits, strict=True):
        for i in map(int, part):
            assert fitted.leave_one_out().mean[i] == pytest.approx(np.mean(seen))
            assert fitted.leave_one_out().std[i] == 1.0 + len(seen)


@EACH
def test_as_many_folds_as_observations_are_leaving_each_one_out(inner: Surrogate) -> None:
    X, y = data(9)
    found = CrossFitted(inner, 99).fit(X, y, G).leave_one_out()
    for i in range(9):
        others = np.arange(9) != i
        expected = inner.fit(X[others], y[others], G).predict(X[[i]])
        assert found.mean[i] == pytest.approx(expected.mean[0], abs=1e-12)
        assert found.std[i] == pytest.approx(expected.std[0], abs=1e-12)


@EACH
def test_left_out_predictions_equal_refitting_without_the_fold(inner: Surrogate) -> None:
    X, y = data(31)
    probe = Mean()
    CrossFitted(probe, 4, 3).fit(X, y, G)  # type: ignore[arg-type]
    fitted = CrossFitted(inner, 4, 3).fit(X, y, G)
    new, _ = data(6, seed=1)
    answers = []
    for seen in probe.fits:
        known = np.isin(y, seen)
        member = inner.fit(X[known], y[known], G)
        np.testing.assert_allclose(fitted.left_out_mean[~known], member.predict(X[~known]).mean, atol=1e-12)
        np.testing.assert_allclose(fitted.left_out_std[~known], member.predict(X[~known]).std, atol=1e-12)
        answers.append(member.predict(new))
    squares = np.mean([p.std**2 + p.mean**2 for p in answers], axis=0)  # second moment of the mixture
    mean = np.mean([p.mean for p in answers], axis=0)
    np.testing.assert_allclose(fitted.predict(new).mean, mean, atol=1e-12)
    np.testing.assert_allclose(fitted.predict(new).std, np.sqrt(squares - mean**2), atol=1e-9)


def test_what_is_left_out_does_not_count_for_its_own_answer() -> None:
    X, y = data(20)
    other = y.copy()
    other[7] += 50.0
    a, b = (CrossFitted(ExtraTrees(n_trees=5), 5).fit(X, target, G).left_out_mean for target in (y, other))
    assert a[7] == b[7]
    assert not np.array_equal(a, b)


@EACH
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("constant", [True, False])
def test_few_and_constant_targets(inner: Surrogate, n: int, constant: bool) -> None:
    X, y = data(n)
    y = np.full(n, 0.25) if constant else y
    fitted = CrossFitted(inner).fit(X, y, G)
    assert len(fitted.members) == n
    for posterior, rows in ((fitted.predict(data(4, 1)[0]), 4), (fitted.leave_one_out(), n)):
        assert posterior.mean.shape == (rows,)
        assert np.isfinite(posterior.mean).all()
    if constant:
        assert fitted.predict(X).mean == pytest.approx(y)
    if n == 1:
        assert (fitted.left_out_mean.tolist(), fitted.left_out_std.tolist()) == ([0.0], [1.0])  # nothing is known


@EACH
def test_arrays_and_settings_round_trip(inner: Surrogate) -> None:
    X, y = data(25)
    surrogate = CrossFitted(inner, 11, 5)
    fitted = surrogate.fit(X, y, G)
    rebuilt = SURROGATES.make(surrogate.name, json.loads(json.dumps(surrogate.to_config())))
    assert rebuilt == surrogate
    again = rebuilt.from_arrays({k: a.copy() for k, a in fitted.to_arrays().items()})
    np.testing.assert_array_equal(again.predict(X).mean, fitted.predict(X).mean)
    np.testing.assert_array_equal(again.predict(X).std, fitted.predict(X).std)
    np.testing.assert_array_equal(again.leave_one_out().mean, fitted.leave_one_out().mean)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(again.leave_one_out().std, fitted.leave_one_out().std)  # type: ignore[attr-defined]


@pytest.mark.parametrize("folds", [1, 0, -3])
def test_fewer_than_two_folds_are_refused(folds: int) -> None:
    with pytest.raises(InvalidDataError, match=rf"`folds >= 2` must hold, but got self.folds={folds}: the default is"):
        CrossFitted(GaussianProcess(), folds)


@pytest.mark.parametrize("forest", [ExtraTrees(n_trees=5), RandomForest(7)], ids=lambda s: s.name)
def test_forests_walked_together_say_what_each_says(forest: Surrogate) -> None:
    """A few rows take one walk through all trees, many rows one forest after the other."""
    fitted = CrossFitted(forest, folds=4).fit(*data(40), G)
    X, _ = data(600, seed=1)
    together, apart = fitted.predict(X[:3]), fitted.predict(X)
    assert fitted._forest is not None
    np.testing.assert_allclose(together.mean, apart.mean[:3], rtol=1e-12)
    np.testing.assert_allclose(together.std, apart.std[:3], rtol=1e-12)


def test_members_that_are_no_forests_are_not_joined() -> None:
    assert CrossFitted(GaussianProcess(), folds=3).fit(*data(12), G)._forest is None
