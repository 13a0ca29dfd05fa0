"""Draws of a function have the posterior's joint distribution, whatever is asked in which order."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from scipy.stats import norm

from foretell.posterior_draw import PosteriorDraw
from foretell.surrogates.search_process import Layout, SearchProcess

# one Matern group, straight effects of the second column
LAYOUT = Layout(np.array([0, -1]), np.array([-1, 0]), 1, 1)
THETA = np.array([np.log(0.4), 0.0, np.log(0.05), np.log(0.3)])


def process() -> SearchProcess:
    X = np.array([[0.0, -0.5], [0.4, 0.2], [0.9, 0.3]])
    return SearchProcess.condition_on(X, np.array([-0.6, 0.5, 0.2]), LAYOUT, THETA)


def joint(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance by the textbook: K** - K*' K^-1 K*."""
    known = process()
    X = np.column_stack([known.near[:, 0] / known.scale[0], known.far[:, 1] / known.slope[1]])  # type: ignore[index]
    K = known.covariance(X, X) + (known.t2 + 1e-8 * (known.s2 + 1.0)) * np.eye(3)
    cross = known.covariance(points, X)
    mean = known.mean + cross @ np.linalg.solve(K, known.y - known.mean)
    return mean, known.covariance(points, points) - cross @ np.linalg.solve(K, cross.T)


class Given:
    """Numbers in place of drawn ones."""

    def __init__(self, numbers: np.ndarray) -> None:
        self.left = numbers

    def standard_normal(self, n: int) -> np.ndarray:
        found, self.left = np.split(self.left, [n])
        return found


POINTS = np.array([[0.1, 0.1], [0.5, -0.3], [0.7, 0.4], [1.4, 0.0]])


@pytest.mark.parametrize("parts", [(4,), (1, 3), (2, 1, 1)])
def test_means_and_covariances_are_the_posteriors_in_any_portions(parts: tuple[int, ...]) -> None:
    known, portions = process(), np.split(POINTS, np.cumsum(parts)[:-1])

    def answers(numbers: np.ndarray) -> np.ndarray:
        draw = PosteriorDraw(known, cast("np.random.Generator", Given(numbers)))
        return np.concatenate([draw(portion) for portion in portions])

    mean, covariance = joint(POINTS)
    np.testing.assert_allclose(answers(np.zeros(4)), mean, atol=1e-9)
    L = np.stack([answers(e) - mean for e in np.eye(4)], axis=1)  # values are linear in the numbers drawn
    np.testing.assert_allclose(L @ L.T, covariance, atol=1e-5)
    np.testing.assert_allclose(known.predict(POINTS).std, np.sqrt(np.diag(covariance)), rtol=1e-6)


def test_an_arm_is_chosen_as_often_as_it_is_believed_to_be_the_best() -> None:
    arms = POINTS[[1, 3]]
    mean, C = joint(arms)
    chance = norm.cdf((mean[0] - mean[1]) / np.sqrt(C[0, 0] + C[1, 1] - 2.0 * C[0, 1]))
    rng, known = np.random.default_rng(1), process()
    chosen = np.mean([np.argmax(PosteriorDraw(known, rng)(arms)) == 0 for _ in range(4000)])
    assert 0.1 < chance < 0.9
    assert chosen == pytest.approx(chance, abs=4.0 * np.sqrt(chance * (1.0 - chance) / 4000))


def test_the_function_stays_the_same_when_asked_again() -> None:
    draw = PosteriorDraw(process(), np.random.default_rng(2))
    first = draw(POINTS)
    draw(np.random.default_rng(3).random((30, 2)))
    np.testing.assert_allclose(draw(POINTS), first, atol=0.02)
    np.testing.assert_allclose(draw(np.repeat(POINTS[:1], 3, axis=0)), first[0], atol=0.02)
