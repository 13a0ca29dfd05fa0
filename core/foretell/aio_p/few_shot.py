"""The predictor after a few labels of a new task, and how it learnt from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from foretell.aio_p.k_adapter import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float, Int

    from foretell.aio_p.adapted_network import AdaptedNetwork
    from foretell.aio_p.levels import Level
    from foretell.aio_p.task_adapter import TaskScale
    from foretell.graph import ComputationGraph
    from foretell.pretraining.folded_graphs import FoldedGraphs


@dataclass(frozen=True, eq=False)
class TunedAioP:
    """The predictor after some labels of a task.

    Args:
        network: Backbone and adapters.
        scale: Of the task.
    """

    network: AdaptedNetwork
    scale: TaskScale

    def predict(self, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, " n"]:
        """The label of each network, in the task's unit; larger is better."""
        return self.predict_folded(*fold(self.network.encoder, graphs))

    def predict_folded(self, graphs: FoldedGraphs, gflops: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """As `predict`, from `foretell.aio_p.k_adapter.fold`: the mean of all outputs, read as labels."""
        return self.scale.read(self.network.outputs(graphs).mean(axis=1), gflops)

    def rank(self, graphs: Sequence[ComputationGraph]) -> Int[np.ndarray, " n"]:
        """Positions of the networks, best first."""
        return np.argsort(-self.predict(graphs), kind="stable")


@dataclass(frozen=True)
class FewShot:
    """Adam at a constant rate on the squared error of the mean of all outputs.

    Args:
        epochs: Passes over the labelled networks; 100 in the paper.
        batch: Networks a step; 1 in the paper, which takes ten times as long.
        learning_rate: 1e-4 in the paper, for steps of one network.
        seed: Seed of the order.
    """

    epochs: int = 100
    batch: int = 10
    learning_rate: float = 1e-3
    seed: int = 0

    def descend(self, network: AdaptedNetwork, level: Level, graphs: FoldedGraphs, target: torch.Tensor) -> None:
        """Train the weights of a level in place."""
        weights = [weight.requires_grad_() for weight in level.weights(network)]
        adam, rng = torch.optim.Adam(weights, lr=self.learning_rate), np.random.default_rng(self.seed)
        for _ in range(self.epochs):
            for rows in np.array_split(rng.permutation(len(target)), max(1, round(len(target) / self.batch))):
                adam.zero_grad()
                loss = torch.nn.functional.mse_loss(network(graphs.select(rows)).mean(dim=1), target[rows])
                loss.backward()  # type: ignore[no-untyped-call]
                adam.step()
