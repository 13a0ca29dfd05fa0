"""AIO-P: adapters beside a frozen encoder, the levels of tuning, the mean over source tasks, heads in the graph."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from foretell import ComputationGraph, Predictor
from foretell.aio_p.aio_p import AioP
from foretell.aio_p.few_shot import FewShot
from foretell.aio_p.k_adapter import KAdapter, fold
from foretell.aio_p.levels import LEVELS
from foretell.aio_p.source_votes import source_votes
from foretell.aio_p.task_adapter import TaskAdapter, TaskScale
from foretell.aio_p.train_adapters import AdapterTraining, SourceTask, shipped_backbone
from foretell.capture import nasbench201, transnasbench101_tasks
from foretell.capture.builder import GraphBuilder
from foretell.errors import CheckpointError, InvalidArchitectureError, InvalidDataError
from foretell.metrics import spearman_rho
from foretell.pretraining.folded_graphs import unfolded
from foretell.pretraining.graph_encoder import EncoderSettings, GraphEncoder
from foretell.pretraining.node_labels import LABELS
from foretell.pretraining.objectives import Accuracy, AccuracyPerFlops

RNG = np.random.default_rng(0)
GRAPHS = [nasbench201.graph(nasbench201.sample(RNG), cells=1) for _ in range(24)]
GFLOPS = np.array([g.flops for g in GRAPHS]) / 1e9
CONVS = np.array([g.op_counts()["Conv"] / len(g) for g in GRAPHS])


@pytest.fixture(scope="module")
def encoder() -> GraphEncoder:
    torch.manual_seed(0)
    return GraphEncoder(EncoderSettings(width=16, hops=2)).requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def predictor(encoder: GraphEncoder, tmp_path_factory: pytest.TempPathFactory) -> AioP:
    graphs, gflops = fold(encoder, GRAPHS)
    tasks = {
        "convs": SourceTask(graphs, gflops, CONVS, Accuracy()),
        "size": SourceTask(graphs, gflops, 0.5 + 0.1 * np.log(gflops + 1e-3), AccuracyPerFlops()),
    }
    training = AdapterTraining(epochs=30, batch=6, learning_rate=5e-3)
    return training.train_all(encoder, tasks, tmp_path_factory.mktemp("adapters"))


def plain_adapter(adapter: KAdapter, encoder: GraphEncoder, graph: ComputationGraph) -> float:
    """A second route: node by node, in plain matrices."""
    x = encoder.embedding(torch.from_numpy(LABELS["v1"].table([graph])))
    A = torch.zeros(len(graph), len(graph))
    for u, v in graph.edges:
        A[v, u] += 1.0

    def convolve(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
        (only,) = layer  # type: ignore[misc]
        return torch.tanh(A @ x @ only.lin_rel.weight.T + only.lin_rel.bias + x @ only.lin_root.weight.T)

    h, a = x, x
    for frozen, learnt in zip(encoder.convolutions, adapter.convolutions, strict=True):
        h = convolve(frozen, h)
        a = convolve(learnt, torch.cat([a, h], dim=1))
    return float(adapter.heads(torch.cat([h.mean(dim=0), a.mean(dim=0)])))


def test_an_adapter_equals_plain_matrices_node_by_node(encoder: GraphEncoder) -> None:
    adapter = KAdapter(encoder, seed=3)
    with torch.no_grad():
        graphs, _ = fold(encoder, GRAPHS[:4])
        folded = adapter(encoder, graphs, encoder.states(graphs))
        plain = [plain_adapter(adapter, encoder, graph) for graph in GRAPHS[:4]]
        slow = unfolded(GRAPHS[:4], LABELS["v1"], hops=3)
        assert adapter(encoder, slow, encoder.states(slow)).numpy() == pytest.approx(plain, abs=1e-5)
    assert folded.numpy() == pytest.approx(plain, abs=1e-5)


def test_the_same_seed_gives_the_same_adapter_and_leaves_the_global_one_alone(encoder: GraphEncoder) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    a, b, c = KAdapter(encoder, seed=1), KAdapter(encoder, seed=1), KAdapter(encoder, seed=2)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(u, v) for u, v in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(next(a.parameters()), next(c.parameters()))


def test_adapters_learn_their_tasks_and_the_backbone_stays(encoder: GraphEncoder, predictor: AioP) -> None:
    torch.manual_seed(0)
    fresh = GraphEncoder(encoder.settings)
    assert all(torch.equal(u, v) for u, v in zip(fresh.parameters(), predictor.encoder.parameters(), strict=True))
    scores = predictor.standard_scores(*fold(encoder, GRAPHS))
    assert spearman_rho(CONVS, scores[:, 0]) > 0.9
    assert spearman_rho(GFLOPS, scores[:, 1]) > 0.8


def test_a_new_task_gets_the_mean_of_the_source_tasks(predictor: AioP) -> None:
    each = [predictor.without(name).score(GRAPHS) for name in ("convs", "size")]
    assert predictor.score(GRAPHS) == pytest.approx((each[0] + each[1]) / 2)
    posterior = predictor.predict(GRAPHS)
    assert posterior.mean == pytest.approx(predictor.score(GRAPHS))
    assert (posterior.std >= np.abs(each[0] - each[1]) / 2 - 1e-9).all()
    assert predictor.rank(GRAPHS).tolist() == np.argsort(-predictor.score(GRAPHS), kind="stable").tolist()
    assert repr(predictor.without("size")) == "AioP(convs)"
    with pytest.raises(InvalidDataError, match="at least one source task"):
        predictor.without("convs", "size")


def test_a_task_is_standardised_by_itself() -> None:
    scale = TaskScale.fit(AccuracyPerFlops(), 0.5 + CONVS, GFLOPS)
    target = scale.target(0.5 + CONVS, GFLOPS)
    assert (float(target.mean()), float(target.std())) == (pytest.approx(0.0, abs=1e-9), pytest.approx(1.0))
    assert scale.read(target, GFLOPS) == pytest.approx(0.5 + CONVS)
    standard = scale.standard(target, GFLOPS)
    assert (float(standard.mean()), float(standard.std())) == (pytest.approx(0.0, abs=1e-9), pytest.approx(1.0))
    with pytest.raises(InvalidDataError, match="labels that differ, two at least, but got 3"):
        TaskScale.fit(Accuracy(), np.full(3, 0.5), GFLOPS[:3])
    with pytest.raises(InvalidDataError, match="got 3, of which 1 are not finite"):
        TaskScale.fit(Accuracy(), np.array([0.5, np.nan, 0.7]), GFLOPS[:3])


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_changes_its_weights_and_no_others(predictor: AioP, name: str) -> None:
    before = predictor.network().state_dict()
    tuned = predictor.fit(GRAPHS[:6], CONVS[:6], objective=Accuracy(), level=LEVELS[name], training=FewShot(epochs=3))
    changed = {key for key, value in tuned.network.state_dict().items() if not torch.equal(value, before[key])}
    parts = {"heads": ".heads.", "adapters": ".convolutions.", "backbone": "encoder."}
    for part, mark in parts.items():
        of_part = {k for k in before if mark in f".{k}" and (part == "backbone") == k.startswith("encoder.")}
        assert bool(changed & of_part) == (part in name.split("+"))
    assert not any(weight.requires_grad for weight in tuned.network.parameters())


def test_a_few_labels_adapt_to_a_task_that_no_source_knows(predictor: AioP) -> None:
    y = -GFLOPS
    tuned = predictor.fit(GRAPHS[:20], y[:20], objective=Accuracy(), training=FewShot(epochs=40, learning_rate=1e-2))
    assert spearman_rho(y[:20], tuned.predict(GRAPHS[:20])) > 0.9 > spearman_rho(y, predictor.score(GRAPHS)) + 0.9
    assert tuned.rank(GRAPHS).tolist() == np.argsort(-tuned.predict(GRAPHS), kind="stable").tolist()
    with pytest.raises(InvalidDataError, match="3 networks and 2 labels"):
        predictor.fit(GRAPHS[:3], y[:2])


def test_a_stored_predictor_says_the_same(predictor: AioP, tmp_path: Path) -> None:
    predictor.save(tmp_path / "stored")
    for again in (AioP.load(tmp_path / "stored"), Predictor.from_pretrained(tmp_path / "stored")):
        assert isinstance(again, AioP)
        assert again.score(GRAPHS).tolist() == predictor.score(GRAPHS).tolist()
    (tmp_path / "stored/config.json").write_text('{"format": 1, "kind": "aio-p"}', encoding="utf-8")
    with pytest.raises(CheckpointError, match="fit it again"):
        AioP.load(tmp_path / "stored")


def test_the_backbone_of_the_paper_is_shipped(tmp_path: Path, predictor: AioP) -> None:
    assert shipped_backbone().settings == EncoderSettings()
    predictor.save(tmp_path)
    with pytest.raises(CheckpointError, match="member of GENNAPE"):
        shipped_backbone(str(tmp_path))


def test_sources_that_disagree_with_all_others_have_no_vote() -> None:
    x = np.arange(10.0)
    votes = source_votes(np.stack([x, x**3, np.exp(x), -x], axis=1))
    assert votes == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0])
    assert source_votes(np.stack([x, -x], axis=1)) == pytest.approx([0.5, 0.5])
    assert source_votes(x[:, None]) == pytest.approx([1.0])


def test_lengths_of_a_source_task_must_agree(encoder: GraphEncoder) -> None:
    graphs, gflops = fold(encoder, GRAPHS[:3])
    with pytest.raises(InvalidDataError, match="3 networks, 3 FLOPs, 2 labels"):
        SourceTask(graphs, gflops, CONVS[:2], Accuracy())
    task = SourceTask(graphs, gflops, CONVS[:3], Accuracy())
    assert dataclasses.fields(task)
    assert isinstance(TaskAdapter(KAdapter(encoder), TaskScale.fit(Accuracy(), CONVS[:3], gflops)).module, nn.Module)


def upwards(layers: list[tuple[int, int, int]], last: nn.Module) -> nn.Sequential:
    """The benchmark's decoders in torch, from its code."""
    found: list[nn.Module] = []
    for a, b, stride in layers:
        up = nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1) if stride == 2 else nn.Conv2d(a, b, 3, 1, 1)
        found += [up, nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*found, last)


@pytest.mark.parametrize("task", ["autoencoder", "segmentsemantic"])
def test_heads_equal_the_captured_modules(task: str) -> None:
    image = [(512, 1024, 1), (1024, 1024, 1), (1024, 512, 1), (512, 512, 1), (512, 256, 2), (256, 128, 1),
             (128, 64, 2), (64, 64, 1), (64, 32, 2), (32, 32, 1), (32, 16, 2), (16, 32, 1), (32, 16, 2)]  # fmt: skip
    segments = [(512, 1024, 1), (1024, 512, 1), (512, 256, 2), (256, 128, 2), (128, 64, 2), (64, 32, 2), (32, 32, 2)]
    layers, outputs = (image, 3) if task == "autoencoder" else (segments, 17)
    last: nn.Module = nn.Conv2d(layers[-1][1], outputs, 3, 1, 1)
    with torch.device("meta"):
        module = upwards(layers, nn.Sequential(last, nn.Tanh()) if task == "autoencoder" else last)
    net = GraphBuilder()
    written = net.graph(transnasbench101_tasks.TASKS[task](net, net.input((512, 8, 8))))
    captured = ComputationGraph.from_module(module, torch.zeros(1, 512, 8, 8))
    assert written.digest == captured.digest
    assert (written.params, written.flops) == (captured.params, captured.flops)


def test_jigsaw_sees_small_tiles_and_a_wide_head() -> None:
    graph = transnasbench101_tasks.graph((0, 3, 0, 2, 0, 1), "jigsaw")
    assert graph.in_shape[0].tolist() == [3, 64, 64]
    assert graph.params - transnasbench101_tasks.graph((0, 3, 0, 2, 0, 1), "room_layout").params == (
        9 * 512 * 1000 + 1000 - 512 * 9 - 9
    )
    with pytest.raises(InvalidArchitectureError, match="must be one of .*'jigsaw'.*but got 'convs'"):
        transnasbench101_tasks.graph((0, 3, 0, 2, 0, 1), "convs")
