"""Computation graphs as PyTorch Geometric's `Data`, and back, without loss.

A `Data` has, of N nodes and E edges, `x` (N x 16 float features for a network of yours), `op` (N, operator ids),
`attributes` (N x 16, the exact whole numbers behind `x`) and `edge_index` (2 x E). All are batched by PyG's loaders as
they are; what else you put on it (`y`, masks) is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph

if TYPE_CHECKING:
    from torch_geometric.data import Data

COLUMNS = ("in_shape", "out_shape", "kernel", "stride", "dilation", "groups", "bias", "node_params", "node_flops")
"""What stands in `attributes`, in this order."""
_WIDTHS = {"in_shape": 3, "out_shape": 3, "kernel": 2, "stride": 2, "dilation": 2}


def to_pyg(graph: ComputationGraph) -> Data:
    """The graph for PyTorch Geometric.

    >>> from foretell.capture import nasbench201
    >>> to_pyg(nasbench201.graph((2, 2, 2, 2, 2, 2)))
    Data(x=[326, 16], edge_index=[2, 372], op=[326], attributes=[326, 16])
    """
    import torch
    from torch_geometric.data import Data

    exact = np.column_stack([getattr(graph, name).reshape(len(graph), -1) for name in COLUMNS]).astype(np.int64)
    return Data(
        x=torch.from_numpy(graph.features()),
        edge_index=torch.from_numpy(np.ascontiguousarray(graph.edges.T.astype(np.int64))),
        op=torch.from_numpy(graph.op.astype(np.int64)),
        attributes=torch.from_numpy(exact),
    )


def from_pyg(data: Data) -> ComputationGraph:
    """The graph that `to_pyg` made, also after batching, on any device, with its nodes in any order.

    Of a `Batch`, give the items of `to_data_list()`.

    Raises:
        InvalidArchitectureError: If `op`, `attributes` or `edge_index` is missing or of another shape, or the edges
            have a cycle.

    >>> from foretell.capture import nasbench201
    >>> graph = nasbench201.graph((2, 2, 2, 2, 2, 2))
    >>> from_pyg(to_pyg(graph)) == graph
    True
    """
    missing = [name for name in ("op", "attributes", "edge_index") if getattr(data, name, None) is None]
    if missing:
        msg = f"a graph in PyG's form needs op, attributes and edge_index, but {missing} is missing: see to_pyg"
        raise InvalidArchitectureError(msg)
    op, exact, edges = (getattr(data, name).detach().cpu().numpy() for name in ("op", "attributes", "edge_index"))
    if op.ndim != 1 or exact.shape != (len(op), 16) or edges.ndim != 2 or len(edges) != 2:
        shapes = f"{op.shape}, {exact.shape}, {edges.shape}"
        msg = f"`op`, `attributes`, `edge_index` must have shapes (N,), (N, 16), (2, E), but got {shapes}: see to_pyg"
        raise InvalidArchitectureError(msg)
    ends = np.cumsum([_WIDTHS.get(name, 1) for name in COLUMNS])[:-1]
    parts = np.split(exact, ends, axis=1)
    arrays = {name: part if name in _WIDTHS else part[:, 0] for name, part in zip(COLUMNS, parts, strict=True)}
    arrays |= {"op": op, "bias": arrays["bias"].astype(bool)}
    pairs = edges.T
    if (pairs[:, 0] < pairs[:, 1]).all():
        return ComputationGraph(**arrays, edges=pairs)
    loose = ComputationGraph(**arrays, edges=pairs[:0])
    return ComputationGraph.from_nodes(loose.nodes, pairs.tolist())
