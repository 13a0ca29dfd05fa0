"""PyTorch Geometric's `Data` in and out: nothing is lost, in whatever order and batch it comes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader

from foretell import ComputationGraph, Predictor
from foretell.capture import nasbench101, nasbench201
from foretell.errors import InvalidArchitectureError

SMALL = ComputationGraph.from_module(
    nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, groups=3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(96, 5)),
    torch.zeros(1, 3, 4, 4),
)
LARGE = nasbench101.graph([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", "conv3x3-bn-relu", "output"])


@pytest.mark.parametrize("graph", [SMALL, LARGE, nasbench201.graph((0, 0, 0, 0, 0, 0))], ids=repr)
def test_out_and_in_again_is_the_same_array_by_array(graph: ComputationGraph) -> None:
    data = graph.to_pyg()
    assert data.validate()
    assert data.x.dtype == torch.float32
    again = ComputationGraph.from_pyg(data).to_arrays()
    assert all((again[name] == array).all() for name, array in graph.to_arrays().items())


@given(st.permutations(range(len(SMALL))))
def test_the_order_of_nodes_does_not_matter(order: list[int]) -> None:
    data, place = SMALL.to_pyg(), torch.tensor(order).argsort()
    moved = Data(x=data.x[order], op=data.op[order], attributes=data.attributes[order],
                 edge_index=place[data.edge_index])  # fmt: skip
    assert ComputationGraph.from_pyg(moved) == SMALL


def test_a_batch_gives_its_graphs_back_and_a_predictor_reads_them() -> None:
    graphs = [SMALL, LARGE, nasbench201.graph((2, 2, 2, 2, 2, 2))]
    (batch,) = DataLoader([g.to_pyg() for g in graphs], batch_size=3)
    assert batch.attributes.shape == (sum(map(len, graphs)), 16)
    back = [ComputationGraph.from_pyg(data) for data in batch.to_data_list()]
    assert back == graphs
    assert Predictor().fit(back, [1.0, 2.0, 3.0]).rank(graphs)[0] == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"attributes": None}, r"\['attributes'\] is missing: see to_pyg"),
        ({"attributes": torch.zeros(2, 3)}, r"must have shapes \(N,\), \(N, 16\), \(2, E\)"),
        ({"edge_index": torch.tensor([[0, 1], [1, 0]])}, "must be acyclic"),
        ({"op": torch.full((len(SMALL),), 9999)}, "9999"),
    ],
)
def test_refusals(changed: dict[str, torch.Tensor | None], message: str) -> None:
    data = SMALL.to_pyg()
    for name, value in changed.items():
        setattr(data, name, value)
    with pytest.raises(InvalidArchitectureError, match=message):
        ComputationGraph.from_pyg(data)
