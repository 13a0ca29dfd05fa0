"""The predictor: a backbone, an adapter for each source task, and the mean of what they say for a new task.

Mills et al., 2023, "AIO-P: Expanding Neural Performance Predictors Beyond Image Classification",
https://arxiv.org/abs/2211.17228. Where the paper averages standardised outputs, all of which are accuracies per FLOPs,
ours are first turned into labels of their task and standardised as such, since one of them may be a loss; where all are
accuracies, that is the same but for how much each task counts.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from foretell.aio_p.adapted_network import AdaptedNetwork
from foretell.aio_p.few_shot import FewShot, TunedAioP
from foretell.aio_p.k_adapter import KAdapter, fold
from foretell.aio_p.levels import LEVELS
from foretell.aio_p.task_adapter import TaskAdapter, TaskScale
from foretell.checkpoint import DAMAGED, Checkpoint
from foretell.errors import CheckpointError, ForetellError, InvalidDataError
from foretell.posterior import GaussianPosterior
from foretell.pretraining.graph_encoder import GraphEncoder
from foretell.pretraining.objectives import OBJECTIVES, AccuracyPerFlops, Scale
from foretell.pretraining.stored_modules import fill_module, stored_encoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jaxtyping import Float, Int

    from foretell.aio_p.levels import Level
    from foretell.graph import ComputationGraph
    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.objectives import Objective

_LEAST_SPREAD = 0.1  # deviations; sources that happen to agree are not certain
KIND = "aio-p"
"""What a checkpoint's config says it is."""


@dataclass(frozen=True, eq=False)
class AioP:
    """The predictor before it has seen a label of the task it is asked about.

    Args:
        encoder: The backbone, frozen.
        adapters: The source tasks by name.

    Raises:
        InvalidDataError: If there is no adapter.
    """

    encoder: GraphEncoder
    adapters: Mapping[str, TaskAdapter]

    def __post_init__(self) -> None:
        object.__setattr__(self, "adapters", MappingProxyType(dict(self.adapters)))
        if not self.adapters:
            msg = "a predictor of tasks needs at least one source task, but got none: train an adapter first"
            raise InvalidDataError(msg)

    def without(self, *tasks: str) -> AioP:
        """The same without some source tasks, for measuring on one of them."""
        return AioP(self.encoder, {name: a for name, a in self.adapters.items() if name not in tasks})

    def standard_scores(self, graphs: FoldedGraphs, gflops: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n T"]:
        """What the adapter of each source task says, in deviations of its task; larger is better.

        Args:
            graphs: From `foretell.aio_p.k_adapter.fold`.
            gflops: Likewise.
        """
        outputs = self.network().outputs(graphs)
        scales = [adapter.scale for adapter in self.adapters.values()]
        return np.stack([s.standard(out, gflops) for s, out in zip(scales, outputs.T, strict=True)], axis=1)

    def score(self, graphs: Sequence[ComputationGraph]) -> Float[np.ndarray, " n"]:
        """One number a network for a task that no adapter knows, the mean of all; larger is better, no unit."""
        return np.asarray(self.standard_scores(*fold(self.encoder, graphs)).mean(axis=1))

    def predict(self, graphs: Sequence[ComputationGraph]) -> GaussianPosterior:
        """Belief about each network, in deviations from the mean of a task: mean and spread of the source tasks."""
        scores = self.standard_scores(*fold(self.encoder, graphs))
        return GaussianPosterior(scores.mean(axis=1), np.maximum(scores.std(axis=1), _LEAST_SPREAD))

    def rank(self, graphs: Sequence[ComputationGraph]) -> Int[np.ndarray, " n"]:
        """Positions of the networks, best first."""
        return np.argsort(-self.score(graphs), kind="stable")

    def fit(
        self,
        graphs: Sequence[ComputationGraph],
        y: Sequence[float] | np.ndarray,
        *,
        objective: Objective | None = None,
        level: Level = LEVELS["heads+adapters"],
        training: FewShot | None = None,
    ) -> TunedAioP:
        """A copy that has learnt from some labels of a new task, 20 in the paper.

        Args:
            graphs: Networks with the head of the task, n of them.
            y: Label of each; larger is better.
            objective: `AccuracyPerFlops()`, the default, for accuracies in [0, 1]; `Accuracy()` for what falls with
                size.
            level: Which weights change.
            training: How.

        Raises:
            InvalidDataError: If the lengths differ, there are fewer than two labels, or they do not differ.
        """
        return self.fit_folded(*fold(self.encoder, graphs), np.asarray(y, dtype=np.float64), objective, level, training)

    def fit_folded(
        self,
        graphs: FoldedGraphs,
        gflops: Float[np.ndarray, " n"],
        y: Float[np.ndarray, " n"],
        objective: Objective | None = None,
        level: Level = LEVELS["heads+adapters"],
        training: FewShot | None = None,
    ) -> TunedAioP:
        """As `fit`, for networks in the form of `foretell.aio_p.k_adapter.fold`."""
        if len(y) != graphs.size:
            msg = f"one label a network is needed, but got {graphs.size} networks and {len(y)} labels: pair them"
            raise InvalidDataError(msg)
        scale = TaskScale.fit(objective or AccuracyPerFlops(), y, gflops)
        network = copy.deepcopy(self.network()).requires_grad_(requires_grad=False)
        target = torch.from_numpy(scale.target(y, gflops).astype(np.float32))
        (training or FewShot()).descend(network, level, graphs, target)
        return TunedAioP(network.requires_grad_(requires_grad=False), scale)

    def network(self) -> AdaptedNetwork:
        """Backbone and adapters as one module."""
        return AdaptedNetwork(self.encoder, [adapter.module for adapter in self.adapters.values()])

    def save(self, folder: str | Path) -> None:
        """Write a folder with `model.safetensors` and `config.json`; nothing is pickled."""
        tasks = []
        arrays = _state("backbone", self.encoder)
        for i, (name, adapter) in enumerate(self.adapters.items()):
            s = adapter.scale
            finite = [None if not np.isfinite(b) else b for b in (s.scale.low, s.scale.high)]
            numbers = [s.scale.centre, s.scale.unit, *finite, s.mean, s.std]
            tasks.append({"name": name, "objective": s.objective.name, "numbers": numbers})
            arrays |= _state(f"adapter{i}", adapter.module)
        Checkpoint({"kind": KIND, "encoder": self.encoder.settings.to_config(), "tasks": tasks}, arrays).write(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote.

        Raises:
            CheckpointError: If a file is missing, damaged or of another version.
        """
        stored = Checkpoint.read(folder)
        try:
            encoder = stored_encoder(stored.config["encoder"], stored.part("backbone"))
            adapters = {}
            for i, task in enumerate(stored.config["tasks"]):
                module = KAdapter(encoder)
                fill_module(module, stored.part(f"adapter{i}"))
                adapters[task["name"]] = TaskAdapter(module, _scale(task))
            return cls(encoder, adapters)
        except (*DAMAGED, ForetellError) as e:
            msg = (
                f"a checkpoint of {KIND} must hold backbone and adapters, but {folder} does not ({e!r}): save it again"
            )
            raise CheckpointError(msg) from e

    def __repr__(self) -> str:
        return f"AioP({', '.join(self.adapters)})"


def _scale(task: Mapping[str, Any]) -> TaskScale:
    low, high = (
        side if n is None else float(n) for side, n in zip((-np.inf, np.inf), task["numbers"][2:4], strict=True)
    )
    centre, unit, mean, std = (float(n) for n in (*task["numbers"][:2], *task["numbers"][4:]))
    if not isinstance(task["name"], str) or not np.isfinite([centre, unit, mean, std]).all() or min(unit, std) <= 0:
        raise ValueError(f"task {task['name']!r} has the constants {task['numbers']}")
    scale = Scale(centre, unit, low, high)
    return TaskScale(OBJECTIVES[task["objective"]], scale, mean, std)


def _state(prefix: str, module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {f"{prefix}.{name}": value.numpy() for name, value in module.state_dict().items()}
