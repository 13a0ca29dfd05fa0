"""Contributions of single columns to gradient-boosted trees: a closed form for stumps, and trees walked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from foretell import Candidate, FloatDistribution, Hyperparameters, Predictor, SearchSpace
from foretell.explain import exact_shapley, explain_trees
from foretell.surrogates import GradientBoosting

lightgbm = pytest.importorskip("lightgbm")
SPACE = SearchSpace({name: FloatDistribution(0, 1) for name in "abcdefghijk"})


def configs(n: int, seed: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(n)]


def target(items: list[dict]) -> list[float]:
    return [3 * c["a"] + c["b"] * c["c"] - c["d"] for c in items]


def fitted(n: int = 60, **settings) -> tuple[Predictor, list[dict]]:
    known = configs(n)
    trees = GradientBoosting(n_rounds=20, bagging_fraction=1.0, n_folds=2, **settings)
    return Predictor((Hyperparameters(SPACE),), trees).fit(known, target(known)), known


def test_they_sum_to_the_latent_prediction() -> None:
    predictor, known = fitted()
    found = explain_trees(predictor, known)
    latent = predictor.fitted.surrogate.predict(predictor.fitted.scaler.transform(predictor.encode(known)))
    np.testing.assert_allclose([c.prediction for c in found], latent.mean, atol=1e-9)
    assert found[0].unit == "normal score"
    assert found[0].names == tuple("abcdefghijk")
    assert explain_trees(predictor, []) == ()


def test_of_stumps_equal_exact_values_against_the_training_rows() -> None:
    """Sums of functions of one column each: both ways of leaving a column open are the same."""
    predictor, known = fitted(n_leaves=2)
    X = predictor.fitted.scaler.transform(predictor.encode(known))

    def worth(who: np.ndarray) -> np.ndarray:
        mixed = np.where(who[:, None, :], X[0], X)
        mean = predictor.fitted.surrogate.predict(mixed.reshape(-1, 11)).mean
        return mean.reshape(len(who), -1).mean(axis=1)

    found = explain_trees(predictor, known[:1])[0]
    np.testing.assert_allclose(found.values, exact_shapley(worth, 11), atol=1e-9)


def test_of_deep_trees_equal_the_definition() -> None:
    """Walk each tree: a column outside the coalition goes both ways, weighted by training rows."""
    predictor, known = fitted(n_leaves=6)
    surrogate = predictor.fitted.surrogate
    row = predictor.fitted.scaler.transform(predictor.encode(known[3:4]))[0]
    booster = lightgbm.Booster(model_str=surrogate.text[: surrogate.ends[0]].tobytes().decode())
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]

    def count(node: dict) -> int:
        return node["leaf_count"] if "leaf_value" in node else node["internal_count"]

    def value(node: dict, who: np.ndarray) -> float:
        if "leaf_value" in node:
            return node["leaf_value"]
        left, right, j = node["left_child"], node["right_child"], node["split_feature"]
        if who[j]:
            return value(left if row[j] <= node["threshold"] else right, who)
        return (value(left, who) * count(left) + value(right, who) * count(right)) / count(node)

    used = sorted({j for j, c in enumerate(explain_trees(predictor, known[3:4])[0].values) if c})
    assert 2 <= len(used) <= 11

    def worth(who: np.ndarray) -> np.ndarray:
        return np.array([sum(value(tree, w) for tree in trees[:3]) for w in who])

    head = booster.predict(row[None], pred_contrib=True, num_iteration=3)[0]
    np.testing.assert_allclose(head[:-1], exact_shapley(worth, 11), atol=1e-9)
    assert head[-1] == pytest.approx(worth(np.zeros((1, 11), dtype=bool))[0])


def test_columns_that_were_dropped_and_marks_come_back_to_their_names() -> None:
    known = [{k: v for k, v in c.items() if k != "b" or v < 0.5} | {"k": 0.5} for c in configs(60)]
    y = [1.0 if "b" in c else 0.0 for c in known]
    predictor = Predictor((Hyperparameters(SPACE),), GradientBoosting(n_rounds=20)).fit(known, y)
    rows = predictor.encode(known)
    found = explain_trees(predictor, known)
    k, b = rows.names.index("k"), rows.names.index("b")
    assert all(c.values[k] == 0.0 for c in found)
    assert all((c.values[b] > 0) == ("b" in item) for c, item in zip(found, known, strict=True))


def test_no_columns() -> None:
    predictor = Predictor((Hyperparameters(SearchSpace({})),), GradientBoosting(n_rounds=2))
    found = explain_trees(predictor.fit([{}, {}, {}], [0.0, 1.0, 2.0]), [Candidate()])
    assert found[0].names == ()
    assert found[0].prediction == pytest.approx(found[0].base)
