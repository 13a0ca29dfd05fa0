"""One network that holds all cells: what it computes, what it costs, what the parts of the published searches do."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from foretell.benchmarks.one_shot import OneShot, pool, search_of
from foretell.benchmarks.runner import Cell, Measurement
from foretell.capture import nasbench201
from foretell.capture.nasbench201 import EDGES, OPERATIONS
from foretell.errors import InvalidArchitectureError, InvalidDataError, InvalidSearchSpaceError
from foretell.one_shot import (
    CosinePower,
    DifferentiableSearch,
    MaxW,
    PathSampling,
    ResourceLimit,
    SharedWeights,
    Softmax,
    Supernet,
    VotingTeachers,
    WeightTraining,
    path,
)
from foretell.spaces.ready import nasbench201_cells

IMAGE = (1, 8, 8)
X = torch.randn(128, *IMAGE, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(128) % 4
X[:, 0, ::2] += LABELS[:, None, None].float()  # as strong as the stripes are
SHORT = WeightTraining(epochs=2, batch=32)
CELL = st.tuples(*[st.integers(0, len(OPERATIONS) - 1)] * len(EDGES))


def small(seed: int = 0) -> Supernet:
    return Supernet(channels=4, cells=1, classes=4, image=IMAGE, seed=seed)


@settings(max_examples=12)
@given(CELL)
def test_a_path_uses_the_weights_that_the_cell_has_by_itself(cell: tuple[int, ...]) -> None:
    assume(nasbench201.live_edges(cell))
    net = small()
    torch.autograd.backward(net(X[:8], path(cell)).square().sum())
    used = sum(p.numel() for p in net.parameters() if p.grad is not None)
    scales = sum(2 * p.shape[0] for n, p in net.named_parameters() if "operators" in n and p.grad is not None)
    assert used + scales == net.graph(cell).params  # normalisations on edges have none here


def test_a_path_computes_what_the_cell_does_by_itself() -> None:
    cell = (0, 1, 2, 3, 1, 4)
    net, alone = small(), nasbench201_cells(4, 1, 4, IMAGE).build(_config(cell)).train()
    shared = [p for n, p in net.named_parameters() if _on_path(n, cell) and p.dim() > 1]
    for p in alone.parameters():
        if p.dim() > 1:  # equal shapes come in the same order on both sides
            same = next(q for q in shared if q.shape == p.shape)
            shared = [q for q in shared if q is not same]
            p.data.copy_(same.data)
    head = next(m for m in alone.modules() if isinstance(m, torch.nn.Linear))
    head.bias.data.copy_(net.classifier.bias.data)
    torch.testing.assert_close(alone(X), net(X, path(cell)), atol=1e-5, rtol=1e-5)


def _config(cell: tuple[int, ...]) -> dict[str, str]:
    return {f"edge.{a}.{b}": OPERATIONS[digit] for (a, b), digit in zip(EDGES, cell, strict=True)}


def _on_path(name: str, cell: tuple[int, ...]) -> bool:
    live = nasbench201.live_edges(cell)
    return "operators" not in name or any(f"operators.{e}.{OPERATIONS[cell[e]]}." in name for e in live)


def test_a_mixture_is_the_sum_of_its_operators() -> None:
    net = small()
    cell = net.body[0]
    weights = torch.zeros(len(EDGES), len(OPERATIONS))
    weights[EDGES.index((0, 3))] = torch.tensor([0.5, 0.3, 0.1, 0.05, 0.05])
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    parts = [cell(x, path(tuple(k if e == EDGES.index((0, 3)) else 1 for e in range(6)))) for k in range(5)]
    expected = sum(w * part for w, part in zip(weights[EDGES.index((0, 3))], parts, strict=True))
    torch.testing.assert_close(cell(x, weights), expected)


def test_the_seed_alone_says_the_first_weights() -> None:
    before = torch.random.get_rng_state()
    one, again, other = small(3), small(3), small(4)
    assert torch.equal(torch.random.get_rng_state(), before)
    weights = path((0,) * 6)
    assert torch.equal(one(X, weights), again(X, weights))
    assert not torch.equal(one(X, weights), other(X, weights))


def test_max_w_leaves_the_strongest_as_it_is() -> None:
    alpha = torch.randn(6, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    weights, shares = MaxW().weights(alpha), Softmax().weights(alpha)
    assert torch.allclose(weights.max(dim=1).values, torch.ones(6))
    assert torch.allclose(weights - shares, (1 - shares.max(dim=1, keepdim=True).values).expand(6, 5))
    torch.autograd.backward(weights.max(dim=1).values.sum())
    assert alpha.grad is not None
    assert alpha.grad.abs().max() < 1e-6


@given(st.floats(1.0, 100.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_power_of_a_cosine_falls_from_one_to_the_last(power: float, last: float, a: float, b: float) -> None:
    schedule = CosinePower(power, last)
    assert math.isclose(schedule(0.0), 1.0)
    assert math.isclose(schedule(1.0), last, abs_tol=1e-9)
    assert schedule(max(a, b)) <= schedule(min(a, b)) + 1e-9
    assert schedule(a) <= CosinePower(1.0, last)(a) + 1e-9


def test_a_power_near_one_is_nearly_the_cosine() -> None:
    assert math.isclose(CosinePower(1.0 + 1e-6)(0.3), CosinePower(1.0)(0.3), abs_tol=1e-5)


@settings(max_examples=40)
@given(st.integers(0, 1000), st.floats(0.05, 1.2))
def test_projection_is_the_nearest_mixture_within_the_limit(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    costs, alpha = rng.random((6, 5)), 2 * rng.standard_normal((6, 5))
    low = float(costs.min(axis=1).sum())
    free = ResourceLimit(costs, 10.0)
    limit = ResourceLimit(costs, low + share * (free.expected(alpha) - low))
    found = limit.project(alpha)
    if share >= 1.0:
        assert found is alpha
        return
    assert math.isclose(limit.expected(found), limit.at_most, rel_tol=1e-6)
    moved = (alpha - found) / costs  # of the form t c: the stationarity of the divergence under one constraint
    np.testing.assert_allclose(moved, moved[0, 0], rtol=1e-6)
    assert moved[0, 0] > 0


def test_no_cell_within_the_limit_is_more_probable() -> None:
    rng = np.random.default_rng(1)
    costs, alpha = np.tile([0.0, 0.0, 9.0, 1.0, 0.0], (6, 1)), rng.standard_normal((6, 5))
    alpha[:, 2] += 3.0
    limit = ResourceLimit(costs, 20.0)
    cell = limit.best(alpha)
    assert sum(costs[e, d] for e, d in enumerate(cell)) <= 20.0
    for e in range(6):
        for d in range(5):
            other = (*cell[:e], d, *cell[e + 1 :])
            if sum(costs[i, k] for i, k in enumerate(other)) <= 20.0:
                assert alpha[e, d] <= alpha[e, cell[e]]


@pytest.mark.parametrize("measure", ["params", "flops"])
def test_costs_of_operators_add_up_to_the_network(measure: str) -> None:
    net = small()
    limit = ResourceLimit.of(net, measure, 1e9)
    for cell in ((2, 3, 0, 4, 2, 2), (3, 3, 3, 3, 3, 3), (0, 0, 4, 0, 0, 0)):
        total = sum(limit.costs[e, d] for e, d in enumerate(cell))
        assert math.isclose(1e9 - limit.at_most + total, getattr(net.graph(cell), measure))


def test_teachers_draw_answers_to_their_mean() -> None:
    votes, weights = VotingTeachers(count=2, every=3, weight=0.5).begin(), path((2, 2, 2, 0, 0, 0))
    logits = small()(X, weights)
    assert float(votes.loss(logits, X, weights)) == 0.0
    for step in range(10):
        votes.remember(step, small(step))
    assert len(votes) == 2
    mean = (small(6)(X, weights).softmax(1) + small(9)(X, weights).softmax(1)) / 2
    divergence = (mean * (mean.log() - logits.log_softmax(1))).sum(1).mean()
    torch.testing.assert_close(votes.loss(logits, X, weights), 0.5 * divergence.detach(), check_dtype=True)
    torch.testing.assert_close(votes.loss(mean.log(), X, weights), torch.zeros(()), atol=1e-6, rtol=0)


def test_training_paths_teaches_cells_and_repeats_itself() -> None:
    found = []
    for _ in range(2):
        net = small()
        before = SharedWeights(net, X, LABELS).loss((2, 2, 2, 0, 0, 0))
        PathSampling(replace(SHORT, epochs=6, teachers=VotingTeachers(1, every=9))).train(net, X, LABELS, seed=1)
        found.append(SharedWeights(net, X, LABELS).loss((2, 2, 2, 0, 0, 0)))
    assert found[0] == found[1]
    assert found[0] < before - 0.2


@pytest.mark.parametrize("mixing", [Softmax(), MaxW()], ids=["softmax", "max-w"])
def test_a_search_keeps_its_limit(mixing: Softmax | MaxW) -> None:
    net = small()
    free = DifferentiableSearch(SHORT, mixing, alpha_rate=0.2).run(net, X, LABELS)
    np.testing.assert_allclose(free.shares.sum(axis=1), 1.0)
    assert free.cell == tuple(free.shares.argmax(axis=1).tolist())
    limit = ResourceLimit.of(net, "params", net.graph((0, 0, 0, 0, 0, 0)).params + 600)
    bound = DifferentiableSearch(SHORT, mixing, limit, alpha_rate=0.2).run(small(), X, LABELS)
    assert limit.expected(np.log(bound.shares)) <= limit.at_most * (1 + 1e-4)
    assert net.graph(bound.cell).params <= net.graph((0, 0, 0, 0, 0, 0)).params + 600


def test_strengths_go_downhill() -> None:
    still = replace(SHORT, epochs=4, learning_rate=1e-12)
    net = small()
    found = DifferentiableSearch(still, alpha_rate=0.1).run(net, X, LABELS)
    losses = [
        float(torch.nn.functional.cross_entropy(net(X, w).detach(), LABELS))
        for w in (torch.full((6, 5), 0.2), torch.from_numpy(found.shares).float())
    ]
    assert losses[1] < losses[0] - 1e-3


def test_a_configuration_is_judged_as_its_cell() -> None:
    shared, cell = SharedWeights(small(), X, LABELS), (4, 3, 2, 1, 0, 2)
    assert shared.value(_config(cell)) == -shared.loss(cell)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CosinePower(0.5), InvalidDataError, "power >= 1"),
        (lambda: VotingTeachers(count=0), InvalidDataError, "count >= 1"),
        (lambda: WeightTraining(epochs=0), InvalidDataError, "epochs >= 1"),
        (lambda: DifferentiableSearch(alpha_rate=0.0), InvalidDataError, "alpha_rate > 0"),
        (lambda: PathSampling(SHORT).train(small(), X[:8], LABELS[:8]), InvalidDataError, "takes 32 images"),
        (lambda: ResourceLimit(np.ones((6, 5)), 5.0), InvalidDataError, "cheapest of 6"),
        (lambda: ResourceLimit.of(small(), "memory", 1e9), InvalidDataError, "'params' or 'flops'"),
        (lambda: ResourceLimit.of(small(), "params", 1.0), InvalidDataError, "raise the limit"),
        (lambda: path((0, 0, 7, 0, 0, 0)), InvalidArchitectureError, "six positions"),
        (lambda: SharedWeights(small(), X, LABELS).value({"edge.0.1": "none"}), InvalidSearchSpaceError, "each of six"),
    ],
)
def test_mistakes_are_named(make: object, error: type[Exception], message: str) -> None:
    assert callable(make)
    with pytest.raises(error, match=message):
        make()


def _rows(method: str, seed: int, scores: list[float]) -> list[Measurement]:
    where = ("nasbench201", "digits", len(scores), seed)
    return [Measurement("one-shot", method, *where, f"score {i}", score, "", "0") for i, score in enumerate(scores)]


def test_the_bench_compares_scores_with_trainings_by_hand() -> None:
    truth = [-0.1, -0.2, -0.3, -0.4, -0.5, -0.6, -0.7]
    rows = [row for seed in range(2) for row in _rows("trained", seed, truth)]
    rows += _rows("params", 0, [float(-i) for i in range(7)]) + _rows("paths", 0, [float(i) for i in range(7)])
    lines = {line[:22].strip(): line[22:].split() for line in OneShot().report(rows)[1:]}
    assert lines["trained"][:3] == ["2", "1", "0"]
    assert lines["params"][:3] == ["1", "1", "0"]
    assert lines["paths"][:3] == ["1", "-1", "0.2"]  # the third is the best of the last five
    assert OneShot().report(_rows("paths", 0, [1.0])) == ["nothing to compare with: measure `trained` too"]


def test_cells_of_the_bench_have_a_path_and_their_counts() -> None:
    cells = pool(20)
    assert len(set(cells)) == 20
    assert pool(5) == cells[:5]
    assert all(nasbench201.live_edges(cell) for cell in cells)
    found = OneShot().measure(Cell("params", "nasbench201", "digits", 5, 0))
    net = Supernet(4, 1, 10, IMAGE)
    assert [found[f"score {i}"][0] for i in range(5)] == [net.graph(cell).params for cell in cells[:5]]
    quick = OneShot().cells(["params", "paths"], 3, quick=True)
    assert [(c.method, c.seed) for c in quick] == [("params", 0), ("paths", 0)]
    assert len(OneShot().cells(["params", "paths"], 3, quick=False)) == 4


@pytest.mark.parametrize("method", [m for m in OneShot().methods if m.startswith(("paths", "darts"))])
def test_every_name_of_the_bench_is_a_setting(method: str) -> None:
    plain = search_of(method.split("-")[0], small(), 3)
    search = search_of(method, small(), 3)
    assert (search == plain) == ("-" not in method)
