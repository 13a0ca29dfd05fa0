"""A graph network of your own in PyTorch Geometric, on foretell's graphs: it learns a network's FLOPs.

Run it with `python examples/own_graph_network.py [epochs]`.
"""

import sys

import numpy as np
import torch
from torch import nn
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GCNConv, global_mean_pool

from foretell.capture import nasbench201
from foretell.operations import OPERATIONS


class Network(nn.Module):
    """Two graph convolutions over operators and their features."""

    def __init__(self, width=32):
        super().__init__()
        self.operators = nn.Embedding(max(op.id for op in OPERATIONS.values()) + 1, width)
        self.features = nn.Linear(16, width)
        self.convolutions = nn.ModuleList([GCNConv(width, width) for _ in range(2)])
        self.head = nn.Linear(width, 1)

    def forward(self, data):
        h = self.operators(data.op) + self.features(data.x)
        for convolution in self.convolutions:
            h = torch.relu(convolution(h, data.edge_index))
        return self.head(global_mean_pool(h, data.batch))[:, 0]


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    graphs = [nasbench201.graph(tuple(int(op) for op in rng.integers(0, 5, 6))) for _ in range(96)]
    size = torch.tensor([float(graph.flops) for graph in graphs]).log()
    data = [graph.to_pyg() for graph in graphs]
    for item, y in zip(data, (size - size.mean()) / size.std(), strict=True):
        item.y = y
    network = Network()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    for _ in range(epochs):
        for batch in DataLoader(data[:64], batch_size=16, shuffle=True):
            optimiser.zero_grad()
            nn.functional.mse_loss(network(batch), batch.y).backward()
            optimiser.step()
    (test,) = DataLoader(data[64:], batch_size=32)
    error = nn.functional.mse_loss(network(test), test.y).item()
    print(f"mean squared error on 32 others after {epochs} epochs: {error:.3f} (always guessing the mean: 1)")
