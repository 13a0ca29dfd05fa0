"""The predictor and its checkpoints: learns, saves without loss, refuses what is damaged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from foretell.candidate import Candidate
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.encoders import GraphStatistics, Hyperparameters
from foretell.errors import CheckpointError, InvalidDataError, NotFittedError, PluginError
from foretell.graph import ComputationGraph, Node
from foretell.metrics import kendall_tau
from foretell.predictor import Predictor
from foretell.search_space import SearchSpace
from foretell.surrogates import ExtraTrees, GaussianProcess

SPACE = SearchSpace(
    {"lr": FloatDistribution(1e-4, 1e-1, log=True), "op": CategoricalDistribution("abc"), "n": IntDistribution(0, 9)}
)
ENCODERS = (GraphStatistics(), Hyperparameters(SPACE))


def network(depth: int, width: int) -> ComputationGraph:
    shape = (width, 8, 8)
    nodes = [Node("Input", shape, shape)]
    nodes += [Node("Conv", shape, shape, kernel=(3, 3), params=9 * width**2, flops=64 * width**2)] * depth
    nodes.append(Node("Output", shape, shape))
    return ComputationGraph.from_nodes(nodes, [(i, i + 1) for i in range(depth + 1)])


def data(n: int, seed: int = 0) -> tuple[list[Candidate], np.ndarray]:
    """Candidates whose target depends on network and configuration."""
    rng = np.random.default_rng(seed)
    graphs = [network(int(d), int(w)) for d, w in rng.integers(1, 9, (n, 2))]
    configs = [SPACE.sample(rng) for _ in range(n)]
    y = [0.1 * len(g) - (np.log10(c["lr"]) + 2) ** 2 for g, c in zip(graphs, configs, strict=True)]
    return [Candidate(g, c) for g, c in zip(graphs, configs, strict=True)], np.array(y)


SURROGATES = [GaussianProcess(), ExtraTrees(n_trees=30)]
BOTH = pytest.mark.parametrize("surrogate", SURROGATES, ids=lambda s: s.name)


@BOTH
def test_it_ranks_unseen_candidates(surrogate: object) -> None:
    items, y = data(80)
    new, truth = data(50, seed=1)
    predictor = Predictor(ENCODERS, surrogate).fit(items, y)  # type: ignore[arg-type]
    assert kendall_tau(truth, predictor.predict(new).mean) > 0.6
    order = predictor.rank(new)
    assert sorted(order.tolist()) == list(range(50))
    assert truth[order[:10]].mean() > truth[order[-10:]].mean() + 0.5


def test_intervals_cover() -> None:
    items, y = data(80)
    new, truth = data(80, seed=1)
    posterior = Predictor(ENCODERS).fit(items, y).predict(new)
    inside = (truth >= posterior.quantile(0.05)) & (truth <= posterior.quantile(0.95))
    assert 0.75 < inside.mean()
    assert (posterior.quantile(0.05) < posterior.quantile(0.95)).all()
    assert posterior.sample(3, seed=0).shape == (3, 80)


@BOTH
def test_a_batch_equals_singles(surrogate: object) -> None:
    items, y = data(30)
    predictor = Predictor(ENCODERS, surrogate).fit(items, y)  # type: ignore[arg-type]
    singly = np.concatenate([predictor.predict([item]).mean for item in items])
    np.testing.assert_allclose(predictor.predict(items).mean, singly, rtol=1e-9)


def test_graphs_and_configs_may_come_bare() -> None:
    items, y = data(20)
    by_graph = Predictor().fit([c.graph for c in items], y)  # type: ignore[misc]
    by_config = Predictor((Hyperparameters(SPACE),)).fit([dict(c.config) for c in items], y)
    assert by_graph.predict([items[0]]).mean.shape == (1,)
    np.testing.assert_array_equal(by_config.predict(items).mean, by_config.predict([c.config for c in items]).mean)


def test_candidates_without_a_graph_are_predicted_too() -> None:
    items, y = data(30)
    mixed = [c if i % 3 else Candidate(config=c.config) for i, c in enumerate(items)]
    posterior = Predictor(ENCODERS).fit(mixed, y).predict([Candidate(config=items[0].config), Candidate()])
    assert np.isfinite(posterior.mean).all()
    assert (posterior.std > 0).all()


def test_predicting_nothing() -> None:
    items, y = data(5)
    assert Predictor(ENCODERS).fit(items, y).predict([]).mean.shape == (0,)
    assert Predictor(ENCODERS).fit(items, y).rank([]).shape == (0,)


def test_repr_and_refusal_before_fit(tmp_path: Path) -> None:
    predictor = Predictor(ENCODERS)
    assert repr(predictor) == "Predictor(graph_statistics + hyperparameters -> gaussian_process, not fitted)"
    for act in (lambda: predictor.predict([{}]), lambda: predictor.rank([{}]), lambda: predictor.save(tmp_path)):
        with pytest.raises(NotFittedError, match="must be fitted before it predicts.*call fit or load first"):
            act()
    items, y = data(5)
    assert repr(predictor.fit(items, y)).endswith("fitted)")
    assert "not fitted" not in repr(predictor)


@pytest.mark.parametrize(
    ("y", "message"),
    [([1.0, 2.0], "one target a candidate is needed, but got 3 and 2"), ([1.0, np.nan, 2.0], "with 1 nan"),
     ([[1.0], [2.0], [3.0]], "must be a vector")],
)  # fmt: skip
def test_a_failed_fit_leaves_the_earlier_one(y: list, message: str) -> None:
    items, good = data(3)
    predictor = Predictor(ENCODERS).fit(items, good)
    before = predictor.predict(items).mean
    with pytest.raises(InvalidDataError, match=message):
        predictor.fit(items, y)
    np.testing.assert_array_equal(predictor.predict(items).mean, before)


def test_fitting_nothing_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="but got 0 and 0"):
        Predictor(ENCODERS).fit([], [])


# checkpoints


@BOTH
def test_a_fresh_process_predicts_the_same_bits(surrogate: object, tmp_path: Path) -> None:
    items, y = data(25)
    predictor = Predictor(ENCODERS, surrogate).fit(items, y)  # type: ignore[arg-type]
    predictor.save(tmp_path / "deep" / "model")
    new, _ = data(10, seed=1)
    np.savez(tmp_path / "x.npz", **{f"{i}.{k}": a for i, c in enumerate(new) for k, a in c.graph.to_arrays().items()})  # type: ignore[union-attr]
    (tmp_path / "x.json").write_text(json.dumps([dict(c.config) for c in new]))
    code = (
        "import sys, json, numpy as np; from foretell import *\n"
        "folder = sys.argv[1]; a = np.load(folder + '/x.npz'); cs = json.load(open(folder + '/x.json'))\n"
        "g = [ComputationGraph.from_arrays({k.split('.')[1]: a[k] for k in a if k.startswith(f'{i}.')})"
        " for i in range(len(cs))]\n"
        "p = Predictor.load(folder + '/deep/model').predict([Candidate(x, c) for x, c in zip(g, cs)])\n"
        "print((p.mean.tobytes() + p.std.tobytes() + p.sample(2, 0).tobytes()).hex())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    ).stdout
    here = predictor.predict(new)
    assert out.strip() == (here.mean.tobytes() + here.std.tobytes() + here.sample(2, 0).tobytes()).hex()


def test_nothing_is_pickled_and_nothing_else_is_written(saved: Path) -> None:
    assert sorted(p.name for p in saved.iterdir()) == ["config.json", "model.safetensors"]
    config = json.loads((saved / "config.json").read_text())
    assert [e["name"] for e in config["encoders"]] == ["graph_statistics", "hyperparameters"]


def test_saving_again_replaces(saved: Path) -> None:
    items, y = data(9, seed=5)
    other = Predictor((Hyperparameters(SPACE),)).fit(items, y)
    other.save(saved)
    np.testing.assert_array_equal(Predictor.load(saved).predict(items).mean, other.predict(items).mean)


def test_columns_that_never_vary_can_be_saved(tmp_path: Path) -> None:
    predictor = Predictor().fit([network(2, 2)] * 4, [1.0, 2.0, 3.0, 4.0])
    predictor.save(tmp_path)
    again = Predictor.load(tmp_path).predict([network(3, 3)])
    np.testing.assert_array_equal(again.mean, predictor.predict([network(3, 3)]).mean)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a whole checkpoint."""
    items, y = data(12)
    Predictor(ENCODERS).fit(items, y).save(tmp_path)
    return tmp_path


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_arrays(folder: Path, **changes: np.ndarray | None) -> None:
    path = folder / "model.safetensors"
    merged = {**load_file(path), **{k.replace("__", "."): a for k, a in changes.items()}}
    save_file({k: a for k, a in merged.items() if a is not None}, path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_truncated_arrays(saved: Path, share: float) -> None:
    path = saved / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"folder with model.safetensors and config.json, but .* cannot be read"):
        Predictor.load(saved)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_missing_files(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(CheckpointError, match="cannot be read .* save it again"):
        Predictor.load(saved)


@pytest.mark.parametrize("text", ["", "{", "\x80", '{"format": 1'])
def test_damaged_settings(saved: Path, text: str) -> None:
    (saved / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CheckpointError, match="cannot be read"):
        Predictor.load(saved)


@pytest.mark.parametrize("text", ["[]", "3", "{}"])
def test_settings_of_something_else(saved: Path, text: str) -> None:
    (saved / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match="checkpoints of format 1 can be read, but .* has"):
        Predictor.load(saved)


def test_other_versions(saved: Path) -> None:
    change_config(saved, vocabulary=1)
    with pytest.raises(CheckpointError, match="operator vocabulary 2 is in use, but .* was made with 1: fit it again"):
        Predictor.load(saved)
    change_config(saved, format=99)
    with pytest.raises(CheckpointError, match="checkpoints of format 1 can be read, but .* has 99"):
        Predictor.load(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_must_be_finite(saved: Path, value: float) -> None:
    theta = load_file(saved / "model.safetensors")["surrogate.theta"]
    theta[0] = value
    change_arrays(saved, surrogate__theta=theta)
    with pytest.raises(CheckpointError, match=r"must be finite, but .* in \['surrogate.theta'\]"):
        Predictor.load(saved)


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: change_arrays(f, surrogate__theta=None),
        lambda f: change_arrays(f, warp__values=None),
        lambda f: change_arrays(f, scaler__keep=None),
        lambda f: change_arrays(f, surrogate__X=np.zeros((2, 2))),
        lambda f: change_arrays(f, surrogate__index=np.array([99])),
        lambda f: change_config(f, encoders=None),
        lambda f: change_config(f, encoders=[{"name": "hyperparameters", "config": {}}]),
        lambda f: change_config(f, surrogate={"name": "gaussian_process", "config": {"depth": 3}}),
        lambda f: change_config(f, surrogate="gaussian_process"),
    ],
)
def test_incomplete_contents(saved: Path, damage: object) -> None:
    damage(saved)  # type: ignore[operator]
    with pytest.raises(CheckpointError, match="must hold a whole predictor, but .* save it again"):
        Predictor.load(saved)


def test_a_part_from_an_absent_plugin_is_named(saved: Path) -> None:
    change_config(saved, surrogate={"name": "acme_boost", "config": {}})
    with pytest.raises(PluginError, match="'acme_boost': install its plugin"):
        Predictor.load(saved)
