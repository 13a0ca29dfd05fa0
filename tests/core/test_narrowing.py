"""Narrowing of a space: planted bad features go first, limits hold, the predicate is what was dropped."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from foretell import CategoricalDistribution, ExtraTrees, FloatDistribution, Hyperparameters, Predictor, SearchSpace
from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.errors import InvalidDataError, NotFittedError
from foretell.explain import narrow
from foretell.explain.narrowing import narrow_encoding
from foretell.surrogates import GradientBoosting

pytest.importorskip("lightgbm")
SPACE = SearchSpace({name: CategoricalDistribution(("good", "fair", "bad")) for name in ("a", "b", "c", "d")})
ALL = [dict(zip("abcd", choice, strict=True)) for choice in product(("good", "fair", "bad"), repeat=4)]


def target(config: dict) -> float:
    return 4.0 * (config["a"] != "bad") + 2.0 * (config["b"] != "bad") + (config["c"] == "good")


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor((Hyperparameters(SPACE),), GradientBoosting(n_folds=2)).fit(ALL, [target(c) for c in ALL])


def test_the_worst_choices_go_first(predictor: Predictor) -> None:
    found = narrow(predictor, ALL, share=0.4)
    assert [drop.feature for drop in found.dropped] == ["a=bad", "b=bad"]
    assert [drop.share for drop in found.dropped] == pytest.approx([2 / 3, 4 / 9])
    assert found.dropped[0].contribution < found.dropped[1].contribution < 0
    assert (found.share, found.risk) == (pytest.approx(4 / 9), 0.0)
    kept = found.keeps(ALL)
    assert kept.tolist() == [c["a"] != "bad" and c["b"] != "bad" for c in ALL]


def test_limits_hold(predictor: Predictor) -> None:
    for share in (0.05, 0.3, 0.7, 1.0):
        found = narrow(predictor, ALL, share=share)
        assert found.share >= share - 1e-12
        assert found.share == found.keeps(ALL).mean()
    assert narrow(predictor, ALL, share=1.0).dropped == ()
    assert narrow(predictor, ALL, share=1e-9).share > 0  # never empty


def test_the_best_are_guarded() -> None:
    """A choice bad on the whole that the predicted best has: the published rule drops it, the guard does not."""
    y = [10.0 if c["a"] == "bad" and c["b"] == "good" and c["c"] == "good" and c["d"] == "good"
         else -3.0 * (c["a"] == "bad") + (c["b"] == "good") for c in ALL]  # fmt: skip
    trees = GradientBoosting(n_rounds=100, n_leaves=31, bagging_fraction=1.0, feature_fraction=1.0, n_folds=2)
    predictor = Predictor((Hyperparameters(SPACE),), trees).fit(ALL * 20, y * 20)
    best = int(np.argmax(predictor.predict(ALL).mean))
    assert ALL[best] == dict.fromkeys("bcd", "good") | {"a": "bad"}
    rule, guarded = (narrow(predictor, ALL, share=0.5, risk=risk) for risk in (1.0, 0.0))
    assert [d.feature for d in rule.dropped] == ["a=bad"]
    assert rule.risk == 1.0
    assert guarded.risk == 0.0
    assert guarded.keeps([ALL[best]])[0]


def test_of_a_matrix_encoding_and_saved(tmp_path) -> None:
    rng = np.random.default_rng(0)
    specs = [nasbench201.sample(rng) for _ in range(80)]
    items = [Candidate(cells=nasbench201.cells(s)) for s in specs]
    predictor = Predictor.preset("gbdt-nas").fit(items, [s.count(2) - s.count(4) for s in specs])
    found = narrow(predictor, items, share=0.3)
    assert found.dropped
    assert all(d.feature.startswith(("operator ", "edge ")) for d in found.dropped)
    predictor.save(tmp_path)
    again = narrow_encoding(Predictor.load(tmp_path), predictor.encode(items), share=0.3)
    assert again.dropped == found.dropped


def test_refusals(predictor: Predictor) -> None:
    for wrong in ({"share": 0.0}, {"share": 1.5}, {"risk": -0.1}, {"risk": 1.1}):
        with pytest.raises(InvalidDataError, match="`0 < share <= 1`, `0 <= risk <= 1` and a sample are needed"):
            narrow(predictor, ALL, **wrong)
    with pytest.raises(InvalidDataError, match="0 candidates"):
        narrow(predictor, [])
    with pytest.raises(NotFittedError):
        narrow(Predictor((Hyperparameters(SPACE),), GradientBoosting()), ALL)
    numbers = SearchSpace({"lr": FloatDistribution(0, 1)})
    items = [{"lr": x} for x in (0.1, 0.4, 0.9)]
    with pytest.raises(InvalidDataError, match="narrowed by columns that are 0 or one other value"):
        narrow(Predictor((Hyperparameters(numbers),), GradientBoosting()).fit(items, [1.0, 2.0, 3.0]), items)
    other = Predictor((Hyperparameters(SPACE),), ExtraTrees(n_trees=2)).fit(ALL, [target(c) for c in ALL])
    with pytest.raises(InvalidDataError, match="need the surrogate gradient_boosting"):
        narrow(other, ALL)
