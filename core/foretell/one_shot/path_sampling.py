"""Weights for all cells by training one random cell a step: the sounder source of scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foretell.capture import nasbench201
from foretell.one_shot.supernet import path
from foretell.one_shot.weight_training import WeightTraining

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float, Int

    from foretell.one_shot.supernet import Supernet


@dataclass(frozen=True)
class PathSampling:
    """Uniform paths (Guo et al., 2020, "Single Path One-Shot Neural Architecture Search with Uniform Sampling",
    https://arxiv.org/abs/1904.00420, section 3.2). Cells that lead nowhere are not drawn.

    Nothing is chosen: judge cells by the weights afterwards (`SharedWeights`). `DifferentiableSearch` chooses as it
    trains, but its weights know mixtures rather than single cells.

    Args:
        training: Of the weights.
    """  # noqa: D205

    training: WeightTraining = field(default_factory=WeightTraining)

    def train(
        self,
        supernet: Supernet,
        x: Float[torch.Tensor, "n channels height width"],
        labels: Int[torch.Tensor, " n"],
        seed: int = 0,
    ) -> None:
        """Train in place.

        Args:
            supernet: Its weights change.
            x: Images.
            labels: Their classes.
            seed: Of paths and the order of images.
        """
        rng = np.random.default_rng(seed)

        def draw() -> torch.Tensor:
            while True:
                weights = path(nasbench201.sample(rng))
                if bool(weights.any()):
                    return weights

        for _ in self.training.steps(supernet, x, labels, draw, seed):
            pass
