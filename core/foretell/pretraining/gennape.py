"""GENNAPE: six predictors that were trained on one family of networks and vote on any other.

Mills et al., 2023, "GENNAPE: Towards Generalized Neural Architecture Performance Estimators",
https://arxiv.org/abs/2211.17226. Members: contrastive encoder with heads on fuzzy clusters or plain, each with
regression on accuracy per FLOPs or with pairs; the k-GNN; FLOPs themselves. Without labels all votes are equal, with
some the members are fine-tuned and vote by Kendall's tau. What the paper leaves open is ours: sizes, clusters, scale of
the votes, the pairwise loss.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np

from foretell.candidate import Candidate
from foretell.errors import InvalidDataError, OutOfDomainWarning
from foretell.posterior import GaussianPosterior
from foretell.pretraining.clustering import Clustering
from foretell.pretraining.fine_tuning import FineTuning, HeadsOnly
from foretell.pretraining.graph_encoder import GraphEncoder
from foretell.pretraining.member import TrainedMember
from foretell.pretraining.member_votes import equal_votes, kendall_votes, standard_scores
from foretell.pretraining.stored_gennape import checkpoint_of, stored_ensemble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from jaxtyping import Bool, Float, Int

    from foretell.graph import ComputationGraph
    from foretell.pretraining.folded_graphs import FoldedGraphs

FLOPS = "flops"
"""Name of the member that is no network."""
_FOLDS = 5
_KNOWN = 0.5  # share of the networks judged together that must lie in the domain for the weights to vote


@dataclass(frozen=True, eq=False)
class Gennape:
    """The ensemble with its weights.

    Args:
        clustering: Gives the memberships of all members with fuzzy heads.
        members: The networks by name; FLOPs are the last member, without one.
        pool: Mean and deviation of each member's scores over held-out networks of the training family.
        line: Accuracy as intercept + slope * vote, and deviation from it, over the same networks.
        domain: GFLOPs that the weights know; outside of them the networks lose their vote, and FLOPs keep theirs.
        votes: Weight of each member, sum 1; equal where nothing was fitted.
    """

    clustering: Clustering
    members: Mapping[str, TrainedMember]
    pool: tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]
    line: tuple[float, float, float]
    domain: tuple[float, float] = (0.0, np.inf)
    votes: Float[np.ndarray, " M"] = field(default_factory=lambda: equal_votes(6))

    @property
    def names(self) -> tuple[str, ...]:
        """Members in the order of all columns."""
        return (*self.members, FLOPS)

    def scores(self, graphs: Sequence[ComputationGraph | Candidate]) -> Float[np.ndarray, "n M"]:
        """What each member says, each in its own unit; larger is better.

        Raises:
            InvalidDataError: If there is no graph.
        """
        return self.folded_scores(*self.fold(graphs))

    def fold(self, graphs: Sequence[ComputationGraph | Candidate]) -> tuple[FoldedGraphs, Float[np.ndarray, " n"]]:
        """Graphs in the form that members read, and their GFLOPs."""
        found = [g.graph if isinstance(g, Candidate) else g for g in graphs]
        known = [g for g in found if g is not None]
        if not known or len(known) < len(found):
            msg = (
                f"this predictor reads computation graphs, but {len(found) - len(known)} of {len(found)} candidates "
                "have none: give a graph for each"
            )
            raise InvalidDataError(msg)
        return self.clustering.encoder.settings.fold(known), np.array([g.flops for g in known]) / 1e9

    def folded_scores(self, graphs: FoldedGraphs, gflops: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n M"]:
        """As `scores`, for networks in the form of `fold`."""
        U = self.clustering.memberships(graphs)
        embedded: dict[GraphEncoder, np.ndarray] = {}
        for member in self.members.values():
            if member.module.encoder not in embedded:
                embedded[member.module.encoder] = member.module.encoder.encode(graphs)
        columns = [m.score(embedded[m.module.encoder], U, gflops) for m in self.members.values()]
        return np.stack([*columns, gflops], axis=1)

    def vote(self, scores: Float[np.ndarray, "n M"], *, alone: bool = False) -> Float[np.ndarray, " n"]:
        """One number a network from its members' scores.

        Args:
            scores: From `scores`.
            alone: Whether each network is judged by itself, in units of the training family; otherwise members are
                standardised over the networks given, as in the paper's tables, and none but FLOPs vote where most of
                them are outside of the domain, which is said once.
        """
        inside = self.inside(scores)
        if not alone and inside.mean() < _KNOWN:
            _say(f"{self.domain[0]:.1f} to {self.domain[1]:.1f}")
        trust = np.ones((len(scores) if alone else 1, scores.shape[1]))
        trust[:, :-1] = inside[:, None] if alone else inside.mean() >= _KNOWN
        votes = trust * self.votes
        votes /= votes.sum(axis=1, keepdims=True)
        return np.asarray((standard_scores(scores, self.pool if alone else None) * votes).sum(axis=1))

    def inside(self, scores: Float[np.ndarray, "n M"]) -> Bool[np.ndarray, " n"]:
        """Which networks lie in the domain of the weights."""
        low, high = self.domain
        return np.asarray((scores[:, -1] >= low) & (scores[:, -1] <= high))

    def rank(self, graphs: Sequence[ComputationGraph | Candidate]) -> Int[np.ndarray, " n"]:
        """Positions of the networks, best first."""
        return np.argsort(-self.vote(self.scores(graphs)), kind="stable")

    def predict(self, graphs: Sequence[ComputationGraph | Candidate]) -> GaussianPosterior:
        """Belief about the accuracy of each network by itself, in [0, 1] or the units of the labels of `fit`.

        Without labels of its family the level is a guess; the order is what the weights know.
        """
        intercept, slope, deviation = self.line
        mean = intercept + slope * self.vote(self.scores(graphs), alone=True)
        return GaussianPosterior(mean, np.full(len(mean), deviation))

    def fit(
        self,
        graphs: Sequence[ComputationGraph | Candidate],
        accuracy: Sequence[float] | np.ndarray,
        *,
        tuning: FineTuning | None = None,
        held_out: bool = False,
    ) -> Gennape:
        """A copy that has learnt from some labelled networks, 50 in the paper.

        Args:
            graphs: Networks, n of them.
            accuracy: Of each, in [0, 1]; larger is better.
            tuning: How members adapt; `HeadsOnly()` if not given, `WholeNetwork()` as in the paper.
            held_out: Weigh members by their tau on networks that they were not tuned on, five folds, which takes six
                times as long; otherwise on those that they were, as in the paper.

        Raises:
            InvalidDataError: If the lengths differ, there are fewer than two, or a label is outside [0, 1].
        """
        return self.fit_folded(*self.fold(graphs), np.asarray(accuracy, dtype=np.float64), tuning, held_out=held_out)

    def fit_folded(
        self,
        graphs: FoldedGraphs,
        gflops: Float[np.ndarray, " n"],
        accuracy: Float[np.ndarray, " n"],
        tuning: FineTuning | None = None,
        *,
        held_out: bool = False,
    ) -> Gennape:
        """As `fit`, for networks in the form of `fold`."""
        if len(accuracy) != graphs.size or len(accuracy) < 2 or not ((accuracy >= 0) & (accuracy <= 1)).all():
            msg = (
                f"fine-tuning needs one accuracy in [0, 1] a network, two at least, but got {len(accuracy)} for "
                f"{graphs.size} networks: divide percentages by 100, turn a loss into what larger is better for"
            )
            raise InvalidDataError(msg)
        tuning = HeadsOnly() if tuning is None else tuning
        tuned = self._tuned(tuning, graphs, gflops, accuracy)
        scores = tuned.folded_scores(graphs, gflops)
        judged = scores
        if held_out:
            judged = np.empty_like(scores)
            for rows in np.array_split(np.random.default_rng(0).permutation(len(accuracy)), min(_FOLDS, len(accuracy))):
                rest = np.setdiff1d(np.arange(len(accuracy)), rows)
                part = self._tuned(tuning, graphs.select(rest), gflops[rest], accuracy[rest])
                judged[rows] = part.folded_scores(graphs.select(rows), gflops[rows])
        votes = kendall_votes(judged, accuracy)
        pool = (scores.mean(axis=0), scores.std(axis=0))
        tuned = replace(tuned, domain=(0.0, np.inf))
        return replace(tuned, votes=votes, pool=pool, line=fitted_line(standard_scores(scores, pool) @ votes, accuracy))

    def _tuned(self, tuning: FineTuning, graphs: FoldedGraphs, gflops: np.ndarray, accuracy: np.ndarray) -> Gennape:
        U = self.clustering.memberships(graphs)
        members = {name: tuning.tune(m, graphs, U, accuracy, gflops) for name, m in self.members.items()}
        return replace(self, members=members)

    def save(self, folder: str | Path) -> None:
        """Write a folder with `model.safetensors` and `config.json`; nothing is pickled."""
        checkpoint_of(self).write(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote.

        Raises:
            CheckpointError: If a file is missing, damaged or of another version.
        """
        return cls(**stored_ensemble(folder))

    def __repr__(self) -> str:
        votes = ", ".join(f"{name}: {vote:.2f}" for name, vote in zip(self.names, self.votes, strict=True))
        return f"Gennape({votes})"


@lru_cache(maxsize=32)
def _say(domain: str) -> None:
    warnings.warn(
        f"most of these networks lie outside of {domain} GFLOPs, which these weights know: FLOPs alone rank them",
        OutOfDomainWarning,
        stacklevel=3,
    )


def fitted_line(votes: Float[np.ndarray, " n"], accuracy: Float[np.ndarray, " n"]) -> tuple[float, float, float]:
    """Intercept, slope (not negative) and deviation of accuracies over votes by least squares."""
    centred = votes - votes.mean()
    slope = max(float(centred @ accuracy / max(float(centred @ centred), 1e-12)), 0.0)
    intercept = float(accuracy.mean() - slope * votes.mean())
    rest = accuracy - intercept - slope * votes
    return intercept, slope, max(float(np.sqrt((rest**2).sum() / max(len(rest) - 2, 1))), 1e-6)
