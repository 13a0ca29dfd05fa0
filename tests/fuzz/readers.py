"""Everything that reads what others may have written. Each entry damages a sound example, reads it, and uses it."""

from __future__ import annotations

import json
import math
import pickle
import random
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from damage import ODD, TEXTS, damaged_arrays, damaged_bytes, damaged_json, odd_value

from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.capture.families import FAMILIES
from foretell.graph import ComputationGraph
from foretell.graph_shard import file_name
from foretell.graph_store import GraphStore

Case = Callable[[random.Random], None]
CELL = (2, 3, 4, 0, 1, 2)
GRAPH = nasbench201.graph(CELL, cells=1)
CANDIDATES = [Candidate(nasbench201.graph(c, cells=1), cells=nasbench201.cells(c)) for c in (CELL, (0, 2, 2, 1, 0, 3))]


@dataclass(frozen=True)
class Reader:
    """One thing that is read.

    Args:
        name: Of what is read.
        kind: Under which the issue counts it.
        prepare: Makes a sound example in a folder, and gives what damages, reads and uses it.
        share: How many of all files are of this reader, relative to others.
        needs: Package without which it cannot be.
    """

    name: str
    kind: str
    prepare: Callable[[Path], Case]
    share: float = 1.0
    needs: str | None = None


def sound_graph(graph: ComputationGraph) -> None:
    assert len(graph.digest) == 32
    assert graph.params >= 0
    assert repr(graph)


def graph_arrays(_: Path) -> Case:
    arrays = GRAPH.to_arrays()
    return lambda rng: sound_graph(ComputationGraph.from_arrays(damaged_arrays(arrays, rng)))


def graph_npz(folder: Path) -> Case:
    from foretell_plugins.show import read_model

    path = folder / "graph.npz"
    arrays = GRAPH.to_arrays()

    def case(rng: random.Random) -> None:
        np.savez(path, **(damaged_arrays(arrays, rng) if rng.random() < 0.5 else arrays))
        if rng.random() < 0.6:
            path.write_bytes(damaged_bytes(path.read_bytes(), rng))
        sound_graph(read_model(str(path)))

    return case


def graph_specs(_: Path) -> Case:
    texts = {name: family.text(family.sample(np.random.default_rng(0))) for name, family in FAMILIES.items()}

    def case(rng: random.Random) -> None:
        name = rng.choice(list(texts))
        if texts[name].startswith(("[", "{")) and rng.random() < 0.6:
            text = json.dumps(damaged_json(json.loads(texts[name]), rng))
        else:
            text = damaged_bytes(texts[name].encode(), rng).decode("utf-8", "replace")
        sound_graph(FAMILIES[name].read(text))
        FAMILIES[name].read_cells(text)

    return case


def released_graphs(folder: Path) -> Case:
    from foretell.gennape_v1 import read_released

    nodes = [
        {"op_type_idx": 1, "resolution": [8, 8, 8, 8, 3, 3], "kind": "regular"},
        {"op_type_idx": 3, "resolution": [8, 4, 8, 4, 3, 8], "kind": "weighted", "shape": [3, 8, 3, 3],
         "metadata": "{'use_bias': True}"},
        {"op_type_idx": 2, "resolution": [4, 4, 4, 4, 8, 8], "kind": "regular"},
    ]  # fmt: skip
    sound, path = {"nodes": nodes, "edges": [[0, 1], [1, 2]]}, folder / "graph.json"

    def case(rng: random.Random) -> None:
        content = json.dumps(damaged_json(sound, rng) if rng.random() < 0.7 else sound).encode()
        path.write_bytes(content if rng.random() < 0.5 else damaged_bytes(content, rng))
        sound_graph(read_released(path))

    return case


def onnx_files(_: Path) -> Case:
    from onnx_models import bent, onnx_models

    models = onnx_models()
    contents = [model.SerializeToString() for model in models]

    def case(rng: random.Random) -> None:
        i = rng.randrange(len(models))
        content = bent(models[i], rng) if rng.random() < 0.5 else damaged_bytes(contents[i], rng)
        sound_graph(ComputationGraph.from_onnx(content))

    return case


def graph_stores(folder: Path) -> Case:
    source, broken = folder / "source", folder / "broken"
    graphs = [nasbench201.graph((2, k, 0, 0, 0, 0), cells=1) for k in range(4)]
    store = GraphStore(source, shard_size=2)
    store.add(graphs)
    store.note_built({bytes(16): graphs[0].digest})
    files = sorted(source.iterdir())

    def case(rng: random.Random) -> None:
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(source, broken)
        target = broken / rng.choice(files).name
        if target.suffix == ".safetensors" and rng.random() < 0.5:
            from safetensors.numpy import load, save

            content = target.read_bytes()
            header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            content = save(damaged_arrays(load(content), rng), header["__metadata__"])
        else:
            content = damaged_bytes(target.read_bytes(), rng)
        if target.suffix == ".safetensors" and rng.random() < 0.8:  # as if somebody had meant it
            target.unlink()
            target = broken / file_name(rng.randrange(4), content)
            if rng.random() < 0.8:
                (broken / "index.jsonl").unlink()
        target.write_bytes(content)
        store = GraphStore(broken)
        store.add(graphs[:1])
        for graph in [*store, *map(store.get, store.digests())]:
            sound_graph(graph)

    return case


def _networks(rows: np.ndarray) -> Any:
    from foretell.encoders import LaplacianSpectrum
    from foretell.pretraining.labelled_graphs import LabelledGraphs

    graphs = [nasbench201.graph(nasbench201.sample(np.random.default_rng(int(i))), cells=1) for i in rows]
    return LabelledGraphs.build(
        graphs.__getitem__, np.linspace(0.5, 0.9, len(rows)), _shape(), spectrum=LaplacianSpectrum(q=3)
    )


def _shape() -> Any:
    from foretell.pretraining.graph_encoder import EncoderSettings

    return EncoderSettings(width=4, hops=2)


def corpora(folder: Path) -> Case:
    import torch
    from safetensors.numpy import load_file, save_file

    from foretell.pretraining.graph_encoder import GraphEncoder
    from foretell.pretraining.sharded_graphs import ShardedGraphs

    source, broken = folder / "source", folder / "broken"
    ShardedGraphs.build(source, 6, _networks, _shape(), shard=3)
    config = json.loads((source / "corpus.json").read_text())
    arrays = load_file(source / "000001.safetensors")
    torch.manual_seed(0)
    encoder = GraphEncoder(_shape())

    def case(rng: random.Random) -> None:
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(source, broken)
        kind, file = rng.randrange(4), broken / "000001.safetensors"
        if kind == 0:
            (broken / "corpus.json").write_text(json.dumps(damaged_json(config, rng)))
        elif kind == 1:
            file.write_bytes(damaged_bytes(file.read_bytes(), rng))
        else:
            save_file(damaged_arrays(arrays, rng), file)
        data = ShardedGraphs(broken)
        part = data.select(np.arange(len(data)))
        assert np.isfinite(encoder.encode(part.graphs)).all()

    return case


def checkpoint(make: Callable[[Path], None], use: Callable[[Any], None]) -> Callable[[Path], Case]:
    """A reader of a checkpoint of some kind: config, arrays or bytes are damaged."""

    def prepare(folder: Path) -> Case:
        from safetensors.numpy import load_file, save_file

        from foretell.checkpoints.stored import stored_checkpoint

        source, broken = folder / "source", folder / "broken"
        make(source)
        config = json.loads((source / "config.json").read_text())
        arrays = load_file(source / "model.safetensors")
        broken.mkdir()
        use(stored_checkpoint(source))

        def case(rng: random.Random) -> None:
            kind = rng.randrange(7)
            for file in ("config.json", "model.safetensors"):
                shutil.copy(source / file, broken / file)
            if kind <= 2:
                (broken / "config.json").write_text(json.dumps(damaged_json(config, rng)))
            elif kind == 3:
                path = broken / rng.choice(("config.json", "model.safetensors"))
                path.write_bytes(damaged_bytes(path.read_bytes(), rng))
            else:
                save_file(damaged_arrays(arrays, rng), broken / "model.safetensors")
            use(stored_checkpoint(broken))

        return case

    return prepare


def predicts(predictor: Any) -> None:
    found = predictor.predict(CANDIDATES)
    assert found.mean.shape == found.std.shape == (2,)
    assert not np.isnan(found.mean).any()
    assert (found.std >= 0).all()


def _fitted(preset: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        from foretell.predictor import Predictor

        rng = np.random.default_rng(0)
        cells = [nasbench201.sample(rng) for _ in range(14)]
        candidates = [Candidate(nasbench201.graph(c, cells=1), cells=nasbench201.cells(c)) for c in cells]
        Predictor.preset(preset).fit(candidates, rng.uniform(0.5, 0.9, len(cells))).save(folder)

    return make


def _tabular(folder: Path) -> None:
    """Hyperparameters with a condition."""
    from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from foretell.encoders import Hyperparameters
    from foretell.predictor import Predictor
    from foretell.search_space import Condition, SearchSpace
    from foretell.surrogates import GaussianProcess

    parts = {"lr": FloatDistribution(1e-4, 1e-1, log=True), "kind": CategoricalDistribution(("a", "b")),
             "depth": IntDistribution(1, 4)}  # fmt: skip
    space = SearchSpace(parts, {"depth": (Condition("kind", frozenset({"a"})),)})
    rng = np.random.default_rng(0)
    configs = [
        {"lr": float(10 ** rng.uniform(-4, -1)), "kind": "a", "depth": int(rng.integers(1, 5))} for _ in range(8)
    ]
    configs += [{"lr": float(10 ** rng.uniform(-4, -1)), "kind": "b"} for _ in range(4)]
    predictor = Predictor((Hyperparameters(space),), GaussianProcess())
    predictor.fit([Candidate(config=c) for c in configs], rng.uniform(size=len(configs))).save(folder)


def predicts_configs(predictor: Any) -> None:
    configs = [{"lr": 0.01, "kind": "a", "depth": 2}, {"lr": 0.01, "kind": "b"}]
    found = predictor.predict([Candidate(config=c) for c in configs])
    assert not np.isnan(found.mean).any()


def _shipped(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        from foretell.encoders.pretrained import SHIPPED

        shutil.copytree(SHIPPED / name, folder)

    return make


def _aio_p(folder: Path) -> None:
    import torch

    from foretell.aio_p.aio_p import AioP, TaskAdapter, TaskScale
    from foretell.aio_p.k_adapter import KAdapter
    from foretell.pretraining.graph_encoder import GraphEncoder
    from foretell.pretraining.objectives import OBJECTIVES

    torch.manual_seed(0)
    encoder = GraphEncoder(_shape())
    y, gflops = np.linspace(0.5, 0.9, 5), np.linspace(1.0, 2.0, 5)
    scale = TaskScale.fit(OBJECTIVES["accuracy"], y, gflops)
    AioP(encoder, {"one": TaskAdapter(KAdapter(encoder), scale)}).save(folder)


def ranks(predictor: Any) -> None:
    """Whatever it is by now."""
    assert sorted(predictor.rank([c.graph for c in CANDIDATES]).tolist()) == [0, 1]


def _gennape(folder: Path) -> None:
    """As small as a whole one can be."""
    import torch

    from foretell.pretraining.clustering import Clustering
    from foretell.pretraining.fuzzy_c_means import FuzzyClusters
    from foretell.pretraining.fuzzy_heads import FuzzyHeads
    from foretell.pretraining.gennape import Gennape
    from foretell.pretraining.graph_encoder import GraphEncoder
    from foretell.pretraining.member import Member, PaperReadout, TrainedMember
    from foretell.pretraining.member_votes import equal_votes
    from foretell.pretraining.objectives import OBJECTIVES, Scale

    torch.manual_seed(0)
    encoder = GraphEncoder(_shape())
    members = {
        "fuzzy": TrainedMember(Member(encoder, FuzzyHeads(4, 2, width=8, depth=2)), OBJECTIVES["better"], Scale()),
        "k-gnn": TrainedMember(Member(encoder, PaperReadout(4)), OBJECTIVES["accuracy_per_flops"], Scale(0.1, 0.2)),
    }
    clustering = Clustering(encoder, np.zeros(4), np.ones(4), FuzzyClusters(np.arange(8.0).reshape(2, 4), 1.5))
    pool = (np.zeros(3), np.ones(3))
    Gennape(clustering, members, pool, (0.0, 1.0, 1.0), votes=equal_votes(3)).save(folder)


def boosted_trees(folder: Path) -> Case:
    """Numbers in the text that LightGBM would read."""
    from safetensors.numpy import load_file, save_file

    from foretell.predictor import Predictor

    _fitted("gbdt-nas")(folder / "source")
    arrays = load_file(folder / "source" / "model.safetensors")
    text, ends = arrays["surrogate.text"].tobytes(), arrays["surrogate.ends"]
    spots = [m.span() for m in re.finditer(rb"(?<=[= ])-?[0-9.]+(?=[ \n])", text)]
    predicts(Predictor.load(folder / "source"))

    def case(rng: random.Random) -> None:
        changed = text
        for low, high in sorted(rng.sample(spots, 2), reverse=True):
            changed = changed[:low] + str(rng.choice((*ODD, "1e999", "nan", 0.5, ""))).encode() + changed[high:]
        if rng.random() < 0.3:
            changed = damaged_bytes(changed, rng)
        moved = {"surrogate.text": np.frombuffer(changed, np.uint8), "surrogate.ends": ends + len(changed) - len(text)}
        save_file({**arrays, **moved}, folder / "source" / "model.safetensors")
        predicts(Predictor.load(folder / "source"))

    return case


def training_states(folder: Path) -> Case:
    import torch
    from safetensors.numpy import load_file, save_file
    from torch import nn

    from foretell.pretraining.epoch_loop import EpochLoop

    def learn(where: Path, epochs: int) -> None:
        torch.manual_seed(0)
        module = nn.Linear(2, 1)
        EpochLoop(epochs, 2, minutes=0.0).run(
            module, np.arange(4), lambda rows, _: module(torch.ones(len(rows), 2)).square().sum(), where
        )
        assert all(bool(torch.isfinite(p).all()) for p in module.parameters())

    learn(folder / "source", 1)
    source, broken = folder / "source" / "state.safetensors", folder / "broken"
    arrays, told = load_file(source), {"log": [{"epoch": 0, "loss": 1.0}], "step": 1, "total": 0.5}
    broken.mkdir()

    def case(rng: random.Random) -> None:
        target, kind = broken / "state.safetensors", rng.randrange(3)
        if kind == 0:
            target.write_bytes(damaged_bytes(source.read_bytes(), rng))
        else:
            place = damaged_json(told, rng) if kind == 1 else told
            save_file(damaged_arrays(arrays, rng) if kind == 2 else arrays, target, {"position": json.dumps(place)})
        learn(broken, 2)

    return case


def result_files(folder: Path) -> Case:
    from foretell.benchmarks.runner import Measurement, read

    path = folder / "rows.jsonl"
    row = {"bench": "b", "method": "m", "family": "f", "task": "t", "n": 20, "seed": 0, "metric": "tau", "value": 0.5,
           "unit": "", "version": "0.1.0"}  # fmt: skip
    assert isinstance(Measurement(**row), Measurement)

    def case(rng: random.Random) -> None:
        lines = [json.dumps(damaged_json(row, rng) if rng.random() < 0.4 else row) for _ in range(3)]
        content = ("\n".join(lines) + "\n").encode()
        path.write_bytes(damaged_bytes(content, rng) if rng.random() < 0.5 else content)
        for one in read(path):
            assert math.isnan(one.value) or one.value >= one.value - 1.0
            hash(one.cell)

    return case


def search_logs(folder: Path) -> Case:
    from foretell.search.search_log import SearchLog

    path = folder / "log.jsonl"
    head, row = {"search": {"seed": 0}}, {"digest": GRAPH.digest, "score": 0.5}

    def case(rng: random.Random) -> None:
        rows = [head, row, {**row, "digest": "b" * 32}]
        content = "".join(json.dumps(damaged_json(r, rng) if rng.random() < 0.4 else r) + "\n" for r in rows).encode()
        path.write_bytes(damaged_bytes(content, rng) if rng.random() < 0.5 else content)
        log = SearchLog(path, {"seed": 0})
        assert all(isinstance(k, str) and isinstance(v, float) for k, v in log.scores.items())

    return case


def task_defaults(folder: Path) -> Case:
    from foretell import FloatDistribution, SearchSpace
    from foretell.transfer import TaskClusters
    from foretell.transfer.task_clusters import TaskCluster

    space, path = SearchSpace({"x": FloatDistribution(0.0, 1.0)}), folder / "defaults.json"
    clusters = [TaskCluster((name,), ({"rows": 10.0},), ({"x": 0.5},)) for name in "ab"]
    TaskClusters(space, tuple(clusters), ({"x": 0.5},)).save(path)
    sound = json.loads(path.read_text())

    def case(rng: random.Random) -> None:
        content = json.dumps(damaged_json(sound, rng) if rng.random() < 0.7 else sound).encode()
        path.write_bytes(content if rng.random() < 0.5 else damaged_bytes(content, rng))
        for task in ({"rows": 20.0}, {}):
            assert TaskClusters.load(path).for_task(task).configurations

    return case


def stored_spaces(_: Path) -> Case:
    from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from foretell.search_space import Condition, SearchSpace
    from foretell.search_space_json import space_from_json, space_to_json

    parts = {"lr": FloatDistribution(1e-4, 1e-1, log=True), "kind": CategoricalDistribution(("a", "b")),
             "depth": IntDistribution(1, 9, step=2)}  # fmt: skip
    sound = space_to_json(SearchSpace(parts, {"depth": (Condition("kind", frozenset({"a"})),)}))

    def case(rng: random.Random) -> None:
        space = space_from_json(damaged_json(sound, rng))
        assert repr(space)
        used(space)

    return case


def used(space: Any) -> None:
    """Draw a configuration and look at it as the optimizer does."""
    from foretell.optimizer import BayesianOptimizer

    if len(space):
        BayesianOptimizer(space, n_startup=4).suggest([])


def plain_pickles(_: Path) -> Case:
    from foretell.benchmarks.official.plain_pickle import read_pickle

    plain = {"a": [0.5, 1, None, True, "x", b"y", (1, 2, 3)], 2: {1, 2}, "d": {("k", 1): [2**70, -1]}}
    sound = [pickle.dumps(plain, protocol) for protocol in (2, 3, 4, 5)]
    return lambda rng: repr(read_pickle(damaged_bytes(rng.choice(sound), rng))[0]) and None


def torch_files(folder: Path) -> Case:
    import torch

    from foretell_adapters.nni.earlier_models import earlier_models

    path, source = folder / "state.ckpt", folder / "source.ckpt"
    torch.save({"results": [{"sample": {"op": 1}, "metric": 0.5}]}, source)
    sound = source.read_bytes()
    assert zipfile.is_zipfile(source)

    def case(rng: random.Random) -> None:
        path.write_bytes(damaged_bytes(sound, rng))
        earlier_models(path)

    return case


def earlier_records(folder: Path) -> Case:
    from foretell_adapters.nni.earlier_models import earlier_models

    path, record = folder / "earlier.json", {"sample": {"op": 1, "x": 0.5}, "metric": 0.5}

    def case(rng: random.Random) -> None:
        content = json.dumps(damaged_json({"strategy": {"results": [record, record]}}, rng)).encode()
        path.write_bytes(damaged_bytes(content, rng) if rng.random() < 0.5 else content)
        earlier_models(path)

    return case


NNI_SPACE = {
    "lr": {"_type": "loguniform", "_value": [0.0001, 0.1]}, "n": {"_type": "randint", "_value": [1, 9]},
    "q": {"_type": "quniform", "_value": [0.0, 1.0, 0.1]}, "ql": {"_type": "qloguniform", "_value": [1.0, 64.0, 1.0]},
    "z": {"_type": "normal", "_value": [0.0, 1.0]}, "qz": {"_type": "qlognormal", "_value": [0.0, 1.0, 0.5]},
    "act": {"_type": "choice", "_value": ["relu", "tanh", 3, None]},
    "width": {"_type": "choice", "_value": [8, 16, 32]},
    "model": {"_type": "choice", "_value": [
        {"_name": "mlp", "depth": {"_type": "randint", "_value": [1, 4]}}, {"_name": "linear"},
    ]},
}  # fmt: skip


def nni_spaces(_: Path) -> Case:
    from foretell_adapters.nni.space import NniSpace

    given = {"lr": 0.01, "n": 3, "q": 0.5, "ql": 8.0, "z": 0.1, "qz": 1.0, "act": "relu", "width": 16,
             "model": {"_name": "mlp", "depth": 2}}  # fmt: skip

    def case(rng: random.Random) -> None:
        content = damaged_json(NNI_SPACE, rng) if rng.random() < 0.8 else NNI_SPACE
        if rng.random() < 0.3:
            try:
                content = json.loads(damaged_bytes(json.dumps(content).encode(), rng))
            except ValueError:
                return
        space = NniSpace.parse(content)
        used(space.search_space)
        space.from_parameters(damaged_json(given, rng) if rng.random() < 0.7 else given)

    return case


def nni_trial_records(folder: Path) -> Case:
    from foretell_adapters.nni.trial_records import TrialRecords

    events = [
        {"event": "start", "seed": 3}, {"event": "asked", "id": 0, "parameters": {"lr": 0.1}},
        {"event": "asked", "id": 1, "parameters": {"lr": 0.2}},
        {"event": "result", "id": 0, "parameters": {"lr": 0.1}, "value": 0.5, "job": "a", "partial": False},
        {"event": "failed", "id": 1},
    ]  # fmt: skip

    def case(rng: random.Random) -> None:
        lines = [json.dumps(damaged_json(e, rng) if rng.random() < 0.3 else e) for e in events]
        content = ("\n".join(lines) + "\n").encode()
        (folder / "foretell_trials.jsonl").write_bytes(damaged_bytes(content, rng) if rng.random() < 0.5 else content)
        records = TrialRecords(0)
        records.keep_in(str(folder))
        records.ask(7, {"lr": 0.3})
        records.fail(7)
        assert isinstance(records.pending, list)

    return case


def study_proposals(_: Path) -> Case:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.trial import TrialState, create_trial

    from foretell_adapters.optuna.proposal import proposal_attributes, read_proposal

    distributions = {
        "x": FloatDistribution(0.0, 1.0),
        "n": IntDistribution(1, 9),
        "c": CategoricalDistribution(["a", 1]),
    }
    sound = proposal_attributes({"x": 0.5, "n": 3, "c": "a"}, distributions)

    def case(rng: random.Random) -> None:
        attributes: Any = dict(sound)
        key = rng.choice(list(attributes))
        if rng.random() < 0.5:
            attributes[key] = json.dumps(damaged_json(json.loads(attributes[key]), rng))
        if rng.random() < 0.7:
            attributes[key] = damaged_bytes(str(attributes[key]).encode(), rng).decode("utf-8", "replace")
        if rng.random() < 0.2:
            attributes = damaged_json(attributes, rng)
        attributes = attributes if isinstance(attributes, dict) else {}
        trial = create_trial(state=TrialState.RUNNING, system_attrs={str(k): v for k, v in attributes.items()})
        config = read_proposal(trial, distributions)
        for name, value in config.items():
            assert distributions[name]._contains(distributions[name].to_internal_repr(value)), (name, value)

    return case


def studies(_: Path) -> Case:
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.trial import TrialState, create_trial

    from foretell_adapters.optuna import ForetellSampler
    from foretell_adapters.optuna.report import study_report

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    wide = [FloatDistribution(0.0, 1.0), FloatDistribution(1e-300, 1e300, log=True), IntDistribution(1, 2**40)]
    states = [TrialState.COMPLETE] * 8 + [TrialState.PRUNED, TrialState.FAIL, TrialState.RUNNING, TrialState.WAITING]

    def plain(rng: random.Random) -> Any:
        value = odd_value(rng)
        return value if value is None or isinstance(value, str | int | float) else repr(value)

    def case(rng: random.Random) -> None:
        study = optuna.create_study(sampler=ForetellSampler(seed=0, n_startup_trials=4), study_name=rng.choice(TEXTS))
        name = rng.choice(TEXTS)
        name = "y" if name == "x" else name
        kinds = {"x": rng.choice(wide), name: CategoricalDistribution([plain(rng), "b", rng.choice(TEXTS)])}
        for _ in range(10):
            state = rng.choice(states)
            params = {"x": rng.uniform(0.1, 0.9) if kinds["x"].low < 1 else 3, name: rng.choice(kinds[name].choices)}
            left = {k: kinds[k] for k in params if rng.random() < 0.9}
            value = rng.choice((rng.random(), rng.random(), 1e300, -1e300, math.inf, -math.inf, 0.0))
            waiting = state in {TrialState.RUNNING, TrialState.WAITING, TrialState.FAIL}
            steps = {rng.choice((0, 1, 2**40)): rng.choice((0.5, math.nan, math.inf))} if rng.random() < 0.5 else {}
            attributes = {
                rng.choice(("foretell:proposal:0", "foretell:proposal:1", *TEXTS)): plain(rng) for _ in range(2)
            }
            study.add_trial(create_trial(
                state=state, value=None if waiting or state == TrialState.PRUNED else value,
                params={k: params[k] for k in left}, distributions=left, system_attrs=attributes,
                user_attrs={rng.choice(("foretell:sources", *TEXTS)): odd_value(rng)}, intermediate_values=steps,
            ))  # fmt: skip
        trial = study.ask(kinds)
        assert kinds["x"]._contains(trial.params["x"])
        if rng.random() < 0.03:
            page = study_report(study)
            assert "<script>alert" not in page

    return case


GENERAL, CELLS = (f"foretell-pretrained/{name}" for name in ("nasbench101.test_acc", "nasbench201.cifar10"))
READERS = (
    Reader("a stored predictor, `foretell`", "checkpoints", checkpoint(_fitted("foretell"), predicts), 0.5),
    Reader("a shipped predictor", "checkpoints", checkpoint(_shipped(GENERAL), predicts)),
    Reader("a Gaussian process of cells", "checkpoints", checkpoint(_shipped(CELLS), predicts)),
    Reader("a random forest", "checkpoints", checkpoint(_fitted("graf"), predicts)),
    Reader("boosted trees", "checkpoints", checkpoint(_fitted("gbdt-nas"), predicts), 0.3, "lightgbm"),
    Reader("text of boosted trees", "checkpoints", boosted_trees, 0.3, "lightgbm"),
    Reader("hyperparameters", "checkpoints", checkpoint(_tabular, predicts_configs)),
    Reader("GENNAPE", "checkpoints", checkpoint(_gennape, ranks)),
    Reader("AIO-P", "checkpoints", checkpoint(_aio_p, ranks)),
    Reader("a training that stopped", "checkpoints", training_states),
    Reader("a graph's arrays", "graphs", graph_arrays, 3.0),
    Reader("an .npz file", "graphs", graph_npz),
    Reader("a specification of a cell", "graphs", graph_specs, 2.0),
    Reader("a released graph", "graphs", released_graphs, 2.0),
    Reader("an ONNX file", "graphs", onnx_files, 1.0, "onnx"),
    Reader("a graph store", "stores", graph_stores),
    Reader("a corpus for pretraining", "stores", corpora),
    Reader("a file of results", "stores", result_files),
    Reader("the log of a search", "stores", search_logs),
    Reader("a table in a pickle", "stores", plain_pickles, 3.0),
    Reader("a search space in a checkpoint", "study attributes", stored_spaces),
    Reader("defaults of tasks", "stores", task_defaults),
    Reader("a proposal in a trial", "study attributes", study_proposals, 3.0, "optuna"),
    Reader("a whole study", "study attributes", studies, 0.4, "optuna"),
    Reader("a space of NNI", "NNI spaces", nni_spaces, 2.0),
    Reader("records of NNI's trials", "NNI spaces", nni_trial_records),
    Reader("records of earlier models", "NNI spaces", earlier_records),
    Reader("NNI's own checkpoint", "NNI spaces", torch_files),
)  # fmt: skip
"""All of them."""
