"""The frozen forest against scikit-learn's own answers, and refusals of damaged arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesRegressor

from foretell.errors import CheckpointError
from foretell.surrogates import SURROGATES, ExtraTrees


def data(n: int, d: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.random((n, d))
    return X, np.where(X[:, 0] > 0.5, 1.0, -1.0) + X[:, 1] + 0.1 * rng.standard_normal(n)


@given(st.integers(1, 60), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_frozen_arrays_answer_as_scikit_learn_does(n: int, leaf: int, seed: int) -> None:
    X, y = data(n, seed=seed)
    new, _ = data(40, seed=seed + 1)
    fitted = ExtraTrees(12, leaf, seed).fit(X, y, ("g",) * 5)
    theirs = ExtraTreesRegressor(12, min_samples_leaf=leaf, random_state=seed).fit(X.astype(np.float32), y)
    for rows in (X, new):
        np.testing.assert_allclose(fitted.predict(rows).mean, theirs.predict(rows.astype(np.float32)), atol=1e-12)


def test_a_stump_by_hand() -> None:
    """One split of the second column at 0.5, which itself goes left."""
    arrays = {
        "roots": [0], "feature": [1, 0, 0], "threshold": [0.5, -2.0, -2.0], "left": [1, 1, 2], "right": [2, 1, 2],
        "value": [9.0, 1.0, 3.0], "variance": [9.0, 0.25, 4.0], "noise": [0.75],
    }  # fmt: skip
    stump = ExtraTrees(1).from_arrays({k: np.array(a) for k, a in arrays.items()})
    posterior = stump.predict(np.array([[9.0, 0.5], [-9.0, 0.51]]))
    assert posterior.mean.tolist() == [1.0, 3.0]
    np.testing.assert_allclose(posterior.std**2, [1.0, 4.75])


def test_variance_is_within_plus_between_trees() -> None:
    X, y = data(50)
    new, _ = data(20, seed=1)
    fitted = ExtraTrees(10, 5).fit(X, y, ("g",) * 5)
    theirs = ExtraTreesRegressor(10, min_samples_leaf=5, random_state=0).fit(X.astype(np.float32), y)
    rows = new.astype(np.float32)
    leaves = theirs.apply(rows)  # (rows, trees)
    within = np.mean([t.tree_.impurity[leaf] for t, leaf in zip(theirs.estimators_, leaves.T, strict=True)], axis=0)
    between = np.var([t.predict(rows) for t in theirs.estimators_], axis=0)
    noise = np.mean((y - theirs.predict(X.astype(np.float32))) ** 2)
    np.testing.assert_allclose(fitted.predict(new).std ** 2, within + between + noise, rtol=1e-9)


def test_observed_points_are_surer_than_others() -> None:
    X, y = data(60)
    fitted = ExtraTrees().fit(X, y, ("g",) * 5)
    assert fitted.predict(X).std.mean() < 0.1 * fitted.predict(data(60, seed=3)[0]).std.mean()


def test_a_batch_equals_singles() -> None:
    X, y = data(30)
    fitted = ExtraTrees(20).fit(X, y, ("g",) * 5)
    singly = np.concatenate([fitted.predict(x[None]).mean for x in X])
    np.testing.assert_array_equal(fitted.predict(X).mean, singly)


def test_no_columns_and_no_rows() -> None:
    bare = ExtraTrees(5).fit(np.empty((4, 0)), np.arange(4.0), ())
    assert bare.predict(np.empty((2, 0))).mean == pytest.approx([1.5, 1.5])
    assert bare.predict(np.empty((0, 0))).mean.shape == (0,)


def test_seed_decides() -> None:
    X, y = data(40)
    new, _ = data(20, seed=1)
    a, b, c = (ExtraTrees(10, seed=s).fit(X, y, ("g",) * 5).predict(new).mean for s in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_arrays_and_settings_round_trip() -> None:
    X, y = data(20)
    forest = ExtraTrees(7, 2, 3)
    fitted = forest.fit(X, y, ("g",) * 5)
    rebuilt = SURROGATES.make("extra_trees", forest.to_config())
    assert rebuilt == forest
    np.testing.assert_array_equal(rebuilt.from_arrays(fitted.to_arrays()).predict(X).std, fitted.predict(X).std)


@pytest.mark.parametrize(
    "damage",
    [
        lambda a: {**a, "left": np.zeros_like(a["left"])},  # a loop back to the root
        lambda a: {**a, "right": a["right"] + 10_000},
        lambda a: {**a, "roots": a["roots"] - 1},
        lambda a: {**a, "roots": a["roots"][:0]},
        lambda a: {**a, "feature": a["feature"] - 1},
        lambda a: {**a, "value": a["value"][:-1]},
    ],
)
def test_damaged_forests_are_refused(damage: object) -> None:
    X, y = data(20)
    arrays = ExtraTrees(3).fit(X, y, ("g",) * 5).to_arrays()
    with pytest.raises(CheckpointError, match="children must follow their parents within .* save it again"):
        ExtraTrees(3).from_arrays(damage(arrays))  # type: ignore[operator]
