"""PyTorch Geometric's `Data` out and in: foretell's graphs in its loaders, its `Data` in foretell's predictors.

Run it with `python examples/pyg_data.py`. `own_graph_network.py` trains a network of PyG on such graphs.
"""

import numpy as np
import torch
from torch_geometric.loader import DataLoader
from torch_geometric.utils import degree

from foretell import ComputationGraph, Predictor
from foretell.capture import nasbench201

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    cells = [tuple(int(op) for op in rng.integers(0, 5, 6)) for _ in range(24)]
    items = [nasbench201.graph(cell).to_pyg() for cell in cells]
    for item in items:  # anything of yours may stand on a Data; x, op and attributes are ours
        item.y = torch.tensor([float(item.attributes[:, -1].sum())]).log10()
        item.fan_in = degree(item.edge_index[1], item.num_nodes)
    print(items[0])

    networks = []
    for batch in DataLoader(items, batch_size=8):
        print(
            f"{batch.num_graphs} graphs in a batch, {batch.num_nodes} operators, widest fan-in {batch.fan_in.max():.0f}"
        )
        networks += [ComputationGraph.from_pyg(item) for item in batch.to_data_list()]
    assert networks == [nasbench201.graph(cell) for cell in cells]

    log_flops = [float(item.y) for item in items]
    predictor = Predictor.preset("foretell").fit(networks[:16], log_flops[:16])
    for item, mean in zip(items[16:20], predictor.predict(networks[16:20]).mean, strict=True):
        print(f"log10 of FLOPs: true {float(item.y):.2f}, predicted {mean:.2f}")
