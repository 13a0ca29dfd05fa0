"""Training of adapters: each source task by itself, beside a backbone that stays as it is.

The backbone of the paper is the k-GNN of GENNAPE, trained on NAS-Bench-101 (`shipped_backbone`). Adam on squared error,
40 epochs of batches of 32 as in the paper (Mills et al., 2023, https://arxiv.org/abs/2211.17228); our learning rate is
ten times the paper's and falls, since we have fewer networks. A run goes on where it was interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from foretell.aio_p.aio_p import AioP
from foretell.aio_p.k_adapter import KAdapter
from foretell.aio_p.task_adapter import TaskAdapter, TaskScale
from foretell.errors import InvalidDataError
from foretell.pretraining.epoch_loop import EpochLoop

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jaxtyping import Float

    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.graph_encoder import GraphEncoder
    from foretell.pretraining.objectives import Objective


@dataclass(frozen=True, eq=False)
class SourceTask:
    """Labelled networks of one task.

    Args:
        graphs: Networks with the head of the task, folded by `foretell.aio_p.k_adapter.fold`.
        gflops: Of each, n.
        y: Label of each, n; larger is better, accuracies in [0, 1].
        objective: `AccuracyPerFlops()` for accuracies, `Accuracy()` for what falls with size.

    Raises:
        InvalidDataError: If the lengths differ.
    """

    graphs: FoldedGraphs
    gflops: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    objective: Objective

    def __post_init__(self) -> None:
        if not self.graphs.size == len(self.gflops) == len(self.y):
            msg = (
                f"a task needs FLOPs and a label for each network, but got {self.graphs.size} networks, "
                f"{len(self.gflops)} FLOPs, {len(self.y)} labels: give one of each"
            )
            raise InvalidDataError(msg)


@dataclass(frozen=True)
class AdapterTraining:
    """How an adapter is trained.

    Args:
        epochs: Passes over a task's networks.
        batch: Networks a step.
        learning_rate: Largest; falls to 0 along a cosine.
        seed: Seed of weights and order.
    """

    epochs: int = 40
    batch: int = 32
    learning_rate: float = 1e-3
    seed: int = 0

    def train(self, encoder: GraphEncoder, task: SourceTask, folder: Path, *, progress: bool = False) -> TaskAdapter:
        """Train one adapter.

        Args:
            encoder: The backbone, which stays as it is.
            task: What it learns from.
            folder: Where state and log are kept.
            progress: Whether to show a bar.
        """
        scale = TaskScale.fit(task.objective, task.y, task.gflops)
        target = torch.from_numpy(scale.target(task.y, task.gflops).astype(np.float32))
        module = KAdapter(encoder, seed=self.seed)

        def loss(rows: np.ndarray, generator: torch.Generator) -> torch.Tensor:
            del generator
            graphs = task.graphs.select(rows)
            with torch.no_grad():
                states = encoder.states(graphs)
            return F.mse_loss(module(encoder, graphs, states), target[rows])

        loop = EpochLoop(self.epochs, self.batch, self.learning_rate, seed=self.seed)
        loop.run(module, np.arange(len(task.y)), loss, folder, progress=progress)
        return TaskAdapter(module.requires_grad_(requires_grad=False), scale)

    def train_all(
        self, encoder: GraphEncoder, tasks: Mapping[str, SourceTask], folder: Path, *, progress: bool = False
    ) -> AioP:
        """Train an adapter for each task, each in a folder of its own."""
        trained = {name: self.train(encoder, t, folder / name, progress=progress) for name, t in tasks.items()}
        return AioP(encoder, trained)


def shipped_backbone(checkpoint: str = "gennape-nb101") -> GraphEncoder:
    """The k-GNN that learnt on NAS-Bench-101, from a checkpoint of GENNAPE.

    Raises:
        CheckpointError: If there is none of that name.
    """
    from foretell.checkpoints import stored_checkpoint
    from foretell.errors import CheckpointError
    from foretell.pretraining.gennape import Gennape

    found = stored_checkpoint(checkpoint)
    if not isinstance(found, Gennape):
        msg = (
            f"the backbone is a member of GENNAPE, but {checkpoint!r} holds {type(found).__name__}: name gennape-nb101"
        )
        raise CheckpointError(msg)
    return found.members["k-gnn"].module.encoder
