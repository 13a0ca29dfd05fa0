"""A candidate: all that is known of a network that is to be judged."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidDataError
from foretell.graph import ComputationGraph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Value


@dataclass(frozen=True)
class Candidate:
    """A graph and a configuration, either of which may be absent, with what else is known.

    Args:
        graph: The network, None if unknown.
        config: Hyperparameters by name; an inactive one is absent.
        task: What it is trained for, by name.
        fidelity: Share of the full training that was or will be spent, in (0, 1].
        curve: Learning curve so far, pairs (step, value), steps increasing; larger values are better.
        measured: Numbers that were measured before training, by name, such as zero-cost proxies or a latency
            in milliseconds; `nan` for one that failed.
        cells: The cells that the network repeats, as small graphs of their operators (`Family.cells`), where it
            is made of cells.

    Raises:
        InvalidDataError: If the fidelity lies outside (0, 1], the curve's steps do not increase or a measured
            number is infinite.
    """

    graph: ComputationGraph | None = None
    config: Mapping[str, Value] = field(default_factory=dict)
    task: str | None = None
    fidelity: float = 1.0
    curve: tuple[tuple[float, float], ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)
    cells: tuple[ComputationGraph, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "config", MappingProxyType(dict(self.config)))
        object.__setattr__(self, "curve", tuple((float(t), float(y)) for t, y in self.curve))
        measured = {str(name): float(value) for name, value in self.measured.items()}
        object.__setattr__(self, "measured", MappingProxyType(measured))
        if not 0.0 < self.fidelity <= 1.0:
            msg = f"`0 < fidelity <= 1` must hold, but got {self.fidelity=}: divide by the full budget"
            raise InvalidDataError(msg)
        steps = [t for t, _ in self.curve]
        if any(not math.isfinite(t) for t in steps) or any(b <= a for a, b in pairwise(steps)):
            msg = f"a curve's steps must increase, but got {steps}: sort them and drop repeats"
            raise InvalidDataError(msg)
        endless = {name: value for name, value in measured.items() if math.isinf(value)}
        if endless:
            msg = f"a measured number must be finite, or nan where it failed, but got {endless}: clip it or give nan"
            raise InvalidDataError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        rest = (self.task, self.fidelity, self.curve, dict(self.measured), self.cells)
        return Candidate, (self.graph, dict(self.config), *rest)


def as_candidate(item: Candidate | ComputationGraph | Mapping[str, Value]) -> Candidate:
    """Wrap a bare graph or configuration.

    Raises:
        InvalidDataError: If it is neither.
    """
    if isinstance(item, Candidate):
        return item
    if isinstance(item, ComputationGraph):
        return Candidate(graph=item)
    if hasattr(item, "keys"):
        return Candidate(config=item)
    msg = f"a candidate must be a Candidate, a ComputationGraph or a mapping, but got {type(item).__name__}: wrap it"
    raise InvalidDataError(msg)
