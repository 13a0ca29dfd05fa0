"""Latency of any network of a space on a new device, from a few measurements and what other devices need.

    devices = KnownDevices.learn(space, {"pixel3": (configs, milliseconds), ...})
    chosen = devices.worth_measuring(candidates, 10)
    predictor = LatencyPredictor.fit(devices, [candidates[i] for i in chosen], milliseconds)
    sampler = ForetellSampler(limits=[Limit(predictor, at_most=3.0)], ...)

Few-shot adaptation to a device as in Akhauri and Abdelfattah, 2024, "On Latency Predictors for Neural Architecture
Search" (NASFLAT), https://arxiv.org/abs/2403.02446, and Akhauri and Abdelfattah, 2023, "Multi-Predict",
https://arxiv.org/abs/2306.02459; instead of a network with embeddings of devices, other devices are columns of a
Gaussian process with a straight effect each, which needs no training and says how sure it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.known_devices import layout_of, log_milliseconds
from foretell.posterior import GaussianPosterior
from foretell.surrogates.calibrated import conformal_factor
from foretell.surrogates.search_process import SearchProcess, fit_theta

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.known_devices import KnownDevices

_FIT_ROWS = 200


@dataclass(frozen=True, eq=False)
class LatencyPredictor:
    """A function from configurations to milliseconds, to be given to a `Limit`.

    Two processes on the logarithms of milliseconds, one that hears the other devices and one that does not, weighted by
    how well each predicts every measurement from the others.

    Args:
        devices: What is known of other devices.
        processes: The one that does not hear them, and the one that does; only the first without devices.
        weights: Of each, summing to 1.
        centre: What is taken off the columns.
        mean: Of the logarithms measured.
        std: Of the logarithms measured.
        factor: What standard deviations are multiplied by, so that intervals left out hold what they should.
    """

    devices: KnownDevices
    processes: tuple[SearchProcess, ...]
    weights: tuple[float, ...]
    centre: Float[np.ndarray, " c_plus_k"]
    mean: float
    std: float
    factor: float

    @classmethod
    def fit(
        cls, devices: KnownDevices, configs: Sequence[Mapping[str, Value]], milliseconds: Sequence[float]
    ) -> LatencyPredictor:
        """Learn from measurements on the new device.

        Args:
            devices: What is known of other devices, and the space.
            configs: Networks that were measured, see `KnownDevices.worth_measuring`.
            milliseconds: Their latencies.

        Raises:
            InvalidDataError: If there are fewer than four measurements, not one for each configuration, or one that is
                not positive and finite.
        """
        y = log_milliseconds(configs, milliseconds, "the new device")
        mean, std = float(y.mean()), max(float(y.std()), 1e-6)
        X, z = devices.columns(configs), (y - mean) / std
        centre, c = X.mean(axis=0), len(devices.cube.groups)
        processes, evidence, missed = [], [], []
        for k in (0, len(devices)) if len(devices) else (0,):
            columns, layout = (X - centre)[:, : c + k], layout_of(devices.cube, k)
            theta = fit_theta(columns[:_FIT_ROWS], z[:_FIT_ROWS], layout)
            processes.append(SearchProcess.condition_on(columns, z, layout, theta))
            left_out = processes[-1].leave_one_out()
            away = (z - left_out.mean) / left_out.std
            evidence.append(float(-0.5 * (away @ away) - np.log(left_out.std).sum()))
            missed.append(np.abs(away))
        odds = np.exp(np.array(evidence) - max(evidence))
        weights = odds / odds.sum()
        factor = conformal_factor(missed[int(np.argmax(weights))])
        return cls(devices, tuple(processes), tuple(weights.tolist()), centre, mean, std, factor)

    def predict(self, configs: Sequence[Mapping[str, Value]]) -> GaussianPosterior:
        """Belief about the natural logarithm of what would be measured, in milliseconds, noise included."""
        X = self.devices.columns(configs) - self.centre
        c = len(self.devices.cube.groups)
        beliefs = [p.predict(X[:, : c + k]) for p, k in zip(self.processes, (0, len(self.devices)), strict=False)]
        means = np.stack([b.mean for b in beliefs])
        noisy = np.stack([b.std**2 + p.t2 for b, p in zip(beliefs, self.processes, strict=True)])
        share = np.array(self.weights)
        mean = share @ means
        variance = share @ (noisy + (means - mean) ** 2)
        return GaussianPosterior(self.mean + self.std * mean, self.std * self.factor * np.sqrt(variance))

    def __call__(self, config: Mapping[str, Value]) -> float:
        """Milliseconds of a configuration: as likely more as less."""
        return float(np.exp(self.predict([config]).mean[0]))

    def surely(self, share: float) -> Callable[[Mapping[str, Value]], float]:
        """Milliseconds that are enough with a probability of `share`, for a limit that is to hold on the device.

        Args:
            share: In [0.5, 1).

        Raises:
            InvalidDataError: If it is not.
        """
        if not 0.5 <= share < 1:
            msg = f"a latency must suffice with a probability in [0.5, 1), but got {share}: write e.g. 0.95"
            raise InvalidDataError(msg)
        return lambda config: float(np.exp(self.predict([config]).quantile(share)[0]))
