"""What each operator of a network is worth to the prediction: the same network with the operator skipped.

Occlusion (Zeiler and Fergus, 2014, https://arxiv.org/abs/1311.2901, section 4.2) of nodes: an operator becomes Identity
with its edges, shapes and stride, without window, weights, FLOPs. Chosen since it is defined for every operator of
every graph and for any encoder, keeps the graph's size and wiring, and is a real architecture where a space has skips
(NAS-Bench-201, 301, TransNAS-Bench-101). Column contributions cannot be mapped on nodes without a rule for each
encoder, and to take the node out would need a rule for operators with several inputs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from foretell.candidate import Candidate, as_candidate
from foretell.errors import InvalidDataError
from foretell.folding import Folding, fold
from foretell.graph import ComputationGraph
from foretell.operations import operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxtyping import Float, Int

    from foretell.distributions import Value
    from foretell.predictor import Predictor

_CHUNK = 256  # edited networks encoded at once
_ENDS = ("Input", "Output")


@dataclass(frozen=True, eq=False)
class OperatorContributions:
    """What a prediction loses when operators are skipped.

    Args:
        drawn: The network, repeated blocks once.
        values: For each node of `drawn.graph` the prediction less that with the node and its copies skipped, in units
            of the target: positive where the operator raises the prediction; `nan` for inputs and outputs.
        prediction: Prediction of the network as it is.
        view: `network`, or `cell 0` and so on.
    """

    drawn: Folding
    values: Float[np.ndarray, " nodes"]
    prediction: float
    view: str


def explain_operators(
    predictor: Predictor,
    item: Candidate | ComputationGraph | Mapping[str, Value],
    *,
    cell: int | None = None,
) -> OperatorContributions:
    """Skip the operators of a network one after another; copies in repeated blocks are skipped together.

    Network and cells are two views that encoders may take of one candidate. One of them is edited and the other stays,
    so that a predictor that sees both tells what it draws from each.

    Args:
        predictor: A fitted predictor.
        item: A candidate with a graph.
        cell: Which cell is edited; None for the network.

    Raises:
        InvalidDataError: If the candidate has no graph, or no such cell.
        InvalidArchitectureError: If an encoder refuses `Identity`, such as `Adjacency` of classes without it.
        NotFittedError: If the predictor is not fitted.

    >>> from foretell.capture import nasbench201
    >>> from foretell.predictor import Predictor
    >>> specs = [(2, 1, 1, 1, k, 1) for k in (0, 2, 3, 4)]
    >>> candidates = [Candidate(cells=nasbench201.cells(spec)) for spec in specs]
    >>> predictor = Predictor.preset("nas-bowl").fit(candidates, [0.1, 0.9, 0.5, 0.2])
    >>> found = explain_operators(predictor, candidates[1], cell=0)
    >>> [node.op for node in found.drawn.graph.nodes], (found.values[1:-1] > 0).tolist()
    (['Input', 'Conv', 'Conv', 'Output'], [True, True])
    """
    candidate = as_candidate(item)
    graph = _view(candidate, cell)
    drawn = fold(graph)
    inner = [i for i, node in enumerate(drawn.graph.nodes) if node.op not in _ENDS]
    own = predictor.encode([candidate])
    prediction = float(predictor.predict_encoding(own).mean[0])
    values = np.full(len(drawn.graph), np.nan)
    for low in range(0, len(inner), _CHUNK):
        some = inner[low : low + _CHUNK]
        edited = [_with_view(candidate, cell, skip_operators(graph, np.flatnonzero(drawn.place == i))) for i in some]
        rows = predictor.encode(edited)
        unseen = ((rows.values == own.values) | (np.isnan(rows.values) & np.isnan(own.values))).all(axis=1)
        lost = prediction - predictor.predict_encoding(rows).mean
        values[some] = np.where(unseen, 0.0, lost)  # else a view that is not looked at shows rounding errors
    return OperatorContributions(drawn, values, prediction, "network" if cell is None else f"cell {cell}")


def skip_operators(graph: ComputationGraph, nodes: Int[np.ndarray, " k"]) -> ComputationGraph:
    """The graph with some operators replaced by `Identity`; edges, shapes and strides stay.

    >>> from foretell.capture import nasbench201
    >>> cell = nasbench201.cells((2, 1, 1, 1, 3, 1))[0]
    >>> skip_operators(cell, np.array([2])) == nasbench201.cells((2, 1, 1, 1, 0, 1))[0]
    True
    """
    skipped = {"op": operation("Identity").id, "kernel": 0, "dilation": 1, "groups": 1, "bias": False,
               "node_params": 0, "node_flops": 0}  # fmt: skip
    arrays = {name: array.copy() for name, array in graph.to_arrays().items()}
    for name, value in skipped.items():
        arrays[name][nodes] = value
    return ComputationGraph.from_arrays(arrays)


def _view(candidate: Candidate, cell: int | None) -> ComputationGraph:
    if cell is None:
        if candidate.graph is None:
            msg = "operators are explained on a graph, but this candidate has none: give Candidate(graph=...) or a cell"
            raise InvalidDataError(msg)
        return candidate.graph
    if not 0 <= cell < len(candidate.cells):
        count = len(candidate.cells)
        msg = f"a cell must be one of the candidate's {count}, counted from 0, but got {cell}: choose one"
        raise InvalidDataError(msg)
    return candidate.cells[cell]


def _with_view(candidate: Candidate, cell: int | None, graph: ComputationGraph) -> Candidate:
    if cell is None:
        return replace(candidate, graph=graph)
    return replace(candidate, cells=(*candidate.cells[:cell], graph, *candidate.cells[cell + 1 :]))
