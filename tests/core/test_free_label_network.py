"""The network pretrained on free labels: what it sees, what it is taught without labels, and that this pays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from foretell import GaussianProcess, Predictor
from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.errors import InvalidDataError
from foretell.metrics import kendall_tau
from foretell.surrogates import FreeLabelNetwork, SemiSupervised, Surrogate
from foretell.surrogates.free_label_network import huber

BITS, FREE = 24, 2
GROUPS = ("cell 0: operators",) * 16 + ("edges",) * 8 + ("sizes",) * FREE + ("lr",)
TINY = FreeLabelNetwork(width=8, embedding=4, head_width=4, pretraining_epochs=3, n_epochs=3, n_members=2)


def rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Bits, two sums of them that cost nothing, a recipe; the target follows from the sums and the recipe."""
    rng = np.random.default_rng(seed)
    weight = np.random.default_rng(99).standard_normal((BITS, FREE))
    bits, lr = (rng.random((n, BITS)) < 0.5).astype(float), rng.standard_normal((n, 1))
    free = bits @ weight
    free = (free - free.mean(axis=0)) / free.std(axis=0)
    return np.concatenate([bits, free, lr], axis=1), np.tanh(free[:, 0]) + 0.5 * free[:, 1] + 0.3 * lr[:, 0]


def test_unlabelled_rows_pay() -> None:
    (X, y), (pool, _), (new, truth) = rows(60, 0), rows(400, 1), rows(300, 2)
    full = FreeLabelNetwork(n_members=3, width=64, embedding=32, pretraining_epochs=30)
    taught = full.fit_with_unlabelled(X, y, GROUPS, pool).predict(new)
    untaught = replace(full, pretraining_epochs=0).fit(X, y, GROUPS).predict(new)
    assert kendall_tau(truth, taught.mean) > kendall_tau(truth, untaught.mean) + 0.05
    inside = np.abs(truth - taught.mean) < 1.645 * taught.std
    assert 0.75 < inside.mean() < 1


def test_free_columns_are_no_input_and_the_recipe_is() -> None:
    X, y = rows(20, 0)
    fitted = TINY.fit(X, y, GROUPS)
    here = fitted.predict(X).mean
    other = X.copy()
    other[:, BITS : BITS + FREE] = 7.0
    np.testing.assert_array_equal(fitted.predict(other).mean, here)
    for column in (0, 20, -1):
        other = X.copy()
        other[:, column] += 1.0
        assert np.abs(fitted.predict(other).mean - here).max() > 0


def test_what_pretraining_uses() -> None:
    X, y = rows(20, 0)
    plain = TINY.fit(X, y, GROUPS)
    empty = TINY.fit_with_unlabelled(X, y, GROUPS, X[:0])
    np.testing.assert_array_equal(plain.weights["first.weight"], empty.weights["first.weight"])
    more = TINY.fit_with_unlabelled(X, y, GROUPS, X[:5])
    assert np.abs(more.weights["first.weight"] - plain.weights["first.weight"]).max() > 0
    groups = tuple(group if group != "sizes" else "other" for group in GROUPS)
    none = replace(TINY, pretraining_epochs=0).fit(X, y, groups)
    np.testing.assert_array_equal(TINY.fit(X, y, groups).scores(X), none.scores(X))
    with pytest.raises(InvalidDataError, match=r"columns of the architecture must be there.*got \['other'\]"):
        TINY.fit(X, y, ("other",) * X.shape[1])


def test_constant_columns_of_the_architecture_change_nothing() -> None:
    X, y = rows(20, 0)
    wide = np.concatenate([X, np.ones((20, 3))], axis=1)
    fitted = TINY.fit(wide, y, (*GROUPS, *("edges",) * 3))
    np.testing.assert_array_equal(fitted.predict(wide).mean, TINY.fit(X, y, GROUPS).predict(X).mean)
    assert np.isfinite(TINY.fit(wide[:1], y[:1], (*GROUPS, *("edges",) * 3)).predict(wide).mean).all()


def test_huber_by_hand() -> None:
    scores, y = torch.tensor([[0.0, 3.0], [1.0, 1.0]]), torch.tensor([[0.5, 0.0], [1.0, 1.0]])
    assert huber(scores, y).item() == pytest.approx((0.125 + 2.5) / 2)


def test_a_predictor_hands_unlabelled_candidates_on() -> None:
    rng = np.random.default_rng(0)
    specs = [nasbench201.sample(rng) for _ in range(20)]
    items = [Candidate(nasbench201.graph(s), cells=nasbench201.cells(s)) for s in specs]
    y = np.array([sum(op == 2 for op in s) for s in specs[:10]], dtype=float)
    assert isinstance(TINY, SemiSupervised)
    assert not isinstance(GaussianProcess(), SemiSupervised)
    encoders = Predictor.preset("nars").encoders
    mine: Surrogate = TINY
    alone = Predictor(encoders, mine).fit(items[:10], y)
    helped = Predictor(encoders, mine).fit(items[:10], y, unlabelled=items[10:])
    assert np.abs(alone.predict(items).mean - helped.predict(items).mean).max() > 0
    by_columns = Predictor(encoders, mine).fit_encoding(
        alone.encode(items[:10]), y, unlabelled=alone.encode(items[10:])
    )
    np.testing.assert_array_equal(by_columns.predict(items).mean, helped.predict(items).mean)
    with pytest.raises(InvalidDataError, match="must be semi-supervised .* but gaussian_process is not"):
        Predictor().fit(items[:10], y, unlabelled=items[10:])
