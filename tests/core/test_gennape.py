"""The ensemble: equal votes without labels, tau's with some, and the same after storage."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.encoders import LaplacianSpectrum
from foretell.errors import CheckpointError, ForetellWarning, InvalidDataError, OutOfDomainWarning
from foretell.metrics import kendall_tau
from foretell.pretraining.fine_tuning import HeadsOnly, WholeNetwork
from foretell.pretraining.folded_graphs import STATISTICS
from foretell.pretraining.gennape import Gennape, fitted_line
from foretell.pretraining.graph_encoder import EncoderSettings
from foretell.pretraining.labelled_graphs import LabelledGraphs
from foretell.pretraining.member_votes import equal_votes, kendall_votes, standard_scores
from foretell.pretraining.pretrain_gennape import PretrainGennape, Split
from foretell.pretraining.pretrain_settings import PRETRAIN_SETTINGS, PretrainSettings
from foretell.pretraining.training_curves import training_curves

MEMBERS = ("cl+fcm+t", "cl+t", "cl+pairwise+fcm", "cl+pairwise", "k-gnn", "flops")
SHAPE = EncoderSettings(width=8, hops=2)
SETTINGS = PretrainSettings(
    encoder=SHAPE,
    projected=4,
    contrast_epochs=2,
    clusters=2,
    head_epochs=2,
    whole_epochs=1,
    pair_epochs=1,
    baseline_epochs=2,
    batch=16,
)


@pytest.fixture(scope="module")
def graphs():
    rng = np.random.default_rng(0)
    return [nasbench201.graph(nasbench201.sample(rng), cells=1) for _ in range(40)]


@pytest.fixture(scope="module")
def run(graphs, tmp_path_factory):
    """A whole pretraining of a minute's worth of nothing: labels are made up from FLOPs."""
    accuracy = 0.8 + 0.1 * np.tanh(np.array([g.flops for g in graphs]) / 2e7)
    data = LabelledGraphs.build(graphs.__getitem__, accuracy, SHAPE, spectrum=LaplacianSpectrum(q=5))
    return PretrainGennape(data, SETTINGS, tmp_path_factory.mktemp("pretrain"))


@pytest.fixture(scope="module")
def gennape(run) -> Gennape:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ForetellWarning)  # so small a run cannot but collapse
        return run.run()[0]


def test_without_labels_all_votes_are_equal(gennape: Gennape, graphs):
    assert gennape.names == MEMBERS
    np.testing.assert_array_equal(gennape.votes, np.full(6, 1 / 6))
    scores = gennape.scores(graphs[:9])
    whole = replace(gennape, domain=(0.0, np.inf))
    np.testing.assert_allclose(whole.vote(scores), standard_scores(scores).mean(axis=1))
    assert sorted(gennape.rank(graphs[:9]).tolist()) == list(range(9))
    np.testing.assert_allclose(scores[:, -1], [g.flops / 1e9 for g in graphs[:9]])


def test_a_network_is_judged_alike_alone_and_among_others(gennape: Gennape, graphs):
    together = gennape.predict(graphs[:5]).mean
    alone = [gennape.predict([Candidate(g)]).mean[0] for g in graphs[:5]]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_outside_the_domain_flops_alone_vote(gennape: Gennape, graphs):
    scores = gennape.scores(graphs[:8])
    outside = replace(gennape, domain=(1e3, 1e4))
    assert not outside.inside(scores).any()
    with pytest.warns(OutOfDomainWarning, match=r"most of these networks lie outside of 1000\.0 to 10000\.0 GFLOPs"):
        np.testing.assert_allclose(outside.vote(scores), standard_scores(scores)[:, -1])
    half = replace(gennape, domain=(float(np.median(scores[:, -1])), np.inf))
    assert 0.5 <= half.inside(scores).mean() < 1
    np.testing.assert_allclose(half.vote(scores), standard_scores(scores).mean(axis=1))
    alone = standard_scores(scores, gennape.pool)
    expected = np.where(half.inside(scores), alone.mean(axis=1), alone[:, -1])
    np.testing.assert_allclose(half.vote(scores, alone=True), expected)


@pytest.mark.parametrize("tuning", [HeadsOnly(epochs=2), WholeNetwork(epochs=2)], ids=["heads", "whole"])
def test_labels_change_members_and_votes_but_not_the_original(gennape: Gennape, graphs, tuning):
    before = gennape.scores(graphs)
    accuracy = np.linspace(0.9, 0.5, 12)
    fitted = gennape.fit(graphs[:12], accuracy, tuning=tuning)
    np.testing.assert_array_equal(gennape.scores(graphs), before)
    after = fitted.scores(graphs)
    assert not np.allclose(after[:, :5], before[:, :5])
    np.testing.assert_array_equal(after[:, 5], before[:, 5])
    taus = np.array([kendall_tau(accuracy, column) for column in after[:12].T])
    np.testing.assert_allclose(fitted.votes, np.exp(taus) / np.exp(taus).sum(), rtol=1e-5)
    again = gennape.fit(graphs[:12], accuracy, tuning=tuning)
    np.testing.assert_array_equal(again.scores(graphs), after)


def test_held_out_votes_are_of_networks_not_tuned_on(gennape: Gennape, graphs):
    accuracy = np.random.default_rng(0).uniform(0.5, 0.9, 12)
    learner = HeadsOnly(epochs=15, learning_rate=2e-2)  # by heart
    seen = gennape.fit(graphs[:12], accuracy, tuning=learner)
    held_out = gennape.fit(graphs[:12], accuracy, tuning=learner, held_out=True)
    assert seen.votes[0] > seen.votes[-1]
    assert held_out.votes[0] - held_out.votes[-1] < seen.votes[0] - seen.votes[-1]


def test_a_stored_ensemble_predicts_the_same(gennape: Gennape, graphs, tmp_path):
    fitted = gennape.fit(graphs[:12], np.linspace(0.9, 0.5, 12), tuning=HeadsOnly(epochs=1))
    fitted.save(tmp_path)
    again = Gennape.load(tmp_path)
    np.testing.assert_array_equal(again.scores(graphs), fitted.scores(graphs))
    np.testing.assert_array_equal(again.predict(graphs).mean, fitted.predict(graphs).mean)
    assert repr(again) == repr(fitted)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["members"][0]["scale"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="must hold all its members"):
        Gennape.load(tmp_path)


def test_labels_must_be_accuracies_of_the_networks(gennape: Gennape, graphs):
    for labels in ([50.0, 60.0], [0.5], [-0.1, 0.5]):
        with pytest.raises(InvalidDataError, match=r"one accuracy in \[0, 1\] a network"):
            gennape.fit(graphs[:2], labels)
    with pytest.raises(InvalidDataError, match="give a graph for each"):
        gennape.rank([Candidate(graphs[0]), Candidate(None, {"lr": 0.1})])


def test_an_interrupted_pretraining_goes_on(run: PretrainGennape, gennape: Gennape, graphs):
    states = {path: path.stat().st_mtime_ns for path in run.folder.rglob("state.safetensors")}
    assert len(states) == 1 + 4 + 2 + 1
    again, report = PretrainGennape(run.data, SETTINGS, run.folder).run()
    assert states == {path: path.stat().st_mtime_ns for path in states}
    np.testing.assert_array_equal(again.scores(graphs), gennape.scores(graphs))
    assert set(report) == {*MEMBERS, "ensemble"}


@pytest.mark.filterwarnings("ignore::foretell.errors.ForetellWarning")
def test_our_graphs_and_encoder_are_settings_of_the_same_pretraining(graphs, tmp_path):
    ours = PRETRAIN_SETTINGS["gennape-nb101-v2"]
    shape = replace(ours.encoder, width=4, hops=1)
    data = LabelledGraphs.build(lambda i: graphs[i], np.linspace(0.5, 0.9, 40), shape, spectrum=LaplacianSpectrum(q=5))
    small = replace(SETTINGS, encoder=shape, plans=dict(list(ours.plans.items())[2:3]))
    gennape, report = PretrainGennape(data, small, tmp_path).run()
    assert set(report) == {"cl+pairwise+fcm", "k-gnn", "flops", "ensemble"}
    assert gennape.clustering.centre.shape == (2 * 4 + len(STATISTICS),)
    np.testing.assert_array_equal(Gennape.load(tmp_path / "checkpoint").scores(graphs[:3]), gennape.scores(graphs[:3]))


def test_the_curves_show_every_log(run: PretrainGennape, gennape: Gennape):
    pytest.importorskip("matplotlib")
    del gennape
    labels = [axes.get_ylabel() for axes in training_curves(run.folder).axes]
    assert {"loss", "spearman", "entropy", "spread", "cl+fcm+t spearman"} <= set(labels)


def test_a_split_is_a_partition():
    split = Split.of(50, seed=3)
    assert [len(part) for part in (split.train, split.val1, split.val2)] == [40, 5, 5]
    assert sorted(np.concatenate([split.train, split.val1, split.val2]).tolist()) == list(range(50))


def test_votes_by_hand():
    y = np.array([1.0, 2.0, 3.0])
    scores = np.stack([y, -y, np.zeros(3)], axis=1)
    e = np.exp([1.0, -1.0, 0.0])
    np.testing.assert_allclose(kendall_votes(scores, y), e / e.sum())
    np.testing.assert_array_equal(kendall_votes(scores[:0], y[:0]), equal_votes(3))
    assert standard_scores(scores)[:, 2].tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(InvalidDataError, match="temperature > 0"):
        kendall_votes(scores, y, temperature=0.0)


def test_a_line_of_accuracies_never_falls():
    votes = np.array([-1.0, 0.0, 1.0])
    assert fitted_line(votes, 0.5 + 0.1 * votes)[:2] == pytest.approx((0.5, 0.1))
    assert fitted_line(votes, 0.5 - 0.1 * votes)[1] == 0.0
