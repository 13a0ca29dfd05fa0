"""Configurations that make a network which was tried, all else equal: where such have the same value, they are no news.

Many cells of a search space are one network: an edge to nowhere, two operators that change places. But what a function
reads need not show in its graph, as the rate of a dropout does not, so equal graphs alone prove nothing. Once all
copies that a study has tried had the values of their originals, more of them are left out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from foretell.distributions import Value
    from foretell.graph_source import GraphSource


@dataclass(frozen=True)
class NetworkCopies:
    """What was tried, as far as copies of it are known to be no news.

    Args:
        graph: Makes networks.
        taken: Networks with all that they were tried with; nothing where copies may differ.
    """

    graph: GraphSource
    taken: frozenset[Hashable]

    @classmethod
    def of(cls, graph: GraphSource, configs: Sequence[Mapping[str, Value]], values: Iterable[float]) -> NetworkCopies:
        """What the study's own copies say.

        Args:
            graph: Makes networks.
            configs: What was tried.
            values: Its objective.
        """
        found: dict[Hashable, list[float]] = defaultdict(list)
        for config, value in zip(configs, values, strict=True):
            if (key := _key(graph, config)) is not None:
                found[key].append(value)
        copied = [tried for tried in found.values() if len(tried) > 1]
        same = bool(copied) and all(len(set(tried)) == 1 for tried in copied)
        return cls(graph, frozenset(found) if same else frozenset())

    def new(self, configs: Sequence[Mapping[str, Value]]) -> list[int]:
        """Which of the configurations are news, copies of each other left out; all of them if copies may differ."""
        if not self.taken:
            return list(range(len(configs)))
        seen, chosen = set(self.taken), []
        for i, config in enumerate(configs):
            key = _key(self.graph, config)
            if key is None or key not in seen:
                chosen.append(i)
                seen.add(key)
        return chosen


def _key(graph: GraphSource, config: Mapping[str, Value]) -> Hashable:
    """The network and what its function does not look at; None without a network."""
    network = graph.proposed(config)
    return None if network is None else (network.digest, graph.unread(config))
