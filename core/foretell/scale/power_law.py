"""How the best value of one setting moves with scale, as a formula to be read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class PowerLaw:
    """setting* = constant x product over scales of scale^exponent.

    Args:
        setting: Name of the setting.
        constant: The factor.
        exponents: By scale: median, and the ends of the central 90 % interval.

    >>> print(PowerLaw("lr", 2.0, {"N": (-0.5, -0.9, -0.1), "D": (0.25, 0.2, 0.3)}))
    lr* = 2 N^-0.50 [-0.90, -0.10] D^0.25 [0.20, 0.30]
    """

    setting: str
    constant: float
    exponents: Mapping[str, tuple[float, float, float]]

    def at(self, scale: Mapping[str, float]) -> float:
        """The best value at a scale, by the medians.

        >>> PowerLaw("lr", 2.0, {"N": (-0.5, -0.9, -0.1)}).at({"N": 4.0})
        1.0
        """
        return math.exp(
            math.log(self.constant)
            + sum(power * math.log(scale[name]) for name, (power, _, _) in self.exponents.items())
        )

    def __str__(self) -> str:
        powers = " ".join(f"{n}^{a:.2f} [{low:.2f}, {high:.2f}]" for n, (a, low, high) in self.exponents.items())
        return f"{self.setting}* = {self.constant:.3g} {powers}"
