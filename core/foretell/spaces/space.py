"""A space of networks as a program: give it a trial, and it gives the network that the trial's parameters make.

    network = space(trial)

The trial is Optuna's, or any object with its three `suggest` methods. Names of parameters are paths in the tree of
decisions, so they say what they hang on, and no order has to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from foretell.graph import ComputationGraph
from foretell.spaces.part import Scope
from foretell.spaces.trace import Tracer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from torch import nn

    from foretell.distributions import Value
    from foretell.spaces.part import Part, Plan, Shape
    from foretell.spaces.trace import Trace
    from foretell.spaces.trial import Trial


@dataclass(frozen=True, eq=False)
class Space:
    """A part and what enters it.

    Args:
        part: Draws the network.
        shape: Of one example that enters, without batch.
        dtype: Of its numbers; whole numbers for tokens that an embedding takes.

    >>> from torch import nn
    >>> from foretell import CategoricalDistribution, IntDistribution
    >>> from foretell.spaces import Chain, Choice, Layer, Repeat
    >>> dense = Layer(
    ...     "dense", lambda shape, width: nn.Linear(shape[0], width), {"width": IntDistribution(4, 16)},
    ...     lambda shape, width: (width,),
    ... )
    >>> act = Choice(relu=Layer("relu", lambda shape: nn.ReLU()), tanh=Layer("tanh", lambda shape: nn.Tanh()))
    >>> head = Layer("head", lambda shape: nn.Linear(shape[0], 10), out=lambda shape: (10,))
    >>> space = Space(Chain(body=Repeat(Chain(dense, act), 1, 3), head=head), (64,))
    >>> space.plan_of({"body.times": 2, "body.0.0.width": 8, "body.1.1.is": "tanh"}).text
    'dense(width=8) > relu > dense(width=10) > tanh > head'
    >>> space.size
    18278
    """

    part: Part
    shape: Shape
    dtype: torch.dtype = torch.float32

    def __call__(self, trial: Trial) -> nn.Module:
        """The network of a trial, which may be Optuna's."""
        return self.plan(trial).build()

    def plan(self, trial: Trial) -> Plan:
        """The architecture of a trial, not built yet."""
        return self.part.plan(Scope(trial), self.shape)

    def plan_of(self, config: Mapping[str, Value]) -> Plan:
        """The architecture of a configuration; what it lacks is the middle of its distribution, or the first choice."""
        return self.plan(Tracer(config))

    def build(self, config: Mapping[str, Value]) -> nn.Module:
        """The network of a configuration, as `plan_of` reads it."""
        return self.plan_of(config).build()

    def graph(self, config: Mapping[str, Value]) -> ComputationGraph:
        """The computation graph of a configuration, as `plan_of` reads it: what samplers take as `graph=`."""
        plan = self.plan_of(config)
        if plan.graph is not None:
            return plan.graph()
        with torch.device("meta"):
            network = plan.build()
            return ComputationGraph.from_module(network, self.example(device="meta"))

    def example(self, batch: int = 2, device: str = "cpu") -> torch.Tensor:
        """Zeros of the shape that enters."""
        return torch.zeros((batch, *self.shape), dtype=self.dtype, device=device)

    def trace(self, config: Mapping[str, Value], rng: np.random.Generator | None = None) -> Trace:
        """The path of a configuration; what it lacks is drawn, or without `rng` as `plan_of` has it."""
        tracer = Tracer(config, rng)
        self.plan(tracer)
        return tracer.trace

    def draw(self, rng: np.random.Generator) -> Trace:
        """A random path, by the chances that a grammar gives."""
        return self.trace({}, rng)

    @property
    def size(self) -> float:
        """How many paths there are, infinite where a number is continuous."""
        return self.part.members({})
