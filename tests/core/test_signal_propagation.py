"""Signals and gradients by formula: against drawn weights, closed forms, all paths of small graphs, and renumbering."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.candidate import Candidate
from foretell.capture import nasbench101, nasbench201
from foretell.encoders import ENCODERS, SignalPropagation
from foretell.encoders.mean_field import MeanField, rectified
from foretell.graph import ComputationGraph, Node

SHAPE = (8, 4, 4)
KINDS = (("Conv", 3), ("Conv", 1), ("BatchNorm", 0), ("ReLU", 0), ("AvgPool", 3), ("Add", 0), ("Concat", 0))


def node(op: str, kernel: int = 0) -> Node:
    params = 64 * kernel**2 if op == "Conv" else 0
    return Node(op, SHAPE, SHAPE, kernel=(kernel, kernel), params=params, flops=2 * 16 * params)


def chain(*ops: tuple[str, int]) -> ComputationGraph:
    nodes = [node("Input"), *(node(*op) for op in ops), node("Output")]
    return ComputationGraph.from_nodes(nodes, list(itertools.pairwise(range(len(nodes)))))


def columns(*graphs: ComputationGraph) -> dict[str, np.ndarray]:
    found = SignalPropagation().encode([Candidate(g) for g in graphs])
    return dict(zip(found.names, found.values.T, strict=True))


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[Node], list[tuple[int, int]]]:
    """One input, one output, and between them any operators, each fed by one or two before it."""
    n = draw(st.integers(1, 6))
    nodes = [node("Input"), *(node(*draw(st.sampled_from(KINDS))) for _ in range(n)), node("Output")]
    edges = {(draw(st.integers(0, b - 1)), b) for b in range(1, n + 2) for _ in range(2)}
    return nodes, sorted(edges)


def test_a_rectifier_acts_on_moments_as_on_drawn_gaussians() -> None:
    rng = np.random.default_rng(0)
    for c in (-0.5, 0.2, 0.9):
        u, v = rng.multivariate_normal([0, 0], [[2.0, 2 * c], [2 * c, 2.0]], size=400_000).T
        drawn = (np.maximum(u, 0) * np.maximum(v, 0)).mean()
        assert rectified(np.array([2.0]), np.array([2 * c]))[0] == pytest.approx(drawn, abs=0.01)


def test_a_chain_has_the_moments_and_gradients_of_the_formulas() -> None:
    field = MeanField([chain(("Conv", 3), ("BatchNorm", 0), ("ReLU", 0))])
    np.testing.assert_allclose(field.q, [1, 1, 1, 0.5, 0.5])
    assert field.angle[3] == pytest.approx(math.acos(0.75) / math.pi)
    np.testing.assert_allclose(field.gradient, [0.5, 0.5, 0.5, 1, 1])


def test_a_sum_adds_and_its_shares_are_those_of_the_mean_squares() -> None:
    nodes = [node("Input"), node("Conv", 3), node("ReLU"), node("Add"), node("Output")]
    field = MeanField([ComputationGraph.from_nodes(nodes, [(0, 1), (1, 2), (0, 3), (2, 3), (3, 4)])])
    assert field.q[3] == pytest.approx(1.5)
    np.testing.assert_allclose(sorted(field.shares[field.steps[-2].edges]), [1 / 3, 2 / 3])
    assert field.gradient[0] == pytest.approx(1.5)  # 1 over the skip, 1 / 2 through the rectifier


def test_normalisation_makes_a_variance_of_one_and_takes_off_what_images_share() -> None:
    field = MeanField([chain(("ReLU", 0), ("BatchNorm", 0))])
    assert (field.q[2], field.far[2]) == (1.0, 0.0)
    assert field.far[1] == pytest.approx(1 / (2 * math.pi))


@given(networks())
@settings(max_examples=60, deadline=None)
def test_sums_over_paths_and_walks_are_those_over_all_paths(spec: tuple[list[Node], list[tuple[int, int]]]) -> None:
    nodes, edges = spec
    graph = ComputationGraph.from_nodes(nodes, edges)
    end = len(nodes) - 1
    parents = {b: [a for a, c in edges if c == b] for b in range(len(nodes))}
    ends = [v for v in range(len(nodes)) if not any(a == v for a, _ in edges)]

    def paths(v: int) -> list[tuple[list[int], float]]:
        if not parents[v]:
            return [([v], 1.0)]
        return [([*p, v], w / len(parents[v])) for u in parents[v] for p, w in paths(u)]

    every = [paths(v) for v in ends]
    convs = [[sum(nodes[v].op == "Conv" for v in p) for p, _ in one] for one in every]
    found = columns(graph)
    flat = [k for one in convs for k in one]
    assert found["paths_conv_1"][0] == pytest.approx(math.log(sum(math.exp(k) for k in flat)))
    assert found["log_paths"][0] == pytest.approx(math.log(len(flat)))
    means = [sum(k * w for k, (_, w) in zip(ks, one, strict=True)) for ks, one in zip(convs, every, strict=True)]
    assert found["walk_conv"][0] == pytest.approx(sum(means) / len(means))
    squares = [sum(k * k * w for k, (_, w) in zip(ks, one, strict=True)) for ks, one in zip(convs, every, strict=True)]
    deviations = [math.sqrt(max(s - m * m, 0)) for s, m in zip(squares, means, strict=True)]
    assert found["walk_spread_conv"][0] == pytest.approx(sum(deviations) / len(deviations), abs=1e-6)
    assert end in ends


@given(networks(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_renumbering_nodes_changes_nothing(spec: tuple[list[Node], list[tuple[int, int]]], random: object) -> None:
    nodes, edges = spec
    order = list(range(len(nodes)))
    random.shuffle(order)  # type: ignore[attr-defined]
    place = {old: new for new, old in enumerate(order)}
    other = ComputationGraph.from_nodes([nodes[i] for i in order], [(place[a], place[b]) for a, b in edges])
    here, there = columns(ComputationGraph.from_nodes(nodes, edges)), columns(other)
    for name in here:
        np.testing.assert_allclose(here[name], there[name], rtol=1e-9, atol=1e-7, err_msg=name)


def test_a_batch_is_its_singles_and_any_network_gives_finite_numbers() -> None:
    rng = np.random.default_rng(0)
    graphs = [nasbench201.graph(nasbench201.sample(rng)) for _ in range(4)] + [
        nasbench101.graph(*nasbench101.sample(rng)) for _ in range(4)
    ]
    graphs += [ComputationGraph.from_nodes([node("Input")], []), chain(*[("ReLU", 0), ("AvgPool", 3)] * 300)]
    together = SignalPropagation().encode([*map(Candidate, graphs), Candidate()])
    assert np.isfinite(together.values[:-1]).all()
    assert np.isnan(together.values[-1]).all()
    alone = np.concatenate([SignalPropagation().encode([Candidate(g)]).values for g in graphs])
    np.testing.assert_allclose(together.values[:-1], alone, rtol=1e-9, atol=1e-9)


def test_a_maximum_and_a_mean_are_one_pooling() -> None:
    here, there = columns(chain(("MaxPool", 3), ("Conv", 3))), columns(chain(("AvgPool", 3), ("Conv", 3)))
    for name in here:
        np.testing.assert_array_equal(here[name], there[name], err_msg=name)


def test_it_can_be_stored() -> None:
    assert ENCODERS.make("signal_propagation", SignalPropagation().to_config()) == SignalPropagation()
