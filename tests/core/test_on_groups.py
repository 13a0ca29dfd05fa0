"""A surrogate on some groups against the same one on columns picked by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from foretell.errors import InvalidDataError
from foretell.surrogates import SURROGATES, CrossFitted, ExtraTrees, GaussianProcess, OnGroups, Surrogate

INNER = [GaussianProcess(), CrossFitted(ExtraTrees(n_trees=5), 3)]
EACH = pytest.mark.parametrize("inner", INNER, ids=lambda s: s.name)
GROUPS = ("sizes", "flow forward", "sizes", "cell 0: sizes", "flow back", "Sizes")


def data(n: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(seed).standard_normal((n, len(GROUPS)))
    return X, np.sin(X[:, 0]) + X[:, 1] * X[:, 3]


@EACH
@pytest.mark.parametrize(
    ("patterns", "columns"),
    [
        (("sizes",), [0, 2]), (("flow *",), [1, 4]), (("*",), [0, 1, 2, 3, 4, 5]), (("cell ?: *", "Sizes"), [3, 5]),
        (("*sizes", "sizes", "flow back"), [0, 2, 3, 4]), (("depths", "nothing *"), [0, 1, 2, 3, 4, 5]),
        (("sizes", "depths"), [0, 2]), ((), [0, 1, 2, 3, 4, 5]),
    ],
)  # fmt: skip
def test_it_sees_what_the_patterns_match_and_everything_where_they_match_nothing(
    inner: Surrogate, patterns: tuple[str, ...], columns: list[int]
) -> None:
    X, y = data()
    new, _ = data(7, seed=1)
    found = OnGroups(inner, patterns).fit(X, y, GROUPS)
    expected = inner.fit(X[:, columns], y, [GROUPS[j] for j in columns])
    assert found.columns.tolist() == columns
    np.testing.assert_array_equal(found.predict(new).mean, expected.predict(new[:, columns]).mean)
    np.testing.assert_array_equal(found.predict(new).std, expected.predict(new[:, columns]).std)
    np.testing.assert_array_equal(found.leave_one_out().mean, expected.leave_one_out().mean)  # type: ignore[attr-defined]


def test_what_it_does_not_see_changes_nothing() -> None:
    X, y = data()
    other = X.copy()
    other[:, [1, 3, 4, 5]] = -7.0
    fitted = OnGroups(GaussianProcess(), ("sizes",)).fit(X, y, GROUPS)
    np.testing.assert_array_equal(fitted.predict(X).mean, fitted.predict(other).mean)


def test_no_columns_at_all() -> None:
    fitted = OnGroups(GaussianProcess(), ("sizes",)).fit(np.zeros((5, 0)), np.arange(5.0), ())
    np.testing.assert_allclose(fitted.predict(np.zeros((2, 0))).mean, 2.0)


@pytest.mark.parametrize(
    "surrogate",
    [
        OnGroups(GaussianProcess(), ("sizes", "flow *")),
        OnGroups(CrossFitted(ExtraTrees(n_trees=3), 2), ("cell *",)),
        OnGroups(OnGroups(GaussianProcess(), ("flow *",)), ("sizes", "flow back")),
        CrossFitted(OnGroups(ExtraTrees(n_trees=3), ("flow *",)), 2),
    ],
)
def test_arrays_and_settings_round_trip(surrogate: Surrogate) -> None:
    X, y = data()
    fitted = surrogate.fit(X, y, GROUPS)
    rebuilt = SURROGATES.make(surrogate.name, json.loads(json.dumps(surrogate.to_config())))
    assert rebuilt == surrogate
    again = rebuilt.from_arrays({k: a.copy() for k, a in fitted.to_arrays().items()})
    np.testing.assert_array_equal(again.predict(X).mean, fitted.predict(X).mean)
    np.testing.assert_array_equal(again.predict(X).std, fitted.predict(X).std)


def test_a_surrogate_that_cannot_leave_one_out_says_what_to_do() -> None:
    fitted = OnGroups(ExtraTrees(n_trees=3), ("sizes",)).fit(*data(), GROUPS)
    with pytest.raises(
        InvalidDataError, match="able to leave one out, but FittedForest cannot: put it into CrossFitted"
    ):
        fitted.leave_one_out()
