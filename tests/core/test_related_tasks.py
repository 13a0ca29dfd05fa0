"""What passes from other tasks of the same networks to a new one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foretell.aio_p.related_tasks import RelatedTasks, learn_tasks
from foretell.candidate import Candidate
from foretell.capture import nasbench201
from foretell.errors import CheckpointError
from foretell.metrics import kendall_tau
from foretell.presets import foretell
from foretell.surrogates import GaussianProcess, OnGroups, OnTrend

RNG = np.random.default_rng(0)
SPECS = [nasbench201.sample(RNG) for _ in range(160)]
CANDIDATES = [Candidate(nasbench201.graph(s), cells=nasbench201.cells(s)) for s in SPECS]
DEEP = np.array([c.graph.depth for c in CANDIDATES if c.graph], dtype=float)
WIDE = np.log([c.graph.params for c in CANDIDATES if c.graph])
NOISE = RNG.standard_normal((3, 160))
LABELS = {
    "toys.good": DEEP / DEEP.std() + WIDE / WIDE.std() + 0.1 * NOISE[0],
    "toys.fair": DEEP / DEEP.std() + 0.1 * NOISE[1],
    "toys.bad": -DEEP / DEEP.std() + 0.1 * NOISE[2],
}
NEW = 2 * DEEP / DEEP.std() + WIDE / WIDE.std()
SOURCES, FEW, TEST = slice(0, 80), slice(80, 92), slice(92, 160)


@pytest.fixture(scope="module")
def own() -> object:
    return foretell().encode(CANDIDATES)


@pytest.fixture(scope="module")
def folder(own, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learn_tasks(tmp_path_factory.mktemp("tasks"), own.rows(SOURCES), {k: y[SOURCES] for k, y in LABELS.items()})


def test_few_labels_go_further_with_related_tasks(own, folder: Path) -> None:
    related = RelatedTasks(folder, "toys")
    columns = related.columns(own, related.far.encode(CANDIDATES))
    informed = related.predictor().fit_encoding(columns.rows(FEW), NEW[FEW])
    alone = foretell().fit_encoding(own.rows(FEW), NEW[FEW])
    tau = kendall_tau(NEW[TEST], informed.predict_encoding(columns.rows(TEST)).mean)
    assert tau > kendall_tau(NEW[TEST], alone.predict_encoding(own.rows(TEST)).mean) + 0.02
    assert tau > 0.85


def test_columns_are_those_that_the_predictor_encodes_itself(own, folder: Path) -> None:
    related = RelatedTasks(folder, "toys", without=("toys.bad",))
    columns = related.columns(own, related.far.encode(CANDIDATES)).rows(slice(0, 5))
    encoded = related.predictor().encode(CANDIDATES[:5])
    assert columns.groups == encoded.groups
    np.testing.assert_allclose(columns.values, encoded.values, rtol=1e-9)
    assert "pretrained toys.good" in columns.groups
    assert "pretrained toys.bad" not in columns.groups


def test_without_labels_sources_that_disagree_do_not_count(folder: Path) -> None:
    asked = CANDIDATES[92:120]
    score = RelatedTasks(folder, "toys").score(asked)
    assert kendall_tau(NEW[92:120], score) > 0.5
    assert np.corrcoef(score, RelatedTasks(folder, "toys", ("toys.bad",)).score(asked))[0, 1] > 0.98


def test_every_process_has_the_prior_of_its_own_columns(folder: Path) -> None:
    related = RelatedTasks(folder, "toys")
    *priors, of_trees = related.priors()
    assert of_trees is None
    members = related.predictor().surrogate.surrogate.members  # type: ignore[attr-defined]
    processes = [m for m in members if isinstance(m, OnGroups) and m.groups[0] not in {"pretrained *"}][:3]
    for member, prior in zip(processes, priors, strict=True):
        assert isinstance(member.surrogate, GaussianProcess)
        assert member.surrogate.prior == prior
        assert prior is not None
        assert "sizes" in prior.groups
    assert {m.groups for m in members if isinstance(m, OnTrend)} == {"pretrained *", "pretrained toys.*"}


def test_a_checkpoint_without_the_family_is_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="must know a task of others"):
        RelatedTasks(folder, "others")


def test_learning_goes_on_where_it_stopped(own, folder: Path) -> None:
    before = (folder / "toys.good/model.safetensors").stat().st_mtime_ns
    learn_tasks(folder, own.rows(SOURCES), {"toys.good": LABELS["toys.good"][SOURCES]})
    assert (folder / "toys.good/model.safetensors").stat().st_mtime_ns == before
