"""Priors that processes on other targets give."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from foretell.errors import InvalidDataError
from foretell.metrics import spearman_rho
from foretell.surrogates import SURROGATES, GaussianProcess, KernelPrior

GROUPS = ("a", "a", "b")


def learnt(variance: float = 0.5) -> KernelPrior:
    return KernelPrior(("a", "b"), (2.0, 5.0), signal=0.8, noise=0.1, variance=variance)


def test_what_is_learnt_is_the_mean_of_logarithms() -> None:
    thetas = [np.log([1.0, 4.0, 1.0, 0.1]), np.log([4.0, 9.0, 0.25, 0.4])]
    prior = KernelPrior.learn([(("a", "b"), thetas[0]), (("b", "c"), thetas[1])])
    assert dict(zip(prior.groups, prior.scales, strict=True)) == pytest.approx({"a": 1.0, "b": 4.0, "c": 9.0})
    assert (prior.signal, prior.noise) == (pytest.approx(0.5), pytest.approx(0.2))


def test_a_sure_prior_is_what_the_fit_gives_and_a_vague_one_leaves_it_to_the_data() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    y = np.sin(X[:, 0]) + 0.1 * rng.standard_normal(40)
    expected = np.log([2.0, 5.0, 0.8, 0.1])
    sure = GaussianProcess(prior=learnt(1e-9)).fit(X, y, GROUPS)
    np.testing.assert_allclose(sure.theta, expected, atol=1e-4)
    vague = GaussianProcess(prior=learnt(100.0)).fit(X, y, GROUPS)
    assert np.abs(vague.theta - expected).max() > 0.5
    few = GaussianProcess(prior=learnt()).fit(X[:3], y[:3], GROUPS)
    np.testing.assert_allclose(few.theta[:2], expected[:2])


def test_a_prior_of_the_right_target_helps_with_few_labels() -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((300, 12))
    groups = [f"g{j}" for j in range(12)]
    found = {True: [], False: []}
    many = GaussianProcess(length_scale=1.4).fit(X[:150], np.sin(2 * X[:150, 0]) - X[:150, 1], groups)
    prior = KernelPrior.learn([(groups, many.theta)])
    for k in range(150, 250, 20):
        rows, y = slice(k, k + 12), X[:, 1] + np.cos(2 * X[:, 0])
        for known in found:
            process = GaussianProcess(length_scale=1.4, prior=prior if known else None)
            found[known].append(spearman_rho(y[250:], process.fit(X[rows], y[rows], groups).predict(X[250:]).mean))
    assert np.mean(found[True]) > np.mean(found[False]) + 0.05


def test_settings_survive_json_and_are_hashable() -> None:
    process = GaussianProcess(prior=learnt())
    config = json.loads(json.dumps(process.to_config()))
    assert SURROGATES.make(process.name, config) == process
    assert hash(process) != hash(GaussianProcess())


@pytest.mark.parametrize(
    "bad", [{"scales": (1.0,)}, {"groups": ("a", "a")}, {"noise": 0.0}, {"variance": math.nan}, {"scales": (1.0, -1.0)}]
)
def test_senseless_priors_are_refused(bad: dict[str, object]) -> None:
    good = {"groups": ("a", "b"), "scales": (2.0, 5.0), "signal": 0.8, "noise": 0.1}
    with pytest.raises(InvalidDataError, match=r"each group needs one scale.*see `KernelPrior\.learn"):
        KernelPrior(**{**good, **bad})  # type: ignore[arg-type]
    with pytest.raises(InvalidDataError, match="got none: fit one"):
        KernelPrior.learn([])
