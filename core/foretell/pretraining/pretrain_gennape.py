"""Pretraining of GENNAPE on one family, stage by stage, each of which goes on where it was interrupted.

Stages: contrastive encoder; fuzzy clusters of its embeddings; each member's heads over the frozen encoder, then for
each objective the heads of its members and a copy of the encoder together; the k-GNN; scores of the networks held out.
A tenth of the networks is for looking at between epochs (`val1`), another tenth for the last figures (`val2`), as in
the paper; members with the FLOPs transform leave out networks under 80 % accuracy. All on a GPU where there is one.

Several processes divide each batch among them, and the embedding of the whole corpus; each draws the same conclusions
from what all have made, and the first writes. The contrastive stage reads a corpus on disk file by file; the members'
stages keep an embedding and memberships of each network in memory.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from foretell.metrics import kendall_tau, spearman_rho
from foretell.pretraining.clustering import Clustering
from foretell.pretraining.contrastive_loss import ProjectionHead, contrastive_loss, spectral_weights, spread
from foretell.pretraining.epoch_loop import EpochLoop
from foretell.pretraining.fuzzy_c_means import FuzzyCMeans, entropy
from foretell.pretraining.fuzzy_heads import FuzzyHeads
from foretell.pretraining.gennape import FLOPS, Gennape, fitted_line
from foretell.pretraining.graph_encoder import EncoderSettings, GraphEncoder
from foretell.pretraining.member import Member, PaperReadout, TrainedMember
from foretell.pretraining.member_votes import equal_votes
from foretell.pretraining.named_dropout import named_dropout
from foretell.pretraining.objectives import OBJECTIVES, Better
from foretell.pretraining.pretrain_settings import MemberPlan, PretrainSettings
from foretell.pretraining.processes import Processes
from foretell.pretraining.shuffled_rows import ShuffledRows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jaxtyping import Float, Int

    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.labelled_graphs import LabelledGraphs
    from foretell.pretraining.sharded_graphs import ShardedGraphs

_LEAST_ACCURACY = 0.8  # of networks that the transform is trained on
_LOOKED_AT = 1000  # networks judged between epochs
_DOMAIN = (0.01, 0.99)  # quantiles of GFLOPs over the training family
_CLUSTERED = 10_000  # networks that the clusters are made of


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to train on, to look at, and to report."""

    train: Int[np.ndarray, " n"]
    val1: Int[np.ndarray, " k"]
    val2: Int[np.ndarray, " k"]

    @classmethod
    def of(cls, n: int, seed: int) -> Split:
        """80, 10 and 10 % of n rows, at random."""
        order = np.random.default_rng([seed, 1]).permutation(n)
        return cls(order[: n * 8 // 10], order[n * 8 // 10 : n * 9 // 10], order[n * 9 // 10 :])


class _Stage:
    """One member while it is trained: its rows, targets and loss."""

    def __init__(
        self, plan: MemberPlan, run: PretrainGennape, encoder: GraphEncoder, h: np.ndarray, U: np.ndarray
    ) -> None:
        data, objective = run.data, OBJECTIVES[plan.objective]
        sound = data.accuracy >= (_LEAST_ACCURACY if plan.objective == "accuracy_per_flops" else 0.0)
        self.rows = run.split.train[sound[run.split.train]]
        heads = FuzzyHeads(encoder.settings.out_width, U.shape[1] if plan.fuzzy else 1, seed=run.settings.seed)
        module = Member(encoder, heads).to(run.device)
        module.standardise(h[self.rows])
        scale = objective.fit(data.accuracy[self.rows], data.gflops[self.rows])
        self.trained = TrainedMember(module, objective, scale)
        self._dropout_rate, self._processes = plan.dropout_rate, run.processes
        self._sound = torch.from_numpy(sound).to(run.device)
        self._y = torch.from_numpy(objective.target(data.accuracy, data.gflops, scale)).float().to(run.device)
        self._shares = torch.from_numpy(U).float().to(run.device)

    def loss(self, h: torch.Tensor, rows: np.ndarray, generator: torch.Generator) -> torch.Tensor:
        """Of a batch, of those networks that the member may see, from embeddings of this process's part of it."""
        where = torch.from_numpy(rows).to(h.device)
        seen = self._sound[where]
        where = where[seen]
        module = self.trained.module
        x = module.see(h[seen])
        if self._dropout_rate:
            names = where.cpu().numpy().astype(np.uint64)
            x = named_dropout(x, names, self._dropout_rate, generator)
        gather = self._processes.gather
        outputs = gather(module.heads(x, self._shares[where]))
        return self.trained.objective.loss(outputs, gather(self._y[where]))


class PretrainGennape:
    """One run.

    Args:
        data: The training family, with spectra.
        settings: How much of everything.
        folder: Where states, logs and the checkpoint go; all processes must be able to read it.
        processes: Which process this is among those that train together; the only one if not given.
        minutes: Time between two records within an epoch.
        progress: Whether to show bars.
    """

    def __init__(
        self,
        data: LabelledGraphs | ShardedGraphs,
        settings: PretrainSettings,
        folder: Path,
        *,
        processes: Processes | None = None,
        minutes: float = 10.0,
        progress: bool = False,
    ) -> None:
        self.data, self.settings, self.folder, self.minutes = data, settings, folder, minutes
        self.processes = processes or Processes(device=torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        self.device, self.progress = self.processes.device, progress and self.processes.first
        self.split = Split.of(len(data), settings.seed)

    def run(self) -> tuple[Gennape, dict[str, dict[str, float]]]:
        """All stages.

        Returns:
            The predictor, which is also in `folder / "checkpoint"`, and for each member and the ensemble the rank
            correlations on `val2`, of all networks and of those from 80 % accuracy on; also in `report.json`.
        """
        clustering, h = self.clustering()
        U = clustering.clusters.memberships((h - clustering.centre) / clustering.unit)
        members = {**self.members(clustering, h, U), "k-gnn": self.baseline()}
        held_out = self.data.select(self.split.val2)
        votes = equal_votes(len(members) + 1)
        low, high = np.quantile(self.data.gflops[self.split.train], _DOMAIN)
        unscaled = (np.zeros(len(votes)), np.ones(len(votes)))
        gennape = Gennape(clustering, members, unscaled, (0.0, 1.0, 1.0), (float(low), float(high)), votes)
        scores = gennape.folded_scores(held_out.graphs, held_out.gflops)
        pool = (scores.mean(axis=0), scores.std(axis=0))
        gennape = replace(gennape, pool=pool)
        gennape = replace(gennape, line=fitted_line(gennape.vote(scores, alone=True), held_out.accuracy))
        named = dict(zip((*members, FLOPS), scores.T, strict=True)) | {"ensemble": gennape.vote(scores)}
        report = {name: agreement(held_out.accuracy, values) for name, values in named.items()}
        if self.processes.first:
            gennape.save(self.folder / "checkpoint")
            (self.folder / "report.json").write_text(
                json.dumps({"settings": asdict(self.settings), "val2": report}, indent=1)
            )
        self.processes.wait()
        return gennape, report

    def clustering(self) -> tuple[Clustering, Float[np.ndarray, "G e"]]:
        """The contrastive encoder with clusters of its embeddings, and the embeddings."""
        encoder = self.contrast()
        h = self._embedded(encoder)
        train = h[self.split.train].astype(np.float64)
        centre, unit = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-6)
        how = FuzzyCMeans(self.settings.clusters, self.settings.fuzzifier, seed=self.settings.seed)
        clusters = how.fit((train[:_CLUSTERED] - centre) / unit)
        share = entropy(clusters.memberships((train[:_CLUSTERED] - centre) / unit)) / np.log(max(how.clusters, 2))
        self._note("clusters", {"entropy": share, "epoch": 0})
        return Clustering(encoder, centre, unit, clusters), h

    def _embedded(self, encoder: GraphEncoder) -> Float[np.ndarray, "G e"]:
        """Embeddings of the whole corpus: each process makes those of its files, or of its part of the only one."""
        shards, rank, size = self.data.shards, self.processes.rank, self.processes.size
        own = np.array_split(shards[0], size)[rank : rank + 1] if len(shards) == 1 else shards[rank::size]
        parts = [rows for rows in own if len(rows)]
        made = [encoder.encode(self.data.select(rows).graphs, chunk=len(rows)) for rows in parts]
        empty = np.zeros((0, encoder.settings.out_width), np.float32)
        rows = self.processes.gather_array(np.concatenate([np.zeros(0, np.int64), *parts]))
        h = self.processes.gather_array(np.concatenate([empty, *made]))
        placed = np.empty_like(h)
        placed[rows] = h
        return placed

    def contrast(self) -> GraphEncoder:
        """The contrastive encoder, which sees no label."""
        torch.manual_seed(self.settings.seed)
        encoder = GraphEncoder(self.settings.encoder)
        head = ProjectionHead(encoder.settings.pooled_width, self.settings.projected)
        looked_at, gather = self._looked_at(), self.processes.gather

        def loss(rows: np.ndarray, generator: torch.Generator) -> torch.Tensor:
            part = self.data.select(self.processes.part(rows))
            views = torch.cat([gather(head(encoder.view(part.graphs, generator))) for _ in range(2)])
            spectra = gather(torch.from_numpy(part.spectra).float().to(self.device))
            return contrastive_loss(views, spectral_weights(spectra, self.settings.spectral_temperature))

        def judge() -> dict[str, float]:
            with torch.no_grad():
                return {"spread": spread(head(encoder.view(looked_at)))}

        loop = self._loop(self.settings.contrast_epochs, self.settings.learning_rate)
        both = nn.ModuleDict({"encoder": encoder, "projection": head}).to(self.device)
        loop.run(both, self._order(), loss, self.folder / "contrast", judge=judge, progress=self.progress)
        return encoder.cpu().requires_grad_(requires_grad=False)

    def members(
        self, clustering: Clustering, h: Float[np.ndarray, "G e"], U: Float[np.ndarray, "G C"]
    ) -> dict[str, TrainedMember]:
        """The members with a contrastive encoder, objective by objective."""
        plans = self.settings.plans
        found: dict[str, TrainedMember] = {}
        for objective in dict.fromkeys(plan.objective for plan in plans.values()):
            names = [name for name, plan in plans.items() if plan.objective == objective]
            found |= self._members_of(names, clustering, h, U)
        return {name: found[name] for name in plans}

    def _members_of(
        self, names: Sequence[str], clustering: Clustering, h: Float[np.ndarray, "G e"], U: Float[np.ndarray, "G C"]
    ) -> dict[str, TrainedMember]:
        """Members of one objective: heads of each alone, then all heads and one encoder together."""
        encoder = copy.deepcopy(clustering.encoder).to(self.device)
        stages = {name: _Stage(self.settings.plans[name], self, encoder, h, U) for name in names}
        embeddings = torch.from_numpy(h).to(self.device)
        settings, part = self.settings, self.processes.part
        loop = self._loop(settings.head_epochs, settings.head_learning_rate, settings.head_batch)

        def of_heads(stage: _Stage, rows: np.ndarray, generator: torch.Generator) -> torch.Tensor:
            return stage.loss(embeddings[rows], rows, generator)

        for name, stage in stages.items():
            loop.run(
                stage.trained.module,
                stage.rows,
                lambda rows, generator, stage=stage: of_heads(stage, part(rows), generator),  # type: ignore[misc]
                self.folder / name,
                judge=lambda stage=stage: self._judge(stage.trained, h, U),  # type: ignore[misc]
                progress=self.progress,
            )

        def loss(rows: np.ndarray, generator: torch.Generator) -> torch.Tensor:
            rows = part(rows)
            made = encoder(self.data.select(rows).graphs)
            return torch.stack([stage.loss(made, rows, generator) for stage in stages.values()]).sum()

        looked_at = self._looked_at()

        def judge() -> dict[str, float]:
            seen = encoder.encode(looked_at)
            found = {name: self._judge(stage.trained, seen, U, selected=True) for name, stage in stages.items()}
            return {f"{name} {metric}": value for name, measures in found.items() for metric, value in measures.items()}

        encoder.requires_grad_()
        together = nn.ModuleDict({str(i): stage.trained.module for i, stage in enumerate(stages.values())})
        pairs = any(self.settings.plans[name].objective == Better.name for name in names)
        epochs = self.settings.pair_epochs if pairs else self.settings.whole_epochs
        loop = self._loop(epochs, self.settings.whole_learning_rate)
        loop.run(
            together,
            self._order(),
            loss,
            self.folder / f"together-{next(iter(stages))}",
            judge=judge,
            progress=self.progress,
        )
        together.cpu().requires_grad_(requires_grad=False)
        return {name: stage.trained for name, stage in stages.items()}

    def baseline(self) -> TrainedMember:
        """The k-GNN, trained on accuracies alone."""
        torch.manual_seed(self.settings.seed)
        shape = replace(self.settings.encoder, width=EncoderSettings.width, statistics=False)
        module = Member(GraphEncoder(shape), PaperReadout(shape.out_width)).to(self.device)
        rows, objective = self.split.train, OBJECTIVES["accuracy"]
        scale = objective.fit(self.data.accuracy[rows], self.data.gflops[rows])
        y = torch.from_numpy(objective.target(self.data.accuracy, self.data.gflops, scale)).float().to(self.device)
        one = torch.ones(len(self.data), 1, device=self.device)
        trained = TrainedMember(module, objective, scale)
        looked_at, gather = self._looked_at(), self.processes.gather

        def loss(rows: np.ndarray, _: torch.Generator) -> torch.Tensor:
            part = self.processes.part(rows)
            return objective.loss(gather(module(self.data.select(part).graphs, one[part])), gather(y[part]))

        def judge() -> dict[str, float]:
            return self._judge(trained, module.encoder.encode(looked_at), one.cpu().numpy(), selected=True)

        settings = self.settings
        self._loop(settings.baseline_epochs, 2.0 * settings.learning_rate, settings.baseline_batch).run(
            module,
            self._order(),
            loss,
            self.folder / "k-gnn",
            judge=judge,
            progress=self.progress,
        )
        module.cpu().requires_grad_(requires_grad=False)
        return trained

    def _judge(
        self, member: TrainedMember, h: np.ndarray, U: np.ndarray, *, selected: bool = False
    ) -> dict[str, float]:
        rows = self.split.val1[:_LOOKED_AT]
        scores = member.score(h if selected else h[rows], U[rows], self.data.gflops[rows])
        return agreement(self.data.accuracy[rows], scores)

    def _loop(self, epochs: int, learning_rate: float, batch: int | None = None) -> EpochLoop:
        batch, seed = batch or self.settings.batch, self.settings.seed
        return EpochLoop(epochs, batch, learning_rate, seed=seed, minutes=self.minutes, processes=self.processes)

    def _order(self) -> ShuffledRows:
        """The networks to train on, near each other those of one file."""
        return ShuffledRows.among(self.split.train, self.data.shards)

    def _looked_at(self) -> FoldedGraphs:
        return self.data.select(self.split.val1[:_LOOKED_AT]).graphs

    def _note(self, name: str, line: dict[str, float]) -> None:
        if not self.processes.first:
            return
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / name / "log.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")


def agreement(accuracy: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Rank correlations: Spearman's of all, of the networks from 80 % on, and Kendall's of all."""
    good = accuracy >= _LEAST_ACCURACY
    return {
        "spearman": spearman_rho(accuracy, scores),
        "spearman80": spearman_rho(accuracy[good], scores[good]),
        "kendall": kendall_tau(accuracy, scores),
    }
