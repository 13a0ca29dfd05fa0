"""The one training loop of all networks here, and the layers that they share.

A network is a function of named weights. All members of an ensemble are trained at once: every weight, input and score
has a leading dimension of E members, so that small networks cost little more than one.

Notation: E members, B rows a batch, n rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from jaxtyping import Float, Int


@dataclass(frozen=True)
class Training:
    """AdamW (Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101) with a cosine to `final_learning_rate`.

    Args:
        n_epochs: Passes over the rows; there is no early stop.
        batch_size: Rows a step and member.
        learning_rate: First learning rate.
        weight_decay: Share of each weight removed a step, times the learning rate.
        final_learning_rate: Last learning rate.
        seed: Seed of the order of rows and of dropout.
    """

    n_epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0
    final_learning_rate: float = 0.0
    seed: int = 0

    def run(
        self,
        weights: Mapping[str, torch.Tensor],
        rows: Int[torch.Tensor, "E n"],
        loss: Callable[[dict[str, torch.Tensor], Int[torch.Tensor, "E B"], torch.Generator], torch.Tensor],
    ) -> dict[str, torch.Tensor]:
        """Minimise a loss.

        Args:
            weights: Where to begin, by name.
            rows: Rows that each member may see.
            loss: Sum of the members' losses from weights, a batch of rows, and a generator for dropout.

        Returns:
            The trained weights.
        """
        import torch

        generator = torch.Generator().manual_seed(self.seed)
        trained = {name: w.clone().requires_grad_() for name, w in weights.items()}
        optimizer = torch.optim.AdamW(trained.values(), self.learning_rate, weight_decay=self.weight_decay, fused=True)
        n_steps, step = self.n_epochs * math.ceil(rows.shape[1] / self.batch_size), 0
        for _ in range(self.n_epochs):
            order = torch.rand(rows.shape, generator=generator).argsort(dim=1)
            for batch in torch.split(rows.gather(1, order), self.batch_size, dim=1):
                fall = 0.5 * (1.0 + math.cos(math.pi * step / n_steps))
                for group in optimizer.param_groups:
                    group["lr"] = self.final_learning_rate + fall * (self.learning_rate - self.final_learning_rate)
                optimizer.zero_grad()
                loss(trained, batch, generator).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                step += 1
        return {name: w.detach() for name, w in trained.items()}


def layers(sizes: Mapping[str, tuple[int, int]], n_members: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Random weights of linear layers, uniform within 1 / sqrt(inputs), as PyTorch's.

    Args:
        sizes: Inputs and outputs of each layer by name.
        n_members: E.
        generator: Source of randomness.

    Returns:
        `name.weight`, E x inputs x outputs, and `name.bias`, E x 1 x outputs, for each layer.
    """
    import torch

    weights = {}
    for name, (n_in, n_out) in sizes.items():
        bound = 1.0 / math.sqrt(max(n_in, 1))
        for part, shape in (("weight", (n_members, n_in, n_out)), ("bias", (n_members, 1, n_out))):
            weights[f"{name}.{part}"] = (2.0 * torch.rand(shape, generator=generator) - 1.0) * bound
    return weights


def affine(
    weights: Mapping[str, torch.Tensor], name: str, x: Float[torch.Tensor, "E *rows inputs"]
) -> Float[torch.Tensor, "E *rows outputs"]:
    """Apply a linear layer of each member to its rows."""
    import torch

    flat = x.reshape(x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1])
    mapped = torch.baddbmm(weights[f"{name}.bias"], flat, weights[f"{name}.weight"])
    return mapped.reshape(*x.shape[:-1], mapped.shape[-1])


def dropout(
    x: Float[torch.Tensor, "*any"], rate: float, generator: torch.Generator | None
) -> Float[torch.Tensor, "*any"]:
    """Zero a share of the entries and scale up the rest; nothing without a generator, that is, after training."""
    import torch

    if generator is None or rate == 0.0:
        return x
    return x * (torch.rand(x.shape, generator=generator) >= rate) / (1.0 - rate)
