"""Latency by a table of its parts: what each choice costs on a device, added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from foretell.distributions import Value


@dataclass(frozen=True)
class LatencyTable:
    """A function from parameters to milliseconds, to be given to a `Limit`.

    Args:
        costs: Parameter -> value -> milliseconds on the device; parameters that are not named cost nothing.
        base: Milliseconds that every network costs.

    Raises:
        InvalidDataError: If a value has no cost, when it is asked for.

    >>> LatencyTable({"op": {"conv3x3": 1.5, "skip": 0.0}}, base=0.5)({"op": "conv3x3", "lr": 0.1})
    2.0
    """

    costs: Mapping[str, Mapping[Value, float]]
    base: float = 0.0

    def __call__(self, config: Mapping[str, Value]) -> float:
        """Milliseconds of a configuration."""
        total = self.base
        for name, of_value in self.costs.items():
            if name not in config:
                continue
            if config[name] not in of_value:
                msg = (
                    f"a table of latencies must hold every value, but {name}={config[name]!r} is not among "
                    f"{list(of_value)}: measure it"
                )
                raise InvalidDataError(msg)
            total += of_value[config[name]]
        return total
