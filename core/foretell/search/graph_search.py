"""Search of computation graphs: edits, a predictor's judgement, a log from which an interrupted search goes on.

What is predicted to be good far from everything that the predictor learnt from is often its error. So beyond the
distance at which the outermost 5 % of the training architectures lie, the score falls with the distance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.judge import judge
from foretell.search.front_search import FrontSearch
from foretell.search.pareto_front import Judged
from foretell.search.random_edit import RandomEdit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float

    from foretell.aio_p.aio_p import AioP
    from foretell.graph import ComputationGraph
    from foretell.predictor import Predictor
    from foretell.pretraining.gennape import Gennape
    from foretell.search.search_log import SearchLog


@dataclass(frozen=True)
class GraphSearch:
    """Settings of a search of graphs.

    Args:
        predictor: A fitted predictor of accuracy, larger is better.
        edits: What is tried.
        queries: Graphs to judge.
        least: Lowest FLOPs, as a share of the start's.
        most: Highest FLOPs, likewise.
        penalty: How many interquartile ranges of its own prediction a graph loses for each further multiple of the
            limit of the training domain.
        seed: Of all chance.

    Raises:
        InvalidDataError: If the band is empty, or the budget is not positive.
    """

    predictor: Predictor | Gennape | AioP
    edits: RandomEdit = field(default_factory=RandomEdit)
    queries: int = 500
    least: float = 0.5
    most: float = 1.0
    penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._search(None)

    def run(
        self, starts: Sequence[ComputationGraph], log: SearchLog | None = None
    ) -> Iterator[list[Judged[ComputationGraph]]]:
        """Judge the starts, then edited graphs, batch by batch.

        Args:
            starts: Where to begin; FLOPs are relative to the first one's.
            log: Remembers scores; what it holds is not predicted again, so that the same search goes on from where
                it was interrupted.
        """
        for batch in self._search(log).run(starts, np.random.default_rng(self.seed)):
            if log is not None:
                log.add(batch)
            yield batch

    def scores(self, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, " n"]:
        """Predicted accuracies less the penalty."""
        posterior, ratios = judge(self.predictor, graphs)
        spread = posterior.quantile(0.75) - posterior.quantile(0.25)
        outside = np.nan_to_num(np.maximum(ratios - 1.0, 0.0))
        return np.asarray(posterior.mean - self.penalty * spread * outside)

    def _search(self, log: SearchLog | None) -> FrontSearch[ComputationGraph]:
        def judged_of(graphs: Sequence[ComputationGraph]) -> list[Judged[ComputationGraph]]:
            known = {} if log is None else log.scores
            new = [graph for graph in graphs if graph.digest not in known]
            found = dict(zip((g.digest for g in new), self.scores(new).tolist() if new else [], strict=True))
            return [
                Judged(g, g.digest, float(g.flops), known.get(g.digest, found.get(g.digest, np.nan))) for g in graphs
            ]

        return FrontSearch(
            self.edits, judged_of, self.queries, self.least, self.most,
            digest=lambda graph: graph.digest, flops=lambda graph: float(graph.flops),
        )  # fmt: skip
