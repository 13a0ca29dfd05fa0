"""The protocol: properties of splits, measures against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import precision_score

from foretell.benchmarks.protocol import SIZES, scores, split
from foretell.benchmarks.tables import TABLES, some_rows
from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior, WarpedPosterior
from foretell.target_warp import TargetWarp

ROWS_101 = 423_624
OTHERS = sorted(set(SIZES) - {"nasbench101"})


# splits


@given(
    family=st.sampled_from(OTHERS), rows=st.integers(2, 500), share=st.floats(0, 0.999), seed=st.integers(0, 2**32 - 1)
)
def test_a_split_parts_the_whole_table(family: str, rows: int, share: float, seed: int) -> None:
    n = 1 + int(share * (rows - 1))
    found = split(family, rows, n, seed)
    assert len(found.train) == n
    assert sorted([*found.train.tolist(), *found.test.tolist()]) == list(range(rows))
    again, smaller = split(family, rows, n, seed), split(family, rows, max(1, n // 2), seed)
    np.testing.assert_array_equal(again.train, found.train)
    np.testing.assert_array_equal(again.test, found.test)
    np.testing.assert_array_equal(smaller.train, found.train[: len(smaller.train)])


@given(seed=st.integers(0, 10**6), n=st.sampled_from([1, 100, 172, 424, 5000]))
@settings(max_examples=8)
def test_the_tests_of_nasbench101_are_drawn_once_and_never_trained_on(seed: int, n: int) -> None:
    found, first = split("nasbench101", ROWS_101, n, seed), split("nasbench101", ROWS_101, 100, 0)
    np.testing.assert_array_equal(found.test, first.test)
    assert len(set(found.test.tolist())) == 20_000
    assert len(set(found.train.tolist())) == n
    assert not set(found.train.tolist()) & set(found.test.tolist())
    assert 0 <= min(found.train.min(), found.test.min())
    assert max(found.train.max(), found.test.max()) < ROWS_101


def test_draws_are_spread_over_the_whole_table() -> None:
    found = split("nasbench101", ROWS_101, 5000, 1)
    for rows in (found.train, found.test):
        assert stats.kstest(rows / ROWS_101, "uniform").pvalue > 0.001
    assert stats.kstest(split("nasbench201", 15_625, 400, 3).train / 15_625, "uniform").pvalue > 0.001


@pytest.mark.parametrize("family", list(SIZES))
def test_other_seeds_draw_others(family: str) -> None:
    a, b = (split(family, 30_000, 100, seed).train for seed in (0, 1))
    assert len(np.intersect1d(a, b)) < 10


@pytest.mark.parametrize(
    ("family", "rows", "n", "most"),
    [("nasbench201", 20, 20, 19), ("nasbench301", 20, 0, 19), ("nasbench101", 20_050, 51, 50)],
)
def test_a_table_too_small_for_the_split_is_refused(family: str, rows: int, n: int, most: int) -> None:
    with pytest.raises(
        InvalidDataError, match=rf"{rows} architectures of {family} trains on 1 to {most}, but got n={n}"
    ):
        split(family, rows, n, 0)


def test_every_table_has_sizes() -> None:
    assert set(SIZES) == set(TABLES)
    assert all(sizes == tuple(sorted(sizes)) for sizes in SIZES.values())


@given(n=st.integers(1, 300), share=st.floats(0, 1), seed=st.integers(0, 999))
def test_some_rows_differ_and_are_a_beginning_of_all(n: int, share: float, seed: int) -> None:
    k = int(share * n)
    found, whole = some_rows(n, k, seed).tolist(), some_rows(n, n, seed).tolist()
    assert found == whole[:k]
    assert sorted(whole) == list(range(n))


# measures


def belief(n: int, seed: int = 0) -> tuple[GaussianPosterior, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal(n)
    return GaussianPosterior(truth + rng.standard_normal(n), rng.uniform(0.3, 1.5, n)), truth


@pytest.mark.parametrize("n", [5, 99, 100, 299, 350])
def test_measures_equal_other_libraries(n: int) -> None:
    posterior, truth = belief(n)
    found = {name: value for name, (value, _) in scores(posterior, truth).items()}
    top = max(n // 100, 1)
    is_best, is_chosen = (stats.rankdata(-x) <= top for x in (truth, posterior.mean))
    low, high = stats.norm.interval(0.9, posterior.mean, posterior.std)
    chosen = np.argsort(posterior.mean)[-10:]
    assert found == pytest.approx(
        {
            "tau": stats.kendalltau(truth, posterior.mean).statistic,
            "rho": stats.spearmanr(truth, posterior.mean).statistic,
            "precision@1%": precision_score(is_best, is_chosen),
            "regret@10": max(truth) - max(truth[chosen]),
            "nll": -np.mean(stats.norm.logpdf(truth, posterior.mean, posterior.std)),
            "coverage90": np.mean((low < truth) & (truth < high)),
        }
    )


def test_measures_by_hand() -> None:
    """Two hundred architectures, the truly best two ranked first and last."""
    truth = np.arange(200.0)
    mean = truth.copy()
    mean[198] = -1.0
    mean[5:15] += 1000.0  # ranked best, worth little
    found = scores(GaussianPosterior(mean, np.full(200, 1.0)), truth)
    assert found["precision@1%"] == (0.0, "")
    assert found["regret@10"] == (199.0 - 14.0, "target")
    assert found["coverage90"] == (189 / 200, "")
    perfect = scores(GaussianPosterior(truth, np.ones(200)), truth)
    assert {name: perfect[name][0] for name in ("tau", "rho", "precision@1%", "regret@10", "coverage90")} == {
        "tau": pytest.approx(1), "rho": pytest.approx(1), "precision@1%": 1, "regret@10": 0, "coverage90": 1
    }  # fmt: skip
    assert perfect["nll"] == (pytest.approx(0.5 * np.log(2 * np.pi)), "nats")


def test_equally_good_architectures_are_all_among_the_best() -> None:
    truth = np.zeros(300)
    truth[:10] = 1.0  # ten share the places of three
    mean = np.zeros(300)
    mean[[4, 7, 100]] = 3.0
    assert scores(GaussianPosterior(mean, np.ones(300)), truth)["precision@1%"][0] == pytest.approx(2 / 3)


@given(st.integers(0, 10**6))
@settings(max_examples=25)
def test_units_of_the_target_change_only_what_has_a_unit(seed: int) -> None:
    posterior, truth = belief(120, seed)
    scaled = WarpedPosterior(posterior, TargetWarp(np.array([10.0, 30.0]), np.array([-1.0, 1.0])))  # y = 20 + 10 z
    plain, other = scores(posterior, truth), scores(scaled, 20 + 10 * truth)
    for name in ("tau", "rho", "precision@1%", "coverage90"):
        assert other[name][0] == pytest.approx(plain[name][0])
    assert other["regret@10"][0] == pytest.approx(10 * plain["regret@10"][0], abs=1e-9)
    assert other["nll"][0] == pytest.approx(plain["nll"][0] + np.log(10), abs=0.1)  # its std is a sum over quantiles


def test_nothing_ranked_is_worth_nothing() -> None:
    found = scores(GaussianPosterior(np.zeros(50), np.ones(50)), np.arange(50.0))
    assert found["tau"][0] == found["rho"][0] == 0.0
