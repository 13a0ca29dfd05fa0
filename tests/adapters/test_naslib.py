"""The NASLib adapter: NASLib's calls replayed on stand-ins, and the real evaluator where NASLib is there."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foretell import Predictor
from foretell.capture import nasbench101, nasbench201, nasbench301, transnasbench101
from foretell.encoders import GraphStatistics, Pretrained
from foretell.errors import (
    InvalidArchitectureError,
    InvalidDataError,
    InvalidSearchSpaceError,
    MissingDependencyError,
    NotFittedError,
)
from foretell.posterior import GaussianPosterior
from foretell.presets import PRESETS
from foretell.surrogates import ExtraTrees, FreeLabelNetwork, GaussianProcess
from foretell_adapters.naslib import (
    PREDICTORS,
    ForetellEnsemble,
    ForetellPredictor,
    ForetellSearch,
    NASLibPredictor,
    bananas,
    dataset_api,
    graph_of,
    npenas,
    predictor_class,
)
from foretell_adapters.naslib.presets import BakerPredictor, GrafPredictor, NarsPredictor

DATA = Path(os.environ.get("FORETELL_DATA", "../shared/data"))
needs_naslib = pytest.mark.skipif(
    importlib.util.find_spec("naslib") is None,
    reason="NASLib is not importable: put a checkout on PYTHONPATH and install its packages",
)


class Arch101:
    """What NASLib's NasBench101SearchSpace shows of an architecture."""

    def __init__(self, rng: np.random.Generator) -> None:
        ops = [nasbench101.OPERATIONS[i] for i in rng.integers(3, size=5)]
        self.spec = {"matrix": np.triu(rng.integers(2, size=(7, 7)), 1), "ops": ["input", *ops, "output"]}

    def get_spec(self) -> dict[str, Any]:
        return self.spec


class Arch201:
    """What NASLib's NasBench201SearchSpace and, with four operators, TransBench101SearchSpaceMicro show."""

    def __init__(self, rng: np.random.Generator, operators: int = 5) -> None:
        self.op_indices = rng.integers(operators, size=6).tolist()

    def get_op_indices(self) -> list[int]:
        return self.op_indices


class Arch301:
    """What NASLib's NasBench301SearchSpace shows."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.compact = tuple(
            tuple((source, int(rng.integers(7))) for n in range(4) for source in rng.permutation(n + 2)[:2])
            for _ in range(2)
        )

    def get_compact(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        return self.compact


def sample(space: str, n: int, seed: int = 0) -> list[Any]:
    """Architectures of a space."""
    rng = np.random.default_rng(seed)
    make = {"nasbench101": Arch101, "nasbench201": Arch201, "nasbench301": Arch301}.get(space)
    return [make(rng) if make else Arch201(rng, 4) for _ in range(n)]


SPACES = ("nasbench101", "nasbench201", "nasbench301", "transbench101_micro")


# contract


def test_it_has_all_that_naslib_calls() -> None:
    assert isinstance(ForetellPredictor(), NASLibPredictor)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("max_hpo_time", [0, 60])
def test_the_evaluators_calls_in_their_order(space: str, max_hpo_time: int) -> None:
    """What `PredictorEvaluator` does with `experiment_type: vary_train_size`, call for call."""
    predictor = predictor_class("nas-bowl" if max_hpo_time else "foretell")(hpo_wrapper=max_hpo_time > 0)
    train, test = sample(space, 24), sample(space, 8, seed=1)
    labels = [graph_of(a, space).flops / 1e9 + 80.0 for a in train]
    info: list[dict[str, Any]] = [{} for _ in train]

    predictor.set_ss_type(space)
    predictor.pre_process()
    assert predictor.get_data_reqs()["requires_partial_lc"] is False
    reqs = predictor.get_data_reqs()
    assert reqs["unlabeled"] is False
    predictor.pre_compute(train, test, None)
    for size in (12, 24):
        predictor.get_data_reqs()
        predictor.reset_hyperparams()
        if max_hpo_time > 0 and predictor.get_hpo_wrapper():
            hyperparams = cross_validate(predictor, train[:size], labels[:size])
            predictor.hyperparams = hyperparams
            predictor.set_hyperparams(hyperparams.copy())
        predictor.fit(train[:size], labels[:size], info[:size])
        hyperparams = predictor.get_hyperparams()
        predicted = predictor.query(test, [{} for _ in test])
        assert isinstance(predicted, np.ndarray)
        assert predicted.dtype == np.float64
        assert predicted.shape == (len(test),)
        assert np.isfinite(predicted).all()
        result = {
            "full_testpred": list(predicted),
            **{f"hp_{key}": value for key, value in hyperparams.items()},
        }
        assert None not in result.values()
        json.dumps(result)
        assert hasattr(predictor, "method_type")


def cross_validate(evaluated: ForetellPredictor, xtrain: list[Any], ytrain: list[float]) -> dict[str, Any]:
    """NASLib's `run_hpo`: on a deep copy, without infos, validated on the training indices as NASLib does."""
    before, predictor = evaluated._model, copy.deepcopy(evaluated)
    best: dict[str, Any] = {}
    for _ in range(2):
        best = predictor.set_random_hyperparams()
        for fold in np.array_split(np.arange(len(xtrain)), 3):
            chosen = [i for i in range(len(xtrain)) if i not in fold]
            predictor.fit([xtrain[i] for i in chosen], [ytrain[i] for i in chosen])
            assert len(predictor.query([xtrain[i] for i in chosen]).shape) == 1
    assert evaluated._model is before  # the copy learnt alone
    return best


def test_one_architecture_is_judged_as_among_others() -> None:
    """BANANAS and NPENAS ask one at a time."""
    train, test = sample("nasbench201", 30), sample("nasbench201", 10, seed=1)
    predictor = ForetellPredictor("nasbench201")
    predictor.fit(train, [float(graph_of(a, "nasbench201").params) for a in train])
    alone = [predictor.query([arch])[0] for arch in test]
    np.testing.assert_allclose(alone, predictor.query(test), rtol=1e-9)


def test_it_learns_what_can_be_learnt() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    train, test = sample("nasbench301", 60), sample("nasbench301", 40, seed=1)
    truth = [graph_of(a, "nasbench301").depth + 0.1 * graph_of(a, "nasbench301").params / 1e5 for a in train + test]
    predictor = ForetellPredictor("darts")
    predictor.fit(train, truth[:60])
    assert scipy_stats.kendalltau(predictor.query(test), truth[60:])[0] > 0.7


def test_hyperparameters_reach_the_surrogate() -> None:
    predictor = GrafPredictor("nasbench201")
    assert predictor.get_hyperparams() == {"max_features": 1.0, "min_samples_leaf": 1}
    assert predictor.set_random_hyperparams() == predictor.default_hyperparams  # the first time, as NASLib's own
    drawn = predictor.set_random_hyperparams()
    assert drawn == predictor.get_hyperparams() != predictor.default_hyperparams
    predictor.set_hyperparams({"min_samples_leaf": 30})
    train = sample("nasbench201", 20)
    predictor.fit(train, [float(i) for i in range(20)])
    assert len(set(predictor.query(train).round(6))) == 1  # no leaf can be split
    predictor.reset_hyperparams()
    predictor.fit(train, [float(i) for i in range(20)])
    assert len(set(predictor.query(train).round(6))) > 1
    assert "min_samples_leaf" in repr(predictor)


# presets


def test_there_is_a_class_for_every_preset() -> None:
    assert set(PREDICTORS) == {*PRESETS, "gennape"}
    for preset, cls in PREDICTORS.items():
        predictor = cls("nasbench201")
        assert isinstance(predictor, NASLibPredictor)
        assert (predictor.method_type, predictor_class(preset)) == (preset, cls)
        assert cls.__doc__ != ForetellPredictor.__doc__ or cls is ForetellPredictor
        json.dumps(predictor.get_hyperparams())


@pytest.mark.parametrize("preset", ["gbdt-nas", "nas-bowl", "graf", "foretell-pretrained"])
def test_a_preset_learns(preset: str) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    train, test = sample("nasbench201", 40), sample("nasbench201", 30, seed=1)
    truth = [graph_of(a, "nasbench201").params / 1e5 for a in train + test]
    predictor = predictor_class(preset)("nasbench201")
    predictor.fit(train, truth[:40])
    assert scipy_stats.kendalltau(predictor.query(test), truth[40:])[0] > 0.5


def test_pretrained_weights_do_not_know_the_space() -> None:
    predictor = predictor_class("foretell-pretrained")("nasbench201")
    predictor.prepare([])
    encoder = next(e for e in predictor._model._predictor.encoders if isinstance(e, Pretrained))  # type: ignore[union-attr]
    assert encoder.sources
    assert not any(source.startswith("nasbench201") for source in encoder.sources)


def test_a_predictor_of_ones_own() -> None:
    own = Predictor((GraphStatistics(),), ExtraTrees(n_trees=5))
    predictor = ForetellPredictor("nasbench201", predictor=own)
    train = sample("nasbench201", 10)
    predictor.fit(train, [float(i) for i in range(10)])
    assert predictor.get_hyperparams() == {}
    assert np.argsort(predictor.query(train)).tolist() == list(range(10))
    with pytest.raises(NotFittedError):
        own.predict([graph_of(train[0], "nasbench201")])


def test_unlabelled_architectures_are_asked_for_and_used(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = NarsPredictor("nasbench201")
    reqs = predictor.get_data_reqs()
    assert reqs["unlabeled"] is True
    assert reqs["unlabeled_factor"] > 0
    seen: list[int] = []

    def fit(self: Any, X: Any, y: Any, groups: Any, unlabelled: np.ndarray) -> Any:
        seen.append(len(unlabelled))
        return GaussianProcess().fit(X, y, groups)

    monkeypatch.setattr(FreeLabelNetwork, "fit_with_unlabelled", fit)
    train = sample("nasbench201", 6)
    predictor.pre_compute(train, [], sample("nasbench201", 9, seed=1))
    predictor.fit(train, [float(i) for i in range(6)])
    predictor.set_pre_computations(unlabeled=sample("nasbench201", 4, seed=2), xtrain_zc_info=None)  # as optimisers do
    predictor.fit(train, [float(i) for i in range(6)])
    assert seen == [9, 4]


def test_learning_curves_are_asked_for_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("naslib", "naslib.search_spaces", "naslib.search_spaces.core", "naslib.search_spaces.core.query_metrics")
    for name in names:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules[names[-1]].Metric = types.SimpleNamespace(VAL_ACCURACY="val")  # type: ignore[attr-defined]
    predictor = BakerPredictor("nasbench201")
    reqs = predictor.get_data_reqs()
    assert (reqs["requires_partial_lc"], reqs["metric"]) == (True, "val")
    train = sample("nasbench201", 24)
    truth = np.random.default_rng(0).uniform(40, 90, 24)
    info = [{"lc": [0.5 * y, 0.6 * y, 0.7 * y]} for y in truth]
    predictor.pre_compute(train, train, None)
    predictor.fit(train[:16], truth[:16].tolist(), info[:16])
    found = predictor.query(train[16:], info[16:])
    assert np.corrcoef(found, truth[16:])[0, 1] > 0.8  # equal architectures, told apart by their curves alone
    with pytest.raises(
        InvalidDataError, match=r"'baker' learns from learning curves, but got no info .*`fidelity_single`"
    ):
        predictor.query(train)
    with pytest.raises(
        InvalidDataError, match=r"must hold its curve as `lc`, but got \['acc'\]: take NASLib's evaluator"
    ):
        predictor.query(train[:1], [{"acc": 3.0}])


def test_curves_need_naslib(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("naslib", "naslib.search_spaces.core.query_metrics"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingDependencyError, match=r"learns from curves names NASLib's metric, but .*PYTHONPATH"):
        BakerPredictor("nasbench201").get_data_reqs()


def test_gennape_takes_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tuned:
        def fit(self, graphs: Any, accuracy: np.ndarray) -> Tuned:
            assert accuracy.tolist() == [0.9, 0.5]
            return self

        def predict(self, graphs: Any) -> GaussianPosterior:
            return GaussianPosterior(np.array([0.75] * len(graphs)), np.array([0.01] * len(graphs)))

    monkeypatch.setattr(Predictor, "from_pretrained", lambda name: Tuned())
    predictor = predictor_class("gennape")("nasbench201")
    train = sample("nasbench201", 2)
    with pytest.raises(NotFittedError):
        predictor.query(train)
    predictor.fit(train, [90.0, 50.0])
    assert predictor.query(train).tolist() == [75.0, 75.0]


# search


def test_the_votes_have_the_mean_and_deviation_of_the_belief() -> None:
    train, test = sample("nasbench201", 12), sample("nasbench201", 5, seed=1)
    labels = [graph_of(a, "nasbench201").params / 1e5 for a in train]
    ensemble = ForetellEnsemble("nasbench201", "nas-bowl")
    ensemble.set_hyperparams(None)
    ensemble.set_pre_computations(unlabeled=None)
    with pytest.raises(NotFittedError):
        ensemble.query(test)
    ensemble.fit(train, labels)
    votes = ensemble.query(test)
    belief = ensemble.predictor.function_posterior(test)
    assert (belief.std < ensemble.predictor.posterior(test).std).all()
    assert votes.dtype == np.float64
    np.testing.assert_allclose(np.mean(votes, axis=0), belief.mean)
    np.testing.assert_allclose(np.std(votes, axis=0), belief.std)


def test_candidates_of_a_round_are_encoded_together() -> None:
    """What NASLib's optimisers do in a round, with the mixin before a stand-in for them."""

    class Optimiser:
        ss_type = "nasbench201"

        def _get_best_candidates(self, candidates: list[Any], acq_fn: Any) -> list[Any]:
            return sorted(candidates, key=lambda model: acq_fn(model.arch))[-2:]

    class Search(ForetellSearch, Optimiser):
        preset = "nas-bowl"

    search, train = Search(), sample("nasbench201", 12)
    labels = [graph_of(a, "nasbench201").params / 1e5 for a in train]
    pool = [types.SimpleNamespace(arch=a) for a in sample("nasbench201", 20, seed=1)]
    asked: list[int] = []
    for _ in range(2):
        ensemble = search._get_ensemble()
        ensemble.fit(train, labels)
        columns = ensemble.known_columns
        assert columns is not None
        encode = columns._encode
        columns._encode = lambda items, encode=encode: asked.append(len(items)) or encode(items)  # type: ignore[func-returns-value]
        best = search._get_best_candidates(pool, lambda arch, votes=ensemble: np.mean(votes.query([arch])))
        columns._encode = encode
        assert len(best) == 2
    assert asked == [len({tuple(m.arch.op_indices) for m in pool} - {tuple(a.op_indices) for a in train})]


def test_an_optimiser_needs_naslib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "naslib", None)
    for make in (bananas, npenas):
        with pytest.raises(MissingDependencyError, match=r"needs NASLib, but .*: put a checkout on PYTHONPATH"):
            make({})


# space


def test_each_space_reads_its_own_specification() -> None:
    archs = {space: sample(space, 1)[0] for space in SPACES}
    spec = archs["nasbench101"].spec
    assert graph_of(archs["nasbench101"], "nasbench101") == nasbench101.graph(spec["matrix"], spec["ops"])
    assert graph_of(archs["nasbench201"], "NASBench201") == nasbench201.graph(archs["nasbench201"].op_indices)
    assert graph_of(archs["nasbench301"], "darts") == nasbench301.graph(archs["nasbench301"].compact)
    micro = archs["transbench101_micro"]
    for name in ("transbench101", "transbench101_micro", "transnasbench101", "transnasbench101_micro"):
        assert graph_of(micro, name) == transnasbench101.graph(micro.op_indices)


# errors


def test_errors_say_what_to_do() -> None:
    with pytest.raises(InvalidSearchSpaceError, match=r"one of \['darts', .*but got 'asr': pass one of these"):
        ForetellPredictor().set_ss_type("asr")
    with pytest.raises(InvalidSearchSpaceError, match=r"but got None: pass one of these to set_ss_type"):
        ForetellPredictor().fit(sample("nasbench201", 2), [1.0, 2.0])
    with pytest.raises(NotFittedError, match=r"call `fit` first"):
        ForetellPredictor("nasbench201").query(sample("nasbench201", 2))
    with pytest.raises(
        InvalidSearchSpaceError, match=r"nasbench101 must answer get_spec\(\), but Arch201 gave nothing"
    ):
        graph_of(sample("nasbench201", 1)[0], "nasbench101")
    with pytest.raises(
        InvalidDataError, match=r"'foretell' must be among \['temperature'\], but got \['depth'\]: drop"
    ):
        ForetellPredictor().set_hyperparams({"depth": 3})
    with pytest.raises(InvalidDataError, match=r"a preset for NASLib must be one of .*'graf'.* but got 'svm': choose"):
        predictor_class("svm")
    with pytest.raises(InvalidDataError, match=r"a preset for NASLib must be one of .* but got 'svm': choose one"):
        ForetellEnsemble("nasbench201", "svm")
    broken = sample("nasbench201", 1)[0]
    broken.op_indices = [9] * 6
    with pytest.raises(InvalidArchitectureError, match=r"six positions"):
        graph_of(broken, "nasbench201")


# tables


@pytest.mark.parametrize("space", ["nasbench101", "nasbench201", "nasbench301"])
def test_a_missing_table_names_its_path(space: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match=rf"{space}/nb.* is not there: pass another folder"):
        getattr(dataset_api, space)(tmp_path)


def test_nasbench101_table_answers_as_the_benchmark(tmp_path: Path) -> None:
    matrix, ops = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]), ["input", "conv1x1-bn-relu", "output"]
    (tmp_path / "nasbench101").mkdir()
    name = np.frombuffer(nasbench101.fingerprint(matrix, ops), dtype=np.uint8)
    np.savez(tmp_path / "nasbench101/nb101.npz", hash=name[None], test_acc_mean=[0.9], trainable_params=[7])
    api = dataset_api.nasbench101(tmp_path)
    data, spec = api["nb101_data"], api["api"].ModelSpec(matrix=matrix, ops=ops)
    assert data.is_valid(spec)
    assert data.query(spec, epochs=108)["validation_accuracy"] == 0.9
    assert list(data.hash_iterator()) == [name.tobytes().hex()]
    assert copy.deepcopy(data) is data
    other = api["api"].ModelSpec(matrix=np.zeros((3, 3), dtype=int), ops=ops)
    assert not data.is_valid(other)
    with pytest.raises(InvalidDataError, match=r"ask is_valid first"):
        data.query(other)


# compat


def test_bridges_are_put_in_place_once_and_only_where_needed() -> None:
    """In a process of its own, since the bridges hold for the whole process."""
    pytest.importorskip("sklearn")
    script = """
import collections, sys
from foretell_adapters.naslib import compat
compat.STAND_INS = ("json", "no_such_package")
first = compat.install()
finders = len(sys.meta_path)
assert compat.install() == first and len(sys.meta_path) == finders, first
assert "no_such_package" in first and "json" not in first, first
from collections import Iterable, abc
assert Iterable is abc.Iterable
import no_such_package.part as part
from no_such_package.part.deep import Thing
class Child(part.Base): pass
try:
    Child()
except ImportError as e:
    print(e)
from sklearn import metrics
print(metrics.mean_squared_error([0, 0], [3, 3], squared=False), metrics.mean_squared_error([0, 0], [3, 3]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "no_such_package.part.Base needs the package no_such_package" in done.stdout
    assert "pip install no_such_package" in done.stdout
    assert done.stdout.splitlines()[-1] == "3.0 9.0"


def test_a_stand_in_refuses_with_our_error() -> None:
    from foretell_adapters.naslib.compat import _StandIn

    module = _StandIn("torchvision.transforms")
    with pytest.raises(MissingDependencyError, match=r"torchvision.transforms.Resize needs .* pip install torchvision"):
        module.Resize(32)
    assert not hasattr(module, "__path__")


# real NASLib


@pytest.fixture(scope="module")
def naslib() -> Any:
    from foretell_adapters.naslib import compat

    compat.install()
    import naslib

    return naslib


def evaluate(space: str, predictor: Any, api: dict[str, Any], folder: Path, **options: Any) -> dict[str, Any]:
    from fvcore.common.config import CfgNode
    from naslib.defaults.predictor_evaluator import PredictorEvaluator
    from naslib.search_spaces import get_search_space
    from naslib.utils import set_seed

    search_space = get_search_space(space, "cifar10")
    search_space.instantiate_model = False
    config = CfgNode({
        "experiment_type": "single", "search_space": space, "dataset": "cifar10", "train_size_single": 20,
        "train_size_list": [10, 20], "test_size": 20, "uniform_random": True, "fidelity_single": 1,
        "fidelity_list": [1], "max_hpo_time": 0, "save": str(folder), **options,
    })  # fmt: skip
    set_seed(0)
    evaluator = PredictorEvaluator(predictor, config=config)
    evaluator.adapt_search_space(search_space, load_labeled=space == "nasbench301", scope=[], dataset_api=api)
    evaluator.evaluate()
    results: dict[str, Any] = json.loads((folder / "errors.json").read_text())[-1]
    return results


@needs_naslib
@pytest.mark.naslib
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("space", "least_tau"),
    [("nasbench101", 0.2), ("nasbench201", 0.2), ("nasbench301", -1.0)],  # 20 labels say little of DARTS cells
)
def test_real_evaluator_on_real_labels(space: str, least_tau: float, naslib: Any, tmp_path: Path) -> None:
    try:
        api = getattr(dataset_api, space)(DATA)
    except InvalidDataError as e:
        pytest.skip(str(e))
    results = evaluate(space, ForetellPredictor(), api, tmp_path, experiment_type="vary_train_size")
    assert results["train_size"] == 20
    assert results["hp_temperature"] == 0.2
    assert least_tau < results["kendalltau"] <= 1.0


EXAMPLE = Path(__file__).parents[2] / "examples/naslib_benchmark.py"


def run_example(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), "--train", "20", "--seeds", "1", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_naslib
@pytest.mark.naslib
def test_the_example_prints_a_table() -> None:
    if not (DATA / "nasbench101/nb101.npz").is_file():
        pytest.skip(f"needs the table nasbench101/nb101.npz in FORETELL_DATA (looked in {DATA.resolve()})")
    done = run_example("--space", "nasbench101", "--data", str(DATA))
    assert done.returncode == 0, done.stderr
    rows = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    assert rows == ["rf", "xgb", "flops", "foretell"]


@pytest.mark.skipif(importlib.util.find_spec("naslib") is not None, reason="NASLib is importable here")
def test_the_example_says_what_is_missing() -> None:
    done = run_example()
    assert done.returncode == 1
    assert "No module named 'naslib': put a checkout of NASLib on PYTHONPATH" in done.stderr


@needs_naslib
@pytest.mark.naslib
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("space", SPACES)
def test_real_architectures_become_the_networks_naslib_builds(space: str, naslib: Any) -> None:
    """Weights of convolutions and the classifier agree with NASLib's own module, where no weight is dead."""
    from naslib.search_spaces import get_search_space
    from torch import nn

    def weights(module: Any) -> int:
        return sum(p.numel() for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear) for p in m.parameters())

    arch = get_search_space(space, "class_scene" if space.startswith("trans") else "cifar10")
    cell = tuple((source, op) for n in range(4) for source, op in ((n, n), (n + 1, 6 - n)))
    specs: dict[str, Any] = {
        "nasbench101": {
            "matrix": np.triu(np.ones((4, 4), dtype=int), 1),
            "ops": ["input", *nasbench101.OPERATIONS[:2], "output"],
        },
        "nasbench201": [2, 3, 0, 4, 1, 2],
        "nasbench301": (cell, cell),
        "transbench101_micro": [3, 2, 1, 0, 3, 2],
    }
    arch.set_spec(specs[space])
    if space == "nasbench301":
        arch.channels = [16, 32, 64]
    arch.parse()
    graph = graph_of(arch, space)
    if space == "nasbench301":  # NASLib's class has half the channels of the benchmark's networks
        graph = nasbench301.graph(arch.get_compact(), channels=16)
    if space.startswith("trans"):
        graph = transnasbench101.graph(arch.get_op_indices(), classes=63)
    ours = sum(n.params for n in graph.nodes if n.op in {"Conv", "Depthwise", "MatMul"})
    assert ours == weights(arch)
