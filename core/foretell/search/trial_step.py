"""The last check of a found network: it compiles, and one step of training changes its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from foretell.compile import compile_graph
from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from foretell.graph import ComputationGraph


@dataclass(frozen=True, slots=True)
class TrialStep:
    """What one step of training did.

    Attributes:
        before: Loss before the step, on two examples.
        after: Loss on the same examples after it.
        trained: Share of the parameters that had a gradient.
    """

    before: float
    after: float
    trained: float


def trial_step(graph: ComputationGraph, seed: int = 0) -> TrialStep:
    """Compile a graph, and make one step of gradient descent towards outputs of 1.

    Args:
        graph: The graph.
        seed: Of weights and examples.

    Raises:
        InvalidArchitectureError: If it does not compile, or loss or gradients are not finite.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = compile_graph(graph)
    network.train()
    inputs = network.example(seed=seed)
    weights = [p for p in network.parameters() if p.requires_grad]
    losses = []
    for _ in range(2):
        found = network(*inputs)
        loss = sum(((one - 1.0) ** 2).mean() for one in (found if isinstance(found, tuple) else (found,)))
        assert isinstance(loss, torch.Tensor)
        losses.append(loss.item())
        if len(losses) == 1:
            loss.backward()  # type: ignore[no-untyped-call]
            with torch.no_grad():
                norm = sum(float((p.grad**2).sum()) for p in weights if p.grad is not None) ** 0.5
                for p in weights:
                    if p.grad is not None:
                        p.sub_(p.grad, alpha=1e-3 / max(norm, 1e-12))
    trained = sum(p.numel() for p in weights if p.grad is not None) / max(sum(p.numel() for p in weights), 1)
    if not all(map(torch.isfinite, map(torch.tensor, [*losses, norm]))):
        msg = f"a found network must train, but losses were {losses} and the gradient's norm {norm}: leave it out"
        raise InvalidArchitectureError(msg)
    return TrialStep(losses[0], losses[1], trained)
