"""How large networks are, beside those of their space, and what that lets one expect before anything was trained.

In every table of networks that were trained alike, larger ones do better on the whole: on the four tasks of
TransNAS-Bench-101 micro the number of parameters ranks the cells with rho .81, .61, .47 and .10. So a search may begin
with that belief, which needs no weights that learnt anywhere; what becomes of it, its own results decide
(`NetworkView`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.graph_source import GraphSource
from foretell.network_columns import network_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.encoders import Encoding
    from foretell.graph import ComputationGraph
    from foretell.network_expectation import NetworkExpectation
    from foretell.search_memory import SearchMemory
    from foretell.unit_cube import UnitCube

LEAN = 0.8
"""Deviations of the objective that a network gains with each deviation of its size: the correlation to be expected."""
_DRAWN = 16  # networks that say what is usual in a space; each is captured once a study
_EQUAL = 1e-9  # deviations up to which sizes are alike
_FARTHEST = 3.0  # deviations of size that still count
_SIZES = ("log_params", "log_flops")


@dataclass(frozen=True, eq=False)
class NetworkSize:
    """Sizes in deviations from what is usual in a space.

    Args:
        centre: Mean of the logarithms of parameters and FLOPs.
        scale: Their deviation; 0 where all are alike.
    """

    centre: Float[np.ndarray, 2]
    scale: Float[np.ndarray, 2]

    @classmethod
    def usual(
        cls,
        cube: UnitCube,
        graph: Callable[[Mapping[str, Value]], ComputationGraph | None],
        memory: SearchMemory,
        expectation: NetworkExpectation | None = None,
    ) -> NetworkSize:
        """Draw some networks of a space, the same ones every time, and look at them.

        Args:
            cube: The space.
            graph: The network of a configuration, None where it has none.
            memory: Where columns and the result are found again.
            expectation: What columns are asked for with, see `network_columns`.
        """

        def work() -> np.ndarray:
            propose = graph.proposed if isinstance(graph, GraphSource) else graph
            rows = cube.sample(_DRAWN, np.random.default_rng(0))
            found = _logs(network_columns(propose, memory, [cube.space.from_unit(row) for row in rows], expectation))
            found = found[~np.isnan(found).any(axis=1)]
            return np.concatenate([found.mean(axis=0), found.std(axis=0)]) if len(found) else np.zeros(4)

        centre, scale = memory.fit(("usual sizes", cube), work).reshape(2, 2)
        return cls(centre, scale)

    def __call__(self, networks: Encoding) -> Float[np.ndarray, " n"]:
        """Mean deviation of a network's parameters and FLOPs, within 3 of 0, which stands for no network, too.

        Args:
            networks: Columns of networks, see `network_columns`.
        """
        away = (_logs(networks) - self.centre) / np.where(self.scale > _EQUAL, self.scale, np.inf)
        return np.asarray(np.nan_to_num(np.clip(away, -_FARTHEST, _FARTHEST).mean(axis=1)))


def _logs(networks: Encoding) -> Float[np.ndarray, "n 2"]:
    return np.asarray(networks.values[:, [networks.names.index(name) for name in _SIZES]])
