"""The most promising configuration once networks are in view: a shortlist, and edits of what it shows to be best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.graph_source import GraphSource
from foretell.network_copies import NetworkCopies
from foretell.network_view import NetworkView
from foretell.proposals import all_changes, local_edits
from foretell.study_belief import doubted, promise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Float

    from foretell.cost_aware import CostAware
    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.network_prior import NetworkPrior
    from foretell.search_memory import SearchMemory
    from foretell.study_state import StudyState

SHORTLIST = 16
"""Proposals by hyperparameters alone whose network is looked at."""
_CLIMBS = 2  # how often as many again
_CHANGES, _CLIMBED = 64, 48  # single changes of a choice that join them, of the best observed and of the best found,
# where networks are written down; modules have to be built and captured, and the shortlist is all there is time for


def network_climb(
    state: StudyState,
    graph: Callable[[Mapping[str, Value]], ComputationGraph | None],
    prior: NetworkPrior | None,
    rows: Float[np.ndarray, "k d"],
    pending: Sequence[Mapping[str, Value]],
    costly: CostAware | None,
    memory: SearchMemory,
    rng: np.random.Generator,
) -> dict[str, Value]:
    """Judge a shortlist again with its networks in view, and climb from its best and the best observed ones.

    Args:
        state: The study, of one objective.
        graph: Makes networks.
        prior: What is expected of networks beforehand.
        rows: The shortlist: the most promising positions by hyperparameters alone.
        pending: Configurations under evaluation.
        costly: What configurations will cost.
        memory: Where fits and networks are found again.
        rng: Source of randomness.
    """
    cube, y, tried = state.cube, state.values[:, 0], state.tried
    doubts = doubted(cube, state.units, state.constraints, state.failed, memory)
    expectation = None if prior is None else prior.expectation
    view = NetworkView.fit(cube, graph, memory, tried, y, state.partial, pending, expectation)
    parents = state.units[np.argsort(-y, kind="stable")[:3]]
    dear = isinstance(graph, GraphSource) and graph.captures
    changes = parents[:0] if dear else all_changes(cube, parents, _CHANGES)
    rows = np.concatenate([rows, local_edits(cube, parents, SHORTLIST, rng), changes])
    if prior is not None:
        rows = np.concatenate([rows, prior.favourites(cube, proposed(graph), memory)])
    copies = NetworkCopies.of(graph, tried, y.tolist()) if isinstance(graph, GraphSource) else None
    judged, scores, configs = rows[:0], np.empty(0), list[dict[str, "Value"]]()
    for _ in range(_CLIMBS + 1):
        fresh = rows[state.first(rows, len(rows), judged)]
        found = [state.space.from_unit(row) for row in fresh]
        judged = np.concatenate([judged, fresh])
        if copies is not None:
            new = copies.new(found)
            fresh, found = fresh[new], [found[i] for i in new]
        if found:
            configs += found
            worth = view.score(found) + promise(doubts, cube.encode(fresh))
            scores = np.concatenate([scores, worth if costly is None else worth - costly.exact_burden(found)])
        if not configs:
            break
        best = state.space.to_unit([configs[i] for i in np.argsort(-scores, kind="stable")[:3].tolist()])
        rows = best[:0] if dear else all_changes(cube, best, _CLIMBED)
        rows = rows if len(rows) else local_edits(cube, best, SHORTLIST, rng)
    return configs[int(np.argmax(scores))] if configs else state.space.from_unit(rows[0])


def proposed(
    graph: Callable[[Mapping[str, Value]], ComputationGraph | None],
) -> Callable[[Mapping[str, Value]], ComputationGraph | None]:
    """The networks of what nobody has tried."""
    return graph.proposed if isinstance(graph, GraphSource) else graph
