"""An order of a graph's nodes that does not depend on how they were numbered.

Notation: G graphs, N nodes of all of them together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.encoders.stable_hash import mix

if TYPE_CHECKING:
    from jaxtyping import Bool, Int, UInt64

    from foretell.encoders.joined_graphs import JoinedGraphs


def canonical_order(joined: JoinedGraphs) -> Int[np.ndarray, " N"]:
    """Give each node its place in its graph: by level, then by colour, edges upwards.

    Colours are refined from operator classes by the colours of inputs and consumers until they get no finer
    (Weisfeiler-Lehman). While two nodes of a graph share level and colour, the first such node gets
    a colour of its own and colours are refined again. Where such nodes can be exchanged by a symmetry of the
    graph, as almost always, the order of the graph is canonical; where colour refinement mistakes different
    nodes for equal ones (regular graphs), it depends on the numbering. Isomorphic graphs then get matrices of
    the same graph in different orders, which costs a predictor accuracy but is never wrong.

    Returns:
        Place of each node within its graph, from 0.

    >>> from foretell.capture import nasbench201
    >>> from foretell.encoders.joined_graphs import JoinedGraphs
    >>> canonical_order(JoinedGraphs([nasbench201.cells((0, 1, 2, 1, 1, 0))[0]])).tolist()
    [0, 1, 2]
    """
    owner, levels = joined.owner, joined.levels
    active = np.ones(len(joined), dtype=bool)
    colours = mix(joined.class_hashes)
    while active.any():
        colours = _refine(joined, colours, active)
        order = np.lexsort((colours, levels, owner))
        same = (owner[order][1:] == owner[order][:-1]) & (levels[order][1:] == levels[order][:-1])
        tied = order[:-1][same & (colours[order][1:] == colours[order][:-1])]
        graphs, first = np.unique(owner[tied], return_index=True)  # one node a graph at a time
        colours[tied[first]] = mix(colours[tied[first]], salt=7)
        active = np.isin(np.arange(len(joined)), graphs)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.asarray(place - joined.starts[owner])


def _refine(
    joined: JoinedGraphs, colours: UInt64[np.ndarray, " N"], active: Bool[np.ndarray, " G"]
) -> UInt64[np.ndarray, " N"]:
    """Refine the colours of active graphs, each until its number of colours stays: others must not matter."""
    distinct = _distinct(joined, colours)
    while active.any():
        live = active[joined.owner]
        source, target = joined.edges[live[joined.edges[:, 0]]].T
        before = np.zeros(len(colours), dtype=np.uint64)
        after = np.zeros(len(colours), dtype=np.uint64)
        np.add.at(before, target, mix(colours, salt=1)[source])
        np.add.at(after, source, mix(colours, salt=2)[target])
        colours = np.where(live, mix(colours + mix(before, salt=3) + mix(after, salt=4), salt=5), colours)
        finer = _distinct(joined, colours)
        active = active & (finer > distinct)
        distinct = finer
    return colours


def _distinct(joined: JoinedGraphs, colours: UInt64[np.ndarray, " N"]) -> Int[np.ndarray, " G"]:
    """How many colours each graph has."""
    order = np.lexsort((colours, joined.owner))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (colours[order][1:] != colours[order][:-1]) | (joined.owner[order][1:] != joined.owner[order][:-1])
    return np.bincount(joined.owner[order], weights=new, minlength=len(joined)).astype(np.int64)
