"""Networks over small graphs: rebuilding graphs, ranking of unseen cells, and what every surrogate owes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import foretell
from foretell.errors import CheckpointError, InvalidDataError
from foretell.metrics import kendall_tau
from foretell.surrogates import (
    SURROGATES,
    AdjacencyNetwork,
    BayesianNetwork,
    ExtraTrees,
    FlowNetwork,
    MlpEnsemble,
    PairwiseNetwork,
    RandomForest,
    SupportVectors,
    TwoStage,
)
from foretell.surrogates.dense_graphs import GraphColumns
from foretell.surrogates.network_ensemble import held_out_rows
from foretell.surrogates.pairwise_network import relation_loss

N, K = 6, 5
GROUPS = ("operators",) * (N * K) + ("edges",) * (N * (N - 1) // 2)
ALL = [
    AdjacencyNetwork(width=48, head_width=48, n_epochs=60, learning_rate=2e-3, n_members=3),
    FlowNetwork(n_layers=2, width=32, hidden=32, embedding=16, head_width=32, n_epochs=20),
    PairwiseNetwork(n_layers=3, width=64, n_epochs=60, learning_rate=2e-3, batch_size=32),
]
EACH = pytest.mark.parametrize("surrogate", ALL, ids=lambda s: s.name)
TINY = [
    AdjacencyNetwork(n_layers=2, width=8, head_width=8, n_epochs=2, n_members=2),
    FlowNetwork(n_layers=2, width=8, hidden=8, embedding=4, head_width=8, n_epochs=2),
    PairwiseNetwork(n_layers=2, width=8, n_epochs=2),
    TwoStage(AdjacencyNetwork(width=8, n_epochs=2, n_members=2), ExtraTrees(5)),
]
EACH_TINY = pytest.mark.parametrize("surrogate", TINY, ids=lambda s: s.name)


def cells(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random cells of 4 to N nodes; the target is the heaviest path from the input, standardised roughly."""
    rng = np.random.default_rng(seed)
    worth = np.array([0.0, 1.0, 0.3, -0.5, 0.0])
    adjacency, operators, y = np.zeros((n, N, N)), np.zeros((n, N, K)), np.zeros(n)
    for b in range(n):
        m = int(rng.integers(4, N + 1))
        kinds = np.concatenate([[0], rng.integers(1, 4, m - 2), [4]])
        operators[b, np.arange(m), kinds] = 1.0
        best = np.zeros(m)
        for j in range(1, m):
            adjacency[b, :j, j] = rng.random(j) < 0.35
            if not adjacency[b, :j, j].any():
                adjacency[b, rng.integers(0, j), j] = 1.0
            best[j] = worth[kinds[j]] + best[np.flatnonzero(adjacency[b, :, j])].max()
        y[b] = best[-1]
    upper = adjacency[:, *np.triu_indices(N, 1)]
    return np.concatenate([operators.reshape(n, -1), upper], axis=1), y - 1.0


def test_graphs_are_rebuilt() -> None:
    """Three nodes, two classes, one column of the whole network in between; the second graph has two nodes."""
    groups = ["operators"] * 6 + ["flops"] + ["edges"] * 3
    X = np.array([[1, 0, 0, 1, 1, 0, 7.0, 1, 0, 1], [0, 1, 0, 1, 0, 0, 8.0, 1, 0, 0]])
    columns = GraphColumns.of(groups)
    graphs = columns.graphs(X)
    assert (columns.n_nodes, columns.n_classes) == (3, 2)
    assert graphs.operators[0].tolist() == [[1, 0], [0, 1], [1, 0]]
    assert graphs.adjacency.tolist() == [[[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[0, 1, 0], [0, 0, 0], [0, 0, 0]]]
    assert graphs.mask.tolist() == [[True, True, True], [True, True, False]]
    assert graphs.extras.tolist() == [[7], [8]]


@pytest.mark.parametrize("n", [2, 3, 4, 8, 20])
def test_nodes_are_counted_from_edges(n: int) -> None:
    assert GraphColumns.of(["edges"] * (n * (n - 1) // 2) + ["operators"] * (2 * n)).n_nodes == n


@pytest.mark.parametrize(
    "groups",
    [
        [], ["flops"] * 4, ["operators"] * 4, ["edges"] * 3, ["operators"] * 6 + ["edges"] * 2,
        ["operators"] * 7 + ["edges"] * 3,
    ],
)  # fmt: skip
def test_columns_that_hold_no_graphs_are_refused(groups: list[str]) -> None:
    with pytest.raises(InvalidDataError, match="graphs need N .* encode with one adjacency encoder"):
        AdjacencyNetwork().fit(np.zeros((3, len(groups))), np.zeros(3), groups)


@EACH
def test_unseen_cells_are_ranked_and_covered(surrogate: object) -> None:
    X, y = cells(300)
    fitted = surrogate.fit(X[:100], y[:100], GROUPS)  # type: ignore[attr-defined]
    posterior = fitted.predict(X[100:])
    assert kendall_tau(y[100:], posterior.mean) > 0.5
    inside = np.abs(y[100:] - posterior.mean) < 1.645 * posterior.std
    assert 0.75 < inside.mean() <= 0.995
    order = np.random.default_rng(0).permutation(200)
    np.testing.assert_allclose(fitted.predict(X[100:][order]).mean, posterior.mean[order], atol=1e-5)
    singly = np.concatenate([fitted.predict(x[None]).std for x in X[:5]])
    np.testing.assert_allclose(fitted.predict(X[:5]).std, singly, rtol=1e-4)


@EACH_TINY
def test_arrays_and_settings_round_trip(surrogate: object) -> None:
    X, y = cells(24)
    groups = (*GROUPS, "flops", "flops")
    X = np.concatenate([X, np.random.default_rng(0).standard_normal((24, 2))], axis=1)
    fitted = surrogate.fit(X, y, groups)  # type: ignore[attr-defined]
    rebuilt = SURROGATES.make(surrogate.name, surrogate.to_config())  # type: ignore[attr-defined]
    assert rebuilt == surrogate
    again = rebuilt.from_arrays({k: a.copy() for k, a in fitted.to_arrays().items()})
    np.testing.assert_array_equal(again.predict(X).mean, fitted.predict(X).mean)
    np.testing.assert_array_equal(again.predict(X).std, fitted.predict(X).std)
    assert fitted.predict(X[:0]).mean.shape == (0,)


@EACH_TINY
@pytest.mark.parametrize("n", [1, 2, 5, 11])
def test_degenerate_inputs(surrogate: object, n: int) -> None:
    X, y = cells(n)
    X[-1] = 0.0  # a candidate without a graph
    for target in (y, np.full(n, 0.3)):
        posterior = surrogate.fit(X, target, GROUPS).predict(np.concatenate([X, 0 * X]))  # type: ignore[attr-defined]
        assert np.isfinite(posterior.mean).all()
    np.testing.assert_allclose(posterior.mean, 0.3, atol=1e-6)


@pytest.mark.parametrize("surrogate", TINY[:3], ids=lambda s: s.name)
def test_padding_changes_nothing(surrogate: object) -> None:
    """Cells in columns for one node more are the same cells."""
    X, y = cells(12)
    fitted = surrogate.fit(X, y, GROUPS)  # type: ignore[attr-defined]
    graphs = GraphColumns.of(GROUPS).graphs(X)
    wide = np.zeros((12, N + 1, N + 1))
    wide[:, :N, :N] = graphs.adjacency
    upper = wide[:, *np.triu_indices(N + 1, 1)]
    padded = np.concatenate([graphs.operators.reshape(12, -1), np.zeros((12, K)), upper], axis=1)
    columns = GraphColumns.of(("operators",) * ((N + 1) * K) + ("edges",) * upper.shape[1])
    assert columns.tensors(padded)[1].shape == GraphColumns.of(GROUPS).tensors(X)[1].shape
    np.testing.assert_allclose(replace(fitted, layout=columns).scores(padded), fitted.scores(X), atol=1e-5)


def digest() -> str:
    X, y = cells(12)
    state = torch.random.get_rng_state()
    flat = [MlpEnsemble(n_epochs=2), BayesianNetwork(n_epochs=2, n_passes=3), RandomForest(5), SupportVectors(3)]
    means = [s.fit(X, y, GROUPS).predict(X).mean for s in (*TINY, *flat)]  # type: ignore[attr-defined]
    assert torch.equal(state, torch.random.get_rng_state())  # the global generator is left alone
    return hashlib.sha256(np.concatenate(means).tobytes()).hexdigest()


def test_another_process_finds_the_same() -> None:
    code = (
        "import importlib.util as u, sys, torch; torch.set_num_threads(1);"
        "s = u.spec_from_file_location('m', sys.argv[1]); m = u.module_from_spec(s); s.loader.exec_module(m);"
        "print(m.digest())"
    )
    path = os.pathsep.join([str(Path(foretell.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code, __file__], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.stdout.strip() == digest()


def test_the_seed_decides() -> None:
    X, y = cells(12)
    a, b = (AdjacencyNetwork(width=8, n_epochs=1, n_members=2, seed=s).fit(X, y, GROUPS).predict(X) for s in (0, 1))
    assert not np.array_equal(a.mean, b.mean)


def test_a_convolution_by_hand() -> None:
    """One member, one layer of one channel, two nodes a -> b, head and out the identity."""
    network = AdjacencyNetwork(n_layers=1, width=1, head_width=1)
    w = {
        "along0.weight": [[[2.0], [3.0]]], "along0.bias": [[[0.0]]], "against0.weight": [[[-1.0], [4.0]]],
        "against0.bias": [[[1.0]]], "head.weight": [[[1.0]]], "head.bias": [[[0.0]]], "out.weight": [[[1.0]]],
        "out.bias": [[[0.5]]],
    }  # fmt: skip
    inputs = GraphColumns.of(["operators"] * 4 + ["edges"]).tensors(np.array([[1.0, 0.0, 0.0, 1.0, 1.0]]))
    score = network.score(
        {k: torch.tensor(v) for k, v in w.items()}, tuple(torch.from_numpy(i)[None] for i in inputs), None
    )
    # A = [[.5, .5], [0, 1]]: A V W+ = [2.5, 3]; A^T V W- + 1 = [.5, 4.5]; mean of halves of sums
    assert score.item() == pytest.approx(0.5 * (0.5 * (2.5 + 0.5) + 0.5 * (3.0 + 4.5)) + 0.5)


def test_flow_is_that_of_one_node_after_another() -> None:
    """The released equations written as loops over nodes and edges of one cell, for the second of two members."""
    network = FlowNetwork(n_layers=2, width=6, hidden=5, embedding=4, head_width=7, n_epochs=1)
    X, y = cells(9)
    X = np.concatenate([X, np.random.default_rng(1).standard_normal((9, 2))], axis=1)
    fitted = network.fit(X, y, (*GROUPS, "flops", "flops"))
    w = {k: np.asarray(a[1], dtype=np.float64) for k, a in fitted.weights.items()}

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ w[f"{name}.weight"] + w[f"{name}.bias"][0]

    def relu(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0.0)

    def flow(way: str, state: list[np.ndarray], operators: list[np.ndarray], feeds: list[list[int]]) -> list:
        for i in range(2):
            both = [linear(f"{way}{i}.both", x) for x in state]
            sent, kept = [b[:6] for b in both], [b[6:] for b in both]
            after = []
            for j, sources in enumerate(feeds):
                gate = 1 / (1 + np.exp(-linear(f"{way}.gates", operators[j])[6 * i : 6 * i + 6]))
                logits = [(w[f"{way}{i}.attention.weight"][:, 0] * kept[j] * kept[k]).sum() for k in [*sources, j]]
                share = np.exp([v if v > 0 else 0.01 * v for v in logits])
                mixed = gate * sum(a * kept[k] for a, k in zip(share / share.sum(), [*sources, j], strict=True))
                normal = (mixed - mixed.mean()) / np.sqrt(mixed.var() + 1e-5)
                value = 0.5 * (gate * sum((sent[k] for k in sources), np.zeros(6)) + sent[j] + normal)
                after.append(value if i == 1 else relu(value))
            state = after
        return state

    graphs = GraphColumns.of((*GROUPS, "flops", "flops")).graphs(X)
    for b in range(9):
        m = int(graphs.mask[b].sum())
        A = graphs.adjacency[b, :m, :m]
        before, behind = ([np.flatnonzero(row).tolist() for row in M] for M in (A.T, A))
        operators = [linear("operators", o) for o in graphs.operators[b, :m].astype(np.float64)]
        start = [linear("state", linear("source", np.array([float(not p)]))) for p in before]
        state = flow("forward", start, operators, before)
        message = linear("turn1", relu(linear("turn0", state[-1])))
        back = flow("back", [np.zeros(6)] * (m - 1) + [message], operators, behind)
        moved = [np.concatenate(parts) for parts in zip(operators, state, back, strict=True)]
        operators = [
            o + 0.1 * linear("update1", relu(linear("update0", v))) for o, v in zip(operators, moved, strict=True)
        ]
        features = np.mean(flow("forward", start, operators, before), axis=0)
        side = linear("extras2", relu(linear("extras1", relu(linear("extras0", X[b, -2:])))))
        features = np.concatenate([features, side])
        for i in range(3):
            features = relu(linear(f"head{i}", features))
        assert fitted.scores(X)[1, b] == pytest.approx(float(linear("out", features)[0]), abs=1e-5)


def test_the_global_node_hears_all_by_hand() -> None:
    """One layer of one channel, nodes a -> b, W = (2, 3): the global node's mean of (2, 3, 0) is its feature."""
    network = PairwiseNetwork(n_layers=1, width=1)
    w = {
        "convolution0.weight": [[[2.0], [3.0]]], "convolution0.bias": [[[0.25]]], "out.weight": [[[4.0]]],
        "out.bias": [[[1.0]]],
    }  # fmt: skip
    inputs = GraphColumns.of(["operators"] * 4 + ["edges"]).tensors(np.array([[1.0, 0.0, 0.0, 1.0, 1.0]]))
    score = network.score(
        {k: torch.tensor(v) for k, v in w.items()}, tuple(torch.from_numpy(i)[None] for i in inputs), None
    )
    assert score.item() == pytest.approx(4.0 * (5.0 / 3.0 + 0.25) + 1.0)


def test_losses_by_hand() -> None:
    scores, y = torch.tensor([[1.0, 0.5, 0.0]]), torch.tensor([[2.0, 1.0, 1.0]])
    expected = np.mean(np.log1p(np.exp([-0.5, -1.0])))  # the second and third are equally good: no pair
    assert relation_loss(scores, y).item() == pytest.approx(expected)
    assert FlowNetwork(margin=0.7).loss(scores, y).item() == pytest.approx(0.1)  # mean of .7 - .5 and 0
    assert FlowNetwork().loss(scores, torch.zeros(1, 3)).item() == 0.0


def test_members_leave_different_rows_out() -> None:
    held = held_out_rows(20, 5, 0.2, 0)
    assert sorted(np.concatenate(held).tolist()) == list(range(20))
    assert [len(h) for h in held_out_rows(4, 3, 0.2, 0)] == [0, 0, 0]
    assert [len(h) for h in held_out_rows(5, 2, 0.99, 0)] == [4, 4]


def test_damaged_arrays_are_refused() -> None:
    X, y = cells(12)
    arrays = TINY[0].fit(X, y, GROUPS).to_arrays()
    with pytest.raises(CheckpointError, match="an ensemble has weights and a scale .* save it again"):
        TINY[0].from_arrays({**arrays, "scale": arrays["scale"][:1]})


def test_two_stages_are_a_mixture() -> None:
    """Sure survivors are the regressor's; where the filter is sure of failure, the failed rows speak."""
    rng = np.random.default_rng(0)
    X = rng.random((200, 3))
    fails = X[:, 0] < 0.25
    y = np.where(fails, -2.0 + 0.1 * rng.standard_normal(200), X[:, 1])
    fitted = TwoStage(RandomForest(30), ExtraTrees(30), float(fails.mean())).fit(X, y, ("g",) * 3)
    new = rng.random((200, 3))
    p, posterior, good = fitted.pass_probability(new), fitted.predict(new), fitted.regressor.predict(new)
    assert (p[new[:, 0] > 0.3] > 0.95).all()
    assert (p[new[:, 0] < 0.2] < 0.05).all()
    np.testing.assert_allclose(posterior.mean, p * good.mean + (1 - p) * y[fails].mean(), atol=1e-9)
    alive = new[:, 0] > 0.3
    assert kendall_tau(new[alive, 1], posterior.mean[alive]) > 0.8
    draws = np.where(rng.random((40_000, 1)) < p[:9], rng.normal(good.mean[:9], good.std[:9], (40_000, 9)),
                     rng.normal(y[fails].mean(), y[fails].std(), (40_000, 9)))  # fmt: skip
    np.testing.assert_allclose(draws.std(axis=0), posterior.std[:9], rtol=0.05)


def test_a_quantile_beyond_its_range_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="`0 <= quantile < 1` must hold, but got .*1.5"):
        TwoStage(quantile=1.5)
