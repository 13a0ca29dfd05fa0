"""Our search over programs: when it draws, what it expects of a trial, which kinds of networks it tries again."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from foretell.candidate import Candidate
from foretell.encoders import Derivation, Encoding
from foretell.spaces import Space, Trace, written
from foretell.spaces.edits import unwrap, wrap
from foretell.spaces.ready import einspace_tokens, nasbench201_cells
from foretell.spaces.searchers import ModelSearch
from foretell.spaces.searchers.derivation_belief import DerivationBelief
from foretell.spaces.searchers.model_search import draws_at

CELLS = nasbench201_cells()
TOKENS = einspace_tokens(6, 9, 4, 3)


@given(start=st.integers(1, 40), more=st.integers(1, 2000))
def test_draws_are_as_many_as_the_logarithm_says(start: int, more: int) -> None:
    low = 2 * start + 2  # from where on they are no longer all draws
    many = sum(draws_at(n, start) for n in range(low, low + more))
    assert many == math.floor(start * math.log(low + more - 1)) - math.floor(start * math.log(low - 1))
    assert all(draws_at(n, start) for n in range(start))


def believed(space: Space, n: int) -> tuple[DerivationBelief, Encoding]:
    rng = np.random.default_rng(0)
    traces = [space.draw(rng) for _ in range(n)]
    columns = Derivation().encode([Candidate(config=t.config) for t in traces])
    y = np.array([list(t.config.values()).count("nor_conv_3x3") for t in traces]) + 0.3 * rng.standard_normal(n)
    return DerivationBelief.fit(columns.rows(slice(0, n - 10)), y[: n - 10]), columns.rows(slice(n - 10, n))


def test_a_trial_deviates_from_the_function_as_observations_do() -> None:
    belief, new = believed(CELLS, 60)
    process = belief.process
    function = process.predict(belief.scaler.transform(new) * 0.174 - belief.centre)
    std, best = np.hypot(function.std, math.sqrt(process.t2)), process.y.max()
    z = (function.mean - best) / std
    expected = (function.mean - best) * norm.cdf(z) + std * norm.pdf(z)  # equation 9 before its logarithm
    np.testing.assert_allclose(np.exp(belief.score(new)), expected, rtol=1e-6)
    assert process.t2 > 1e-4


@given(seed=st.integers(0, 10_000))
def test_wrapping_keeps_what_is_wrapped_and_unwrapping_what_lies_within(seed: int) -> None:
    rng = np.random.default_rng(seed)
    trace = written(TOKENS, "residual(near) norm")
    texts = {f(TOKENS, trace, rng): f for f in (wrap, unwrap)}
    for made, change in texts.items():
        text = TOKENS.plan_of(made.config).text
        if change is wrap:
            assert len(made) > len(trace)
            assert "near" in text
            assert "norm" in text
        else:
            assert text == "embedding > near > norm > head"


def test_without_room_an_edit_is_a_mutation() -> None:
    rng = np.random.default_rng(0)
    cell = CELLS.draw(rng)
    for change in (wrap, unwrap):
        made = change(CELLS, cell, rng)
        assert sum(made.config[k] != v for k, v in cell.config.items()) == 1


def kinds(searcher: ModelSearch, n: int, word: str) -> list[bool]:
    """Which trials have an operator, where those that have it are no better than others until the end."""
    observed: dict[Trace, float] = {}
    for _ in range(n):
        trace = searcher.suggest(observed, 1)
        observed[trace] = 0.0 if word in trace.config.values() else 0.01 * list(trace.config.values()).count("relu")
    return [word in t.config.values() for t in observed]


def test_what_failed_is_tried_again_ever_more_seldom() -> None:
    tried = kinds(ModelSearch(TOKENS, start=4, edits=10, children=4), 30, "near")
    assert sum(tried[15:]) >= 1
    assert sum(tried[15:]) < sum(tried[:15])


def test_a_plateau_is_no_obstacle() -> None:
    searcher = ModelSearch(TOKENS, start=3, edits=10, children=4)
    observed: dict[Trace, float] = {}
    for _ in range(12):
        observed[searcher.suggest(observed, 0)] = -0.6931
    assert len(observed) == 12
    graphs = {TOKENS.graph(t.config).digest for t in list(observed)[3:]}
    assert len(graphs) == 9  # past the first draws, never the same network under another name
