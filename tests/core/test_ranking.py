"""Rankings of networks, and what measurements do to them."""

from __future__ import annotations

import numpy as np
import pytest

from foretell import Predictor
from foretell.capture import nasbench201
from foretell.ranking import rank_graphs

RNG = np.random.default_rng(1)
GRAPHS = {str(k): nasbench201.graph(nasbench201.sample(RNG), channels=4, cells=1) for k in range(30)}
TRAINED = Predictor().fit(list(GRAPHS.values())[:20], [np.log(g.params) for g in list(GRAPHS.values())[:20]])
OTHERS = dict(list(GRAPHS.items())[20:])


def test_a_ranking_without_measurements_is_the_predictors() -> None:
    rows = rank_graphs(TRAINED, OTHERS)
    order = TRAINED.rank(list(OTHERS.values()))
    assert [row.name for row in rows] == [list(OTHERS)[i] for i in order]
    assert all(row.low < row.predicted < row.high for row in rows)
    best = OTHERS[rows[0].name]
    assert (rows[0].params, rows[0].flops, rows[0].measured) == (best.params, best.flops, None)
    assert {row.in_domain for row in rows} <= {True, False}


@pytest.mark.parametrize("count", [1, 4, 6])
def test_measurements_correct_shift_and_from_five_on_scale(count: int) -> None:
    plain = {row.name: row for row in rank_graphs(TRAINED, OTHERS)}
    measured = {name: 3.0 * plain[name].predicted + 2.0 for name in list(OTHERS)[:count]}
    rows = rank_graphs(TRAINED, OTHERS, measured)
    placed = [row.predicted if row.measured is None else row.measured for row in rows]
    assert placed == sorted(placed, reverse=True)
    for row in rows:
        expected = plain[row.name].predicted
        if count >= 5:
            assert row.predicted == pytest.approx(3.0 * expected + 2.0)
        else:
            mean = np.mean([plain[name].predicted for name in measured])
            assert row.predicted == pytest.approx(expected + 2.0 * mean + 2.0)
        assert row.low < row.predicted < row.high


def test_measurements_that_contradict_never_turn_the_order_round() -> None:
    plain = {row.name: row for row in rank_graphs(TRAINED, OTHERS)}
    rows = rank_graphs(TRAINED, OTHERS, {name: -plain[name].predicted for name in list(OTHERS)[:6]})
    left = [row for row in rows if row.measured is None]
    assert [row.name for row in left] == [row.name for row in plain.values() if row.name not in list(OTHERS)[:6]]
    assert min(row.high - row.low for row in rows) > 0.1


def test_a_shipped_ensemble_ranks_too_and_knows_no_distance() -> None:
    gennape = Predictor.from_pretrained("gennape-nb101")
    rows = rank_graphs(gennape, OTHERS)
    alone = dict(zip(OTHERS, gennape.predict(list(OTHERS.values())).mean, strict=True))
    assert [row.predicted for row in rows] == pytest.approx(sorted(alone.values(), reverse=True))
    assert {row.in_domain for row in rows} == {None}
