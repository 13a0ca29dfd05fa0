"""Sums of sums as one: `(a + b) + c`, `a + (b + c)` and the sum of a stack are the same node of a captured graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foretell.graph import ComputationGraph
from foretell.operations import operation

_ADD = operation("Add").id


def merge_sums(graph: ComputationGraph) -> ComputationGraph:
    """Merge every `Add` that only another `Add` of the same shape takes into that one.

    The order in which a network's author wrote a sum of three says nothing about the network, but would tell two of its
    builds apart. Sums that broadcast, that add something learnt, or that something else takes too, stay.

    >>> import torch
    >>> from foretell.capture import capture_module
    >>> class Sum(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.relu() + (x.tanh() + x.sigmoid())
    >>> capture_module(Sum(), torch.zeros(1, 3, 4, 4)).op_counts()["Add"]
    1
    """
    source, target = graph.edges[:, 0], graph.edges[:, 1]
    chained = (graph.op[source] == _ADD) & (graph.op[target] == _ADD)
    if not chained.any():
        return graph
    same = (graph.in_shape == graph.out_shape).all(axis=1)
    alone = (np.bincount(source, minlength=len(graph)) == 1) & (graph.node_params == 0) & (graph.node_flops == 0)
    shapes_agree = (graph.out_shape[source] == graph.out_shape[target]).all(axis=1)
    merged = chained & alone[source] & same[source] & same[target] & shapes_agree
    if not merged.any():
        return graph
    into = np.arange(len(graph))
    for a, b in sorted(graph.edges[merged].tolist(), reverse=True):  # the last sum of a chain first
        into[a] = into[b]
    gone = into != np.arange(len(graph))
    position = np.cumsum(~gone) - 1
    edges = np.stack([position[source], position[into[target]]], axis=1)[~merged]
    columns = {name: array[~gone] for name, array in graph.to_arrays().items() if name != "edges"}
    return replace(graph, **columns, edges=np.unique(edges, axis=0))
