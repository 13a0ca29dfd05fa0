"""Stacks: weights by formula, mixtures by moments, members that mislead, checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.encoders import GraphStatistics, OfCells, OperatorStatistics
from foretell.errors import InvalidDataError
from foretell.metrics import kendall_tau
from foretell.posterior import GaussianPosterior
from foretell.predictor import Predictor
from foretell.surrogates import (
    SURROGATES,
    CrossFitted,
    ExtraTrees,
    GaussianProcess,
    OnGroups,
    RandomForest,
    Stack,
    Surrogate,
)
from foretell.surrogates.stack import FittedStack

GROUPS = ("signal", "signal", "noise", "noise", "noise")
GP = GaussianProcess()
TREES = CrossFitted(ExtraTrees(n_trees=5), 4)
MEMBERS = (OnGroups(GP, ("signal",)), OnGroups(GP, ("noise",)), TREES)


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A target of the first two columns, and three columns of noise."""
    X = np.random.default_rng(seed).standard_normal((n, 5))
    return X, np.tanh(X[:, 0]) + 0.5 * np.sin(2 * X[:, 1])


@pytest.mark.parametrize("temperature", [0.05, 0.3, 1e3])
@pytest.mark.parametrize("n", [2, 12, 50])
def test_weights_are_a_softmax_of_left_out_agreement_drawn_towards_equal_ones(n: int, temperature: float) -> None:
    X, y = data(n)
    taus = [stats.kendalltau(y, m.fit(X, y, GROUPS).leave_one_out().mean).statistic for m in MEMBERS]  # type: ignore[attr-defined]
    expected = (n * special.softmax(np.array(taus) / temperature) + 10 / 3) / (n + 10)
    fitted = Stack(MEMBERS, temperature).fit(X, y, GROUPS)
    np.testing.assert_allclose(fitted.weights, expected, rtol=1e-12)
    assert fitted.weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("count", [0.0, 3.0, 40.0])
def test_prior_weights_count_as_so_many_observations(count: float) -> None:
    X, y = data(20)
    prior = (0.0, 0.25, 0.75)
    earned = Stack(MEMBERS, 0.2, prior_count=0.0).fit(X, y, GROUPS).weights
    fitted = Stack(MEMBERS, 0.2, prior, count).fit(X, y, GROUPS)
    np.testing.assert_allclose(fitted.weights, (20 * earned + count * np.array(prior)) / (20 + count), rtol=1e-12)


@pytest.mark.parametrize(
    ("prior", "count"), [((0.5, 0.5), 10.0), ((0.5, 0.6, 0.1), 1.0), ((1.5, -0.5, 0.0), 1.0), ((), -1.0)]
)
def test_impossible_prior_weights_are_refused(prior: tuple[float, ...], count: float) -> None:
    with pytest.raises(InvalidDataError, match="prior weights must be one a member, none below 0, and sum to 1"):
        Stack(MEMBERS, 0.2, prior, count)


def test_a_useless_member_is_outvoted() -> None:
    X, y = data(60)
    fitted = Stack(MEMBERS[:2]).fit(X, y, GROUPS)
    assert fitted.weights[0] > 0.9
    new, truth = data(200, seed=1)
    alone = kendall_tau(truth, fitted.members[0].predict(new).mean)
    assert kendall_tau(truth, fitted.predict(new).mean) > alone - 0.05 > 0.6


def test_a_member_that_only_remembers_is_outvoted() -> None:
    """Trees on noise answer every observation that they saw; what counts is what they say of others."""
    X, y = data(60)
    memory = OnGroups(CrossFitted(ExtraTrees(n_trees=1), 5), ("noise",))
    whole = ExtraTrees(n_trees=1).fit(X[:, 2:], y, GROUPS[2:])
    assert kendall_tau(y, whole.predict(X[:, 2:]).mean) > 0.6
    assert Stack((memory, MEMBERS[0])).fit(X, y, GROUPS).weights[0] < 0.1


@given(st.integers(1, 4), st.integers(0, 10**6))
def test_the_mixture_has_the_moments_of_its_parts(members: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [GaussianPosterior(rng.standard_normal(3), rng.uniform(0.1, 2, 3)) for _ in range(members)]
    weights = rng.dirichlet(np.ones(members))

    class Part:
        def __init__(self, posterior: GaussianPosterior) -> None:
            self.posterior = posterior

        def predict(self, X: np.ndarray) -> GaussianPosterior:
            return self.posterior

        def leave_one_out(self) -> GaussianPosterior:
            return self.posterior

    mean = sum(w * p.mean for w, p in zip(weights, parts, strict=True))
    second = sum(w * (p.std**2 + p.mean**2) for w, p in zip(weights, parts, strict=True))
    fitted = FittedStack(tuple(Part(p) for p in parts), weights)  # type: ignore[arg-type]
    for found in (fitted.predict(np.zeros((3, 1))), fitted.leave_one_out()):
        np.testing.assert_allclose(found.mean, mean, atol=1e-12)
        np.testing.assert_allclose(found.std**2, second - mean**2, atol=1e-9)


def test_one_member_alone_is_itself() -> None:
    X, y = data(15)
    stacked, alone = Stack((GP,)).fit(X, y, GROUPS), GP.fit(X, y, GROUPS)
    assert stacked.weights.tolist() == [1.0]
    np.testing.assert_allclose(stacked.predict(X).mean, alone.predict(X).mean, atol=1e-12)
    np.testing.assert_allclose(stacked.leave_one_out().std, alone.leave_one_out().std, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("constant", [True, False])
def test_few_and_constant_targets(n: int, constant: bool) -> None:
    X, y = data(n)
    y = np.full(n, 0.5) if constant else y
    fitted = Stack((*MEMBERS, Stack((GP, TREES)))).fit(X, y, GROUPS)
    if constant or n == 1:
        np.testing.assert_allclose(fitted.weights, 0.25)
    for posterior in (fitted.predict(X), fitted.leave_one_out()):
        assert posterior.mean.shape == (n,)
        assert np.isfinite(posterior.mean).all()
    if constant:
        np.testing.assert_allclose(fitted.predict(X).mean, 0.5, atol=1e-9)


@pytest.mark.parametrize(
    ("member", "named"),
    [
        (ExtraTrees(n_trees=2), "extra_trees"), (RandomForest(2), "random_forest"),
        (OnGroups(ExtraTrees(n_trees=2), ("signal",)), "FittedForest"),
    ],
)  # fmt: skip
def test_members_that_cannot_leave_one_out_are_refused(member: Surrogate, named: str) -> None:
    message = f"must be able to leave one out, but {named} cannot: put it into CrossFitted"
    with pytest.raises(InvalidDataError, match=message):
        Stack((GP, member)).fit(*data(10), GROUPS)


@pytest.mark.parametrize(
    ("members", "temperature"), [((), 0.1), ((GP,), 0.0), ((GP,), -1.0), ((GP,), float("nan"))]
)  # fmt: skip
def test_impossible_stacks_are_refused(members: tuple[Surrogate, ...], temperature: float) -> None:
    with pytest.raises(
        InvalidDataError, match="a stack needs members and a positive temperature, but got self.members"
    ):
        Stack(members, temperature)


def test_arrays_and_settings_round_trip_with_more_than_ten_members() -> None:
    X, y = data(14)
    surrogate = Stack(
        (*[OnGroups(GaussianProcess(length_scale=1.0 + k), ("signal",)) for k in range(11)], TREES),
        0.3,
        (*[0.0] * 11, 1.0),
    )
    fitted = surrogate.fit(X, y, GROUPS)
    rebuilt = SURROGATES.make(surrogate.name, json.loads(json.dumps(surrogate.to_config())))
    assert rebuilt == surrogate
    again = rebuilt.from_arrays({k: a.copy() for k, a in fitted.to_arrays().items()})
    np.testing.assert_array_equal(again.predict(X).mean, fitted.predict(X).mean)
    np.testing.assert_array_equal(again.leave_one_out().std, fitted.leave_one_out().std)  # type: ignore[attr-defined]


def test_a_saved_predictor_with_a_stack_predicts_the_same_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    specs = [nasbench201.sample(rng) for _ in range(24)]
    items = [Candidate(nasbench201.graph(s), cells=nasbench201.cells(s)) for s in specs]
    cells = OfCells(OperatorStatistics(("counts", "soft")))
    members = (OnGroups(TREES, ("cell *",)), OnGroups(GP, ("sizes", "no such *")), CrossFitted(RandomForest(3), 2))
    predictor = Predictor((GraphStatistics(), OperatorStatistics(("sizes",)), cells), Stack(members, 0.2))
    predictor.fit(items[:18], rng.standard_normal(18)).save(tmp_path)
    again = Predictor.load(tmp_path)
    assert again.surrogate == predictor.surrogate
    assert again.encoders == predictor.encoders
    here, there = predictor.predict(items), again.predict(items)
    np.testing.assert_array_equal(here.mean, there.mean)
    np.testing.assert_array_equal(here.std, there.std)
    np.testing.assert_array_equal(here.quantile(0.1), there.quantile(0.1))
