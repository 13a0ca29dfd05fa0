"""Configurations with the networks they make in view: captured for a shortlist, remembered by their digest.

Beside the process that sees hyperparameters alone stands one that also sees statistics of the network's graph and what
signals do in it, and one that sees nothing else. How each predicts every observation from the others decides whose word
counts for how much, so that a graph that says nothing costs time but no trials. Those that see the network stand there
twice, the second time expecting more of larger networks before they hear of any (`NetworkSize`). Where weights that
learnt on other networks expect something of these, two others hear it instead, as a straight effect on the target.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.early_fit import refit_size
from foretell.encoders import ColumnScaler, Encoding
from foretell.graph_source import GraphSource
from foretell.held_down import held_down
from foretell.network_columns import network_columns
from foretell.network_expectation import EXPECTED
from foretell.network_size import LEAN, NetworkSize
from foretell.posterior import GaussianPosterior
from foretell.search_warps import SCALES, warped
from foretell.surrogates.search_process import Layout, SearchProcess, fit_theta, spread_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.network_expectation import NetworkExpectation
    from foretell.search_memory import SearchMemory
    from foretell.unit_cube import UnitCube

_UNIT = 0.174  # of standardised columns, so that their groups' distances suit the prior of a hyperparameter's
_STRAIGHT = 2.0  # of standardised expectations: the prior of a straight effect is made for effects of single choices
_FIT_ROWS, _KEPT_ROWS = 100, 200


@dataclass(frozen=True, eq=False)
class NetworkView:
    """What is believed with the network in view.

    Args:
        cube: The space.
        graph: The network of a configuration, None where it has none.
        memory: Where columns are found again.
        scaler: Standardises the network's columns.
        centre: What is taken off all columns.
        processes: Without the network, with it, and by it alone; the last two again, with what is expected, or for what
            is left once sizes are counted.
        leans: What each adds to its prediction for a deviation of size.
        bests: The best smoothed value of each.
        weights: How much each counts.
        size: Sizes of networks beside those of the space.
        expectation: What is expected of networks beforehand, if anything is.
    """

    cube: UnitCube
    graph: Callable[[Mapping[str, Value]], ComputationGraph | None]
    memory: SearchMemory
    scaler: ColumnScaler
    centre: Float[np.ndarray, " c"]
    processes: tuple[SearchProcess, ...]
    leans: tuple[float, ...]
    bests: tuple[float, ...]
    weights: Float[np.ndarray, " p"]
    size: NetworkSize
    expectation: NetworkExpectation | None = None

    @classmethod
    def fit(
        cls,
        cube: UnitCube,
        graph: Callable[[Mapping[str, Value]], ComputationGraph | None],
        memory: SearchMemory,
        configs: Sequence[Mapping[str, Value]],
        y: Float[np.ndarray, " n"],
        partial: np.ndarray,
        pending: Sequence[Mapping[str, Value]] = (),
        expectation: NetworkExpectation | None = None,
    ) -> NetworkView:
        """Fit all processes to a single objective.

        Args:
            cube: The space.
            graph: The network of a configuration.
            memory: Where columns and fits are found again.
            configs: What was evaluated, in the order in which it became known.
            y: Its objective.
            partial: Which were stopped early.
            pending: What is being evaluated.
            expectation: What is expected of networks beforehand, if anything is.
        """
        k = refit_size(len(y))
        early_y, y = held_down(y[:k], partial[:k]), held_down(y, partial)
        early, kept = spread_rows(early_y, _FIT_ROWS), spread_rows(y, _KEPT_ROWS, recent=_KEPT_ROWS // 8)
        first = [configs[i] for i in early.tolist()]
        networks = network_columns(graph, memory, first, expectation)
        size = NetworkSize.usual(cube, graph, memory, expectation)
        sizes = size(networks)
        scaler = ColumnScaler.fit(networks)  # on the same rows as theta, so that both are found again
        X = _joined(cube, scaler, first, networks)
        centre = X.mean(axis=0)
        X = X - centre
        layouts = _layouts(cube, scaler)
        leans = (0.0,) * len(layouts)
        if expectation is None:
            leans, layouts = leans + (LEAN,) * (len(layouts) - 1), (*layouts, *layouts[1:])

        def work() -> np.ndarray:
            """Share of the scale, then all thetas."""
            found, best = None, -np.inf
            for share in SCALES:
                z, slope = (v[early] for v in warped(early_y, share))
                left = [z - lean * sizes for lean in leans]
                thetas = [fit_theta(X, v, layout) for v, layout in zip(left, layouts, strict=True)]
                found_here = zip(left, layouts, thetas, strict=True)
                processes = [SearchProcess.condition_on(X, *each) for each in found_here]
                density = max(process.log_pseudo_likelihood() for process in processes) + float(slope.sum())
                if density > best:
                    best, found = density, np.concatenate([[share], *thetas])
            assert found is not None
            return found

        fitted = memory.fit((cube, scaler.groups, X.tobytes(), early_y.tobytes()), work)
        ends = np.cumsum([1, *(layout.n_groups + 2 + layout.n_blocks for layout in layouts)])
        thetas = [fitted[a:b] for a, b in itertools.pairwise(ends.tolist())]
        given = [configs[i] for i in kept.tolist()]
        networks = network_columns(graph, memory, given, expectation)
        X = _joined(cube, scaler, given, networks) - centre
        z, sizes = warped(y, float(fitted[0]))[0][kept], size(networks)
        processes = [
            SearchProcess.condition_on(X, z - lean * sizes, layout, theta)
            for lean, layout, theta in zip(leans, layouts, thetas, strict=True)
        ]
        lead = np.array([process.log_pseudo_likelihood() for process in processes])
        if pending:
            networks = network_columns(graph, memory, pending, expectation)
            sizes = np.concatenate([sizes, size(networks)])
            X = _joined(cube, scaler, pending, networks) - centre
            processes = [process.believing(X) for process in processes]
        bests = [
            float((process.smoothed + lean * sizes[: len(process.y)]).max())
            for process, lean in zip(processes, leans, strict=True)
        ]
        weights = np.exp(lead - lead.max())
        weights = weights / weights.sum()
        return cls(
            cube, graph, memory, scaler, centre, tuple(processes), leans, tuple(bests), weights, size, expectation
        )

    def score(self, configs: Sequence[Mapping[str, Value]]) -> Float[np.ndarray, " n"]:
        """Logarithm of the expected improvement under all, by their weights."""
        graph = self.graph.proposed if isinstance(self.graph, GraphSource) else self.graph
        networks = network_columns(graph, self.memory, configs, self.expectation)
        X = _joined(self.cube, self.scaler, configs, networks) - self.centre
        gain, sizes = np.zeros(len(X)), self.size(networks)
        for i in np.flatnonzero(self.weights > 1e-3).tolist():
            belief = self.processes[i].predict(X)
            belief = GaussianPosterior(belief.mean + self.leans[i] * sizes, belief.std)
            gain += self.weights[i] * np.exp(log_expected_improvement(belief, self.bests[i]))
        return np.asarray(np.log(gain + 1e-300))


def _layouts(cube: UnitCube, scaler: ColumnScaler) -> tuple[Layout, ...]:
    """What the columns mean to who does not see the network, to who does, and to who sees nothing else.

    To the last, configurations that make the same network are one. Expectations have no part in what is near what; two
    more hear them as a straight effect.
    """
    expects = np.array([g.startswith(EXPECTED) for g in scaler.groups], dtype=bool)
    groups = [g for g, e in zip(scaler.groups, expects, strict=True) if not e]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(groups))}
    network = np.array([numbers.get(g, -1) for g in scaler.groups], dtype=np.int64)
    beside = np.where(network < 0, -1, network + cube.n_groups)
    none = np.full(len(scaler.groups), -1)
    alone = np.full(len(cube.groups), -1)
    blocks = np.concatenate([cube.blocks, none])
    both, G = np.concatenate([cube.groups, beside]), cube.n_groups + len(numbers)
    found = [
        Layout(np.concatenate([cube.groups, none]), blocks, cube.n_groups, 2),
        Layout(both, blocks, G, 2),
        Layout(np.concatenate([alone, network]), np.concatenate([alone, none]), len(numbers), 0),
    ]
    if expects.any():
        found.append(Layout(both, np.concatenate([cube.blocks, np.where(expects, 2, -1)]), G, 3))
        straight = np.concatenate([alone, np.where(expects, 0, -1)])
        found.append(Layout(np.concatenate([alone, network]), straight, len(numbers), 1))
    return tuple(found)


def _joined(
    cube: UnitCube, scaler: ColumnScaler, configs: Sequence[Mapping[str, Value]], networks: Encoding
) -> Float[np.ndarray, "n c"]:
    """Columns of the hyperparameters, then those of the network."""
    seen = scaler.transform(networks) * _UNIT
    seen[:, [g.startswith(EXPECTED) for g in scaler.groups]] *= _STRAIGHT / _UNIT
    return np.concatenate([cube.encode(cube.space.to_unit(configs)), seen], axis=1)
