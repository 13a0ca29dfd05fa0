"""Parts of a checkpoint that do not fit together are refused, each with its reason."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from foretell.encoders import ColumnScaler, Encoding
from foretell.errors import CheckpointError, InvalidDataError
from foretell.pretraining.folded_graphs import FoldedGraphs
from foretell.pretraining.fuzzy_heads import FuzzyHeads
from foretell.pretraining.graph_encoder import EncoderSettings, GraphEncoder
from foretell.pretraining.stored_modules import check_heads, stored_encoder
from foretell.surrogates import ExtraTrees, GaussianProcess
from foretell.surrogates.sound_trees import sound_trees
from foretell.target_warp import TargetWarp
from foretell.training_domain import TrainingDomain

X, Y = np.random.default_rng(0).normal(size=(12, 3)), np.random.default_rng(1).normal(size=12)


def test_a_target_needs_increasing_values() -> None:
    warp = TargetWarp.fit(Y)
    again = TargetWarp.from_arrays({"values": warp.values, "scores": warp.scores})
    np.testing.assert_array_equal(again.inverse(again.forward(Y)), warp.inverse(warp.forward(Y)))
    for wrong in (warp.values[::-1], warp.values[:3], warp.values.astype(np.float32), warp.values[:, None]):
        with pytest.raises(CheckpointError, match="needs increasing values and scores"):
            TargetWarp.from_arrays({"values": wrong, "scores": warp.scores})


@pytest.mark.parametrize("change", [{"points": np.zeros((0, 64), np.float32)}, {"limit": np.ones(2)}, {"size": Y}])
def test_a_domain_needs_points(change: dict[str, np.ndarray]) -> None:
    arrays = TrainingDomain.fit(X).to_arrays()
    assert TrainingDomain.from_arrays(arrays).size == 12
    with pytest.raises(CheckpointError, match="needs points of 64 numbers"):
        TrainingDomain.from_arrays({**arrays, **change})


def test_a_scaler_needs_a_divisor_of_every_column() -> None:
    names = ("a", "b", "c")
    encoding = Encoding(X, names, names, np.zeros(3, dtype=bool))
    scaler = ColumnScaler.fit(encoding)
    arrays = scaler.to_arrays()
    assert ColumnScaler.from_arrays(arrays, scaler.groups).groups == scaler.groups
    for change in ({"scale": np.zeros(3)}, {"keep": np.ones(3)}, {"centre": np.zeros(2)}):
        with pytest.raises(CheckpointError, match="a stored scaler needs"):
            ColumnScaler.from_arrays({**arrays, **change}, scaler.groups)
    with pytest.raises(CheckpointError, match="a stored scaler needs"):
        ColumnScaler.from_arrays(arrays, ["a"])
    with pytest.raises(InvalidDataError, match="3 columns were learnt from, but got 2"):
        scaler.transform(Encoding(X[:, :2], names[:2], names[:2], np.zeros(2, dtype=bool)))


def test_a_process_needs_rows_and_scales() -> None:
    fitted = GaussianProcess().fit(X, Y, ["a", "a", "b"])
    arrays = fitted.to_arrays()
    again = GaussianProcess().from_arrays(arrays)
    np.testing.assert_array_equal(again.predict(X).mean, fitted.predict(X).mean)
    for change in (
        {"index": np.array([0, 1, 9])}, {"y": Y[:4]}, {"X": X.astype(np.float32)}, {"X": X[:0], "y": Y[:0]},
        {"X": np.zeros((2**14 + 1, 3)), "y": np.zeros(2**14 + 1)},
    ):  # fmt: skip
        with pytest.raises(CheckpointError, match="a stored process needs 1 to 16384 rows"):
            GaussianProcess().from_arrays({**arrays, **change})


def test_trees_do_not_ask_for_columns_that_are_not_there() -> None:
    fitted = ExtraTrees(n_trees=3).fit(X, Y, ["a"] * 3)
    with pytest.raises(InvalidDataError, match="these trees ask for column"):
        fitted.predict(X[:, :1])


def model_text() -> str:
    lightgbm = pytest.importorskip("lightgbm")
    settings = {"verbosity": -1, "min_data_in_leaf": 1, "min_data_in_bin": 1, "num_leaves": 4, "num_threads": 1}
    return str(lightgbm.train(settings, lightgbm.Dataset(X, label=Y), 3).model_to_string())


def test_trees_written_anew_say_the_same() -> None:
    import lightgbm

    text = model_text()
    again = lightgbm.Booster(model_str=sound_trees(text.encode()).decode())
    assert np.array_equal(again.predict(X), lightgbm.Booster(model_str=text).predict(X))
    contributions = again.predict(X, pred_contrib=True)
    assert np.array_equal(contributions, lightgbm.Booster(model_str=text).predict(X, pred_contrib=True))
    assert sound_trees(sound_trees(text.encode())) == sound_trees(text.encode())


@pytest.mark.parametrize(
    ("pattern", "changed"),
    [
        (r"left_child=\S+", "left_child=9"), (r"left_child=\S+", "left_child=0"),
        (r"right_child=\S+", "right_child=-99"), (r"split_feature=\S+", "split_feature=3"),
        (r"num_leaves=4", "num_leaves=100000"), (r"num_leaves=4", "num_leaves=-1"),
        (r"leaf_value=\S+", "leaf_value=nan"), (r"num_cat=0", "num_cat=1"),
        (r"decision_type=\S+", "decision_type=1"), (r"max_feature_idx=2", "max_feature_idx=1000000000"),
        (r"num_class=1", "num_class=5"), (r"end of trees", "no end"), (r"version=v4", "version=v9"),
        (r"threshold=\S+", "threshold="), (r"shrinkage=\S+", "shrinkage=inf"),
    ],
)  # fmt: skip
def test_a_text_of_trees_that_lies_is_refused(pattern: str, changed: str) -> None:
    text = model_text()
    assert re.search(pattern, text)
    with pytest.raises(CheckpointError, match="stored trees must be what LightGBM 4 writes"):
        sound_trees(re.sub(pattern, changed, text, count=1).encode())


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("colour", lambda a: a + 1000, "`colour` points beyond"),
        ("owner", lambda a: a[::-1].copy(), "`owner` must not fall"),
        ("target.0.0", lambda a: a.astype(np.int64), "`target.0.0` must be a vector"),
        ("source.0.0", lambda a: a[:-1], "`source.0.0` must be"),
        ("share", lambda a: -a, "`share` must be"),
        ("labels", lambda a: a * 100, "`labels` must"),
        ("statistics", lambda a: a[:, :2], "`statistics` must be 4"),
        ("size", lambda a: a * 0, "`size` is 0"),
    ],
)  # fmt: skip
def test_folded_graphs_point_to_what_is_there(name: str, change: Any, match: str) -> None:
    from foretell.capture import nasbench201

    arrays = EncoderSettings(hops=1).fold([nasbench201.graph((2, 0, 2, 2, 3, k), cells=1) for k in (1, 2)]).to_arrays()
    with pytest.raises(InvalidDataError, match=match):
        FoldedGraphs.from_arrays({**arrays, name: change(arrays[name])})
    with pytest.raises(InvalidDataError, match=f"`{name}` is missing"):
        FoldedGraphs.from_arrays({k: a for k, a in arrays.items() if k != name})
    with pytest.raises(InvalidDataError, match="graphs must be folded for"):
        GraphEncoder(EncoderSettings(hops=2)).encode(FoldedGraphs.from_arrays(arrays))


def test_settings_cannot_ask_for_more_memory_than_is_stored() -> None:
    shape = EncoderSettings(width=4, hops=2)
    torch.manual_seed(0)
    arrays = {name: value.numpy() for name, value in GraphEncoder(shape).state_dict().items()}
    assert stored_encoder(shape.to_config(), arrays).settings == shape
    with pytest.raises(ValueError, match="must be 4096 x 32 by its settings"):
        stored_encoder({**shape.to_config(), "width": 4096}, arrays)
    with pytest.raises(InvalidDataError, match="width and hops from 1 to 4096 and 64"):
        stored_encoder({**shape.to_config(), "width": 2**31}, arrays)
    heads = FuzzyHeads(4, 2, width=8, depth=2)
    stored = {f"heads.{name}": value.numpy() for name, value in heads.state_dict().items()}
    check_heads(4, {"clusters": 2, "width": 8, "depth": 2}, stored)
    for wrong in ({"width": 10**6}, {"clusters": 10**9}, {"depth": 10**9}, {"width": -1}, {"clusters": True}):
        with pytest.raises(ValueError, match="heads of"):
            check_heads(4, {"clusters": 2, "width": 8, "depth": 2, **wrong}, stored)
