"""The target as GENNAPE has it: accuracy per order of magnitude of FLOPs, standardised.

y = Z(A / (log10(F + 1) + 1)), F in GFLOPs (Mills et al., 2023, https://arxiv.org/abs/2211.17226, equation 5). Mean and
deviation of Z are those of the training family, for every family. The inverse multiplies by the denominator again, so a
network that is given the mean ranks by its FLOPs: the transform is also a belief that accuracy grows with them. It
means nothing for targets where less is better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foretell.errors import InvalidDataError


@dataclass(frozen=True)
class FlopsTransform:
    """A transform with its constants.

    Args:
        mean: Of A / (log10(F + 1) + 1) over the training family.
        std: Likewise, positive.
    """

    mean: float
    std: float

    @classmethod
    def fit(cls, accuracy: np.ndarray, gflops: np.ndarray, *, higher_is_better: bool = True) -> FlopsTransform:
        """Learn the constants.

        Args:
            accuracy: Target, in [0, 1], n.
            gflops: Thousands of millions of FLOPs of one example, a multiply-add counted as two, n.
            higher_is_better: Whether more of the target is better.

        Raises:
            InvalidDataError: If less is better, or all values are the same.

        >>> transform = FlopsTransform.fit(np.array([0.9, 0.8]), np.array([9.0, 0.0]))
        >>> transform.inverse(transform(np.array([0.9]), np.array([9.0])), np.array([9.0])).round(6).tolist()
        [0.9]
        """
        if not higher_is_better:
            msg = (
                "accuracy per FLOPs has no meaning for a target where less is better, but got a loss or a latency: "
                "negate it and leave the transform out"
            )
            raise InvalidDataError(msg)
        ratio = accuracy / per_flops(gflops)
        if len(ratio) == 0 or not float(ratio.std()) > 0:
            msg = f"the transform needs targets that differ, but got {len(ratio)} with no spread: give more networks"
            raise InvalidDataError(msg)
        return cls(float(ratio.mean()), float(ratio.std()))

    def __call__(self, accuracy: np.ndarray, gflops: np.ndarray) -> np.ndarray:
        """Accuracy to y."""
        return np.asarray((accuracy / per_flops(gflops) - self.mean) / self.std)

    def inverse(self, y: np.ndarray, gflops: np.ndarray) -> np.ndarray:
        """From y to accuracy."""
        return np.asarray((y * self.std + self.mean) * per_flops(gflops))


def per_flops(gflops: np.ndarray) -> np.ndarray:
    """The denominator, log10(F + 1) + 1."""
    return np.asarray(np.log10(gflops + 1.0) + 1.0)
