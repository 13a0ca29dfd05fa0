"""The parts of GENNAPE, each against a closed form or a second route."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from foretell.errors import CheckpointError, InvalidDataError
from foretell.pretraining.contrastive_loss import (
    CollapseWarning,
    ProjectionHead,
    contrastive_loss,
    spectral_weights,
    spread,
)
from foretell.pretraining.epoch_loop import EpochLoop
from foretell.pretraining.flops_transform import FlopsTransform
from foretell.pretraining.fuzzy_c_means import FuzzinessWarning, FuzzyClusters, FuzzyCMeans, entropy
from foretell.pretraining.fuzzy_heads import FuzzyHeads
from foretell.pretraining.graph_encoder import EncoderSettings, GraphEncoder
from foretell.pretraining.member import Member, PaperReadout
from foretell.pretraining.objectives import OBJECTIVES, Accuracy, AccuracyPerFlops, Better

SEEDS = st.integers(0, 1000)


def points(seed: int = 0, n: int = 60, d: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 6.0 * rng.integers(3, size=(n, 1))


@given(seed=SEEDS, m=st.floats(1.1, 3.0))
def test_memberships_sum_to_one_and_equal_the_published_formula(seed: int, m: float):
    h, v = points(seed, 7), points(seed + 1, 4)
    U = FuzzyClusters(v, m).memberships(h)
    np.testing.assert_allclose(U.sum(axis=1), 1.0, rtol=1e-12)
    squares = ((h[:, None] - v[None]) ** 2).sum(axis=2)
    ratio = (squares[:, :, None] / squares[:, None, :]) ** (1.0 / (m - 1.0))
    np.testing.assert_allclose(U, 1.0 / ratio.sum(axis=2), rtol=1e-8, atol=1e-14)


def test_a_point_on_a_centroid_belongs_to_it_alone():
    v = points(0, 3)
    np.testing.assert_allclose(FuzzyClusters(v, 1.5).memberships(v), np.eye(3), atol=1e-12)


def test_fitted_clusters_are_a_fixed_point_and_give_new_points_the_same_memberships():
    h, settings_ = points(), FuzzyCMeans(3, fuzzifier=2.0)
    clusters = settings_.fit(h)
    U = clusters.memberships(h)
    weight = U**2
    np.testing.assert_allclose(weight.T @ h / weight.sum(axis=0)[:, None], clusters.centroids, atol=1e-6)
    np.testing.assert_allclose(clusters.memberships(h[5:6]), U[5:6], rtol=1e-12)
    assert entropy(U) < 0.5 * math.log(3)
    np.testing.assert_array_equal(settings_.fit(h).centroids, clusters.centroids)


def test_one_cluster_is_the_mean():
    h = points()
    np.testing.assert_allclose(FuzzyCMeans(1).fit(h).centroids[0], h.mean(axis=0), rtol=1e-12)


def test_clusters_that_tell_nothing_are_warned_of():
    h = np.random.default_rng(0).normal(size=(200, 50))
    with pytest.warns(FuzzinessWarning, match="of the largest entropy"):
        FuzzyCMeans(5, fuzzifier=3.0).fit(h)


@pytest.mark.parametrize("wrong", [{"clusters": 0}, {"fuzzifier": 1.0}, {"starts": 0}])
def test_fuzzy_c_means_refuses_illegal_settings(wrong: dict):
    with pytest.raises(InvalidDataError, match="fuzzifier above 1"):
        FuzzyCMeans(**wrong)


def test_fuzzy_c_means_needs_points():
    with pytest.raises(InvalidDataError, match="at least 10 finite points"):
        FuzzyCMeans().fit(np.zeros((3, 2)))


@given(seed=SEEDS, temperature=st.floats(0.01, 1.0))
def test_weights_sum_to_one_and_the_nearest_spectrum_weighs_most(seed: int, temperature: float):
    spectra = torch.from_numpy(np.sort(np.random.default_rng(seed).uniform(0, 2, (5, 4)), axis=1))
    a = spectral_weights(spectra, temperature)
    torch.testing.assert_close(a.sum(dim=1), torch.ones(10, dtype=a.dtype))
    assert torch.equal(a.diagonal(), torch.zeros(10, dtype=a.dtype))
    twins = (torch.arange(10) + 5) % 10
    assert torch.equal(a.argmax(dim=1), twins)  # the other view has distance 0
    distance = (spectra[0] - spectra[1:]).norm(dim=1)
    assert a[0, 1:5].argmax() == distance.argmin()


def test_contrastive_loss_equals_its_sum_written_out():
    z = torch.nn.functional.normalize(torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    a = spectral_weights(torch.tensor([[0.0, 1.0], [0.1, 1.0], [0.3, 1.5]]), 0.2)
    total = 0.0
    for i in range(6):
        below = sum(math.exp(float(z[i] @ z[r]) / 0.1) for r in range(6) if r != i)
        for other in range(6):
            if other != i:
                total -= float(a[i, other]) * math.log(math.exp(float(z[i] @ z[other]) / 0.1) / below)
    assert float(contrastive_loss(z, a)) == pytest.approx(total / 6, rel=1e-5)


def test_the_gradient_goes_through_z_alone():
    spectra = torch.rand(3, 4, requires_grad=True)
    z = torch.nn.functional.normalize(torch.rand(6, 3), dim=1).requires_grad_()
    contrastive_loss(z, spectral_weights(spectra)).backward()
    assert spectra.grad is None
    assert float(z.grad.abs().sum()) > 0


def test_projections_are_unit_vectors_and_collapse_is_warned_of():
    h = torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
    z = ProjectionHead(8, 4)(h)
    torch.testing.assert_close(z.norm(dim=1), torch.ones(400))
    assert spread(torch.nn.functional.normalize(h, dim=1)) == pytest.approx(1.0, abs=0.05)
    with pytest.warns(CollapseWarning, match="has collapsed"):
        spread(z[:1].expand(20, -1) + 1e-4 * z[:20])


def test_the_contrastive_parts_refuse_illegal_settings():
    with pytest.raises(InvalidDataError, match="temperature > 0"):
        spectral_weights(torch.zeros(2, 2), 0.0)
    with pytest.raises(InvalidDataError, match="projected < width"):
        ProjectionHead(8, 8)


@given(seed=SEEDS)
def test_the_transform_is_undone(seed: int):
    rng = np.random.default_rng(seed)
    accuracy, gflops = rng.uniform(0.1, 1.0, 9), rng.uniform(0.0, 30.0, 9)
    transform = FlopsTransform.fit(accuracy, gflops)
    y = transform(accuracy, gflops)
    np.testing.assert_allclose(transform.inverse(y, gflops), accuracy, rtol=1e-9)
    np.testing.assert_allclose([y.mean(), y.std()], [0.0, 1.0], atol=1e-9)
    assert np.array_equal(np.argsort(transform.inverse(np.zeros(9), gflops)), np.argsort(gflops))


def test_the_transform_divides_by_orders_of_magnitude():
    transform = FlopsTransform.fit(np.array([0.8, 0.9]), np.array([0.0, 9.0]))
    assert transform.mean == pytest.approx((0.8 + 0.45) / 2)


def test_the_transform_refuses_losses_and_constants():
    with pytest.raises(InvalidDataError, match="less is better"):
        FlopsTransform.fit(np.array([0.1, 0.2]), np.array([1.0, 2.0]), higher_is_better=False)
    with pytest.raises(InvalidDataError, match="targets that differ"):
        FlopsTransform.fit(np.array([0.5, 0.5]), np.array([1.0, 1.0]))


def test_heads_are_mixed_by_membership():
    heads = FuzzyHeads(5, 3, width=4, depth=2)
    h = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    each = torch.stack([heads(h, torch.eye(3)[k].expand(7, 3)) for k in range(3)], dim=1)
    U = torch.rand(7, 3).softmax(dim=1)
    torch.testing.assert_close(heads(h, U), (each * U).sum(dim=1))
    first = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        for layer, w, b in zip(first[::2], heads.weights, heads.biases, strict=True):
            layer.weight.copy_(w[0].T)
            layer.bias.copy_(b[0, 0])
    torch.testing.assert_close(first(h)[:, 0], each[:, 0])


def test_the_paper_s_network_has_about_18_000_weights():
    member = Member(GraphEncoder(EncoderSettings()), PaperReadout(32))
    # the released code's 24,287 hold 6,240 that are not used; its kernel tables may be one, ours are two
    assert sum(p.numel() for p in member.parameters()) == 24_287 - 6_240 + 32


@settings(max_examples=20)
@given(seed=SEEDS, name=st.sampled_from(sorted(OBJECTIVES)))
def test_a_perfect_output_scores_in_the_true_order(seed: int, name: str):
    rng = np.random.default_rng(seed)
    accuracy, gflops = rng.permutation(np.linspace(0.5, 0.9, 8)), rng.uniform(0.1, 20.0, 8)
    objective = OBJECTIVES[name]
    scale = objective.fit(accuracy, gflops)
    target = objective.target(accuracy, gflops, scale)
    np.testing.assert_allclose(objective.score(target, gflops, scale), accuracy, rtol=1e-9)
    best = float(objective.loss(torch.from_numpy(1e3 * target), torch.from_numpy(target)))
    worst = float(objective.loss(torch.from_numpy(-1e3 * target), torch.from_numpy(target)))
    assert best < worst


def test_pairs_within_the_noise_do_not_count():
    target = torch.tensor([0.5, 0.50001, 0.9], dtype=torch.float64)
    output = torch.tensor([0.0, 2.0, 1.0], dtype=torch.float64)
    expected = (math.log1p(math.exp(-1.0)) + math.log1p(math.exp(1.0))) / 2
    assert float(Better().loss(output, target)) == pytest.approx(expected)
    assert Accuracy() == Accuracy()
    assert AccuracyPerFlops.name == "accuracy_per_flops"


def line(loop: EpochLoop, folder, **options) -> tuple[nn.Linear, list[dict[str, float]]]:
    torch.manual_seed(0)
    module, x = nn.Linear(1, 1), torch.linspace(-1, 1, 40)[:, None]
    log = loop.run(
        module, np.arange(40), lambda rows, _: ((module(x[rows]) - 3 * x[rows] - 1) ** 2).mean(), folder, **options
    )
    return module, log


def test_the_loop_learns_a_line_and_keeps_its_log(tmp_path):
    module, log = line(EpochLoop(60, batch=10, learning_rate=0.1), tmp_path, judge=lambda: {"seen": 1.0})
    assert module.weight.item() == pytest.approx(3.0, abs=0.05)
    assert log[-1]["loss"] < 1e-3 < log[0]["loss"]
    kept = [json.loads(text) for text in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert kept == log
    assert kept[0]["seen"] == 1.0


def test_an_interrupted_run_ends_as_a_whole_one(tmp_path):
    loop = EpochLoop(5, batch=10, learning_rate=0.1)
    whole, _ = line(loop, tmp_path / "whole")

    def interrupt() -> dict[str, float]:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return {}

    calls: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        line(loop, tmp_path / "broken", judge=interrupt)
    resumed, log = line(loop, tmp_path / "broken")
    assert [entry["epoch"] for entry in log] == [0, 1, 2, 3, 4]
    assert torch.equal(whole.weight, resumed.weight)


def test_a_state_of_another_network_is_refused(tmp_path):
    line(EpochLoop(1), tmp_path)
    module = nn.Linear(2, 1)
    with pytest.raises(CheckpointError, match="of the same settings"):
        EpochLoop(2).run(module, np.arange(4), lambda rows, _: module(torch.ones(4, 2)).sum(), tmp_path)


def test_accuracy_per_flops_does_not_leave_its_range():
    accuracy, gflops = np.array([0.9, 0.8, 0.85]), np.array([9.0, 0.5, 3.0])
    objective = AccuracyPerFlops()
    scale = objective.fit(accuracy, gflops)
    target = objective.target(accuracy, gflops, scale)
    beyond = objective.score(target + 100.0, gflops, scale)
    assert np.array_equal(np.argsort(beyond), np.argsort(gflops))
    assert scale.widened(np.array([7.0])).high == 7.0
    assert scale.widened(target) == scale
