"""A surrogate that goes from small training runs to large ones: where the best settings move, and what is lost.

    surrogate = ScalingSurrogate(("parameters", "tokens"), ("learning_rate", "batch_size"), LANGUAGE_MODELS).fit(runs)
    print(surrogate.law("learning_rate"))
    surrogate.recommend({"parameters": 1e9, "tokens": 2e10})

The forms are those of others: a power law of the optimum in model size and data (Li et al., 2025, "Step Law",
https://arxiv.org/abs/2503.04715; Bergsma et al., 2025, "Power Lines", https://arxiv.org/abs/2505.13738), learning rates
that move with width (Yang et al., 2022, "Tensor Programs V", https://arxiv.org/abs/2203.03466), fidelities as inputs of
the surrogate (Fetterman et al., 2023, "CARBS", https://arxiv.org/abs/2306.08055). New is that all runs are used, not
the best of each grid, so that a few dozen at random do; and that the law comes with its uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import InvalidDataError
from foretell.posterior import GaussianPosterior
from foretell.scale.aligned_process import AlignedProcess
from foretell.scale.power_law import PowerLaw
from foretell.scale.recommendation import Recommendation
from foretell.scale.scaled_run import ScaledRun, positive_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

LANGUAGE_MODELS: Mapping[tuple[str, str], float] = MappingProxyType(
    {("learning_rate", "parameters"): -0.5, ("batch_size", "tokens"): 0.5}
)
"""Exponents to begin with: learning rates fall with width, which is the root of the parameters (Yang et al., 2022);
a batch grows as fast as the number of steps does (ours). All others are 0."""
_FEWEST = 8
_POINTS, _FINE = 225, 1681  # of a grid over all settings, where functions are drawn and where only the mean is asked
_LAWS, _FUNCTIONS = 24, 8
_JITTER = 1e-11
_INSIDE = (0.05, 0.95)


@dataclass(frozen=True)
class ScalingSurrogate:
    """What is known before any run.

    Args:
        scales: Names of what is spent.
        settings: Names of what is set.
        exponents: Expected exponent by (setting, scale), 0 where none is given.
        doubt: Standard deviation of every exponent.
        seed: Of the draws from which intervals are taken.

    Raises:
        InvalidDataError: If there is no scale or no setting, an exponent is of neither, or `doubt` is not positive.

    >>> def loss(n, lr):  # the best learning rate is 1 / sqrt(n)
    ...     return 3.0 * n**-0.1 * (1 + 0.02 * np.log(lr * n**0.5) ** 2)
    >>> runs = [ScaledRun({"n": n}, {"lr": lr}, loss(n, lr)) for n in (1, 2, 4, 8) for lr in (0.1, 0.3, 1.0, 3.0)]
    >>> fitted = ScalingSurrogate(("n",), ("lr",)).fit(runs)
    >>> print(round(fitted.law("lr").exponents["n"][0], 1), round(fitted.recommend({"n": 64}).settings["lr"], 1))
    -0.5 0.1
    """

    scales: tuple[str, ...]
    settings: tuple[str, ...]
    exponents: Mapping[tuple[str, str], float] = field(default_factory=dict)
    doubt: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "scales", tuple(self.scales))
        object.__setattr__(self, "settings", tuple(self.settings))
        object.__setattr__(self, "exponents", MappingProxyType(dict(self.exponents)))
        strange = [pair for pair in self.exponents if pair[0] not in self.settings or pair[1] not in self.scales]
        if not self.scales or not self.settings or strange or not self.doubt > 0:
            msg = (
                "a scaling surrogate needs a scale and a setting at least, exponents of (setting, scale) among them, "
                f"and `doubt > 0`, but got {self.scales}, {self.settings}, {strange}, {self.doubt}: name them"
            )
            raise InvalidDataError(msg)

    def fit(self, runs: Sequence[ScaledRun]) -> FittedScaling:
        """Learn from runs; those that diverged, and those whose loss is no number, say nothing.

        Raises:
            InvalidDataError: If fewer than eight runs with a loss are left, or one lacks a scale or a setting.
        """
        usable = [run for run in runs if np.isfinite(run.loss)]
        if len(usable) < _FEWEST:
            msg = f"a law needs {_FEWEST} runs with a finite loss or more, but got {len(usable)}: run small ones first"
            raise InvalidDataError(msg)
        s = _logs([run.scale for run in usable], self.scales)
        t = _logs([run.settings for run in usable], self.settings)
        y = np.log([run.loss for run in usable])
        B = np.array([[self.exponents.get((h, c), 0.0) for h in self.settings] for c in self.scales])
        centre = s.mean(axis=0), t.mean(axis=0), float(y.mean())
        process = AlignedProcess.fit(
            s - centre[0], t - centre[1], y - centre[2], (B, np.full(B.shape, self.doubt))
        )  # fmt: skip
        draws = process.draws(_LAWS, np.random.default_rng(self.seed))
        return FittedScaling(self, process, tuple(draws), *centre)


@dataclass(frozen=True, eq=False)
class FittedScaling:
    """What is believed after some runs.

    Args:
        settings: What was known before.
        process: The process under its most probable law.
        draws: The process under other laws, as likely as they are.
        s: Mean logarithm of each scale.
        t: Mean logarithm of each setting.
        y: Mean log loss.
    """

    settings: ScalingSurrogate
    process: AlignedProcess
    draws: tuple[AlignedProcess, ...]
    s: Float[np.ndarray, " S"]
    t: Float[np.ndarray, " H"]
    y: float

    def law(self, setting: str) -> PowerLaw:
        """How the best value of a setting moves with scale.

        Raises:
            InvalidDataError: If there is no such setting.
        """
        if setting not in self.settings.settings:
            msg = f"a law is of a setting, one of {self.settings.settings}, but got {setting!r}: choose one"
            raise InvalidDataError(msg)
        h = self.settings.settings.index(setting)
        found = np.array([draw.powers[:, h] for draw in self.draws])  # (draws, S)
        middle = self.process.powers[:, h]
        low, high = np.quantile(found, _INSIDE, axis=0)
        low, high = np.minimum(low, middle), np.maximum(high, middle)
        origin = np.zeros(len(self.s))
        t = self._around(origin, _FINE)
        bottom = t[int(np.argmin(self.process.mean(np.repeat(origin[None], len(t), axis=0), t))), h]
        constant = float(np.exp(self.t[h] + bottom - self.s @ middle))
        exponents = zip(middle.tolist(), low.tolist(), high.tolist(), strict=True)
        return PowerLaw(setting, constant, dict(zip(self.settings.scales, exponents, strict=True)))

    def predict(self, runs: Sequence[ScaledRun]) -> GaussianPosterior:
        """Belief about the log loss of runs, noise and the law's uncertainty included; their own losses are not read.

        A run far above the best at its scale is believed too surely: what diverges is not modelled.
        """
        s = _logs([run.scale for run in runs], self.settings.scales) - self.s
        t = _logs([run.settings for run in runs], self.settings.settings) - self.t
        means, variances = [], []
        for process in (self.process, *self.draws):
            mean, covariance = process.predict(s, t)
            means.append(mean)
            variances.append(np.diag(covariance) + process.noise_std**2)
        spread = np.var(means[1:], axis=0)
        return GaussianPosterior(means[0] + self.y, np.sqrt(np.maximum(np.mean(variances, axis=0) + spread, 1e-16)))

    def recommend(
        self, scale: Mapping[str, float], among: Sequence[Mapping[str, float]] | None = None
    ) -> Recommendation:
        """Settings for a run at a scale: those whose excess loss stays below the lowest bound with 90 % probability.

        Args:
            scale: How large the run will be.
            among: Settings that may be chosen; else a grid over all that was tried, moved along the law.

        Raises:
            InvalidDataError: If a scale or setting is absent or not positive, or there is nothing to choose from.
        """
        s = _logs([positive_numbers(scale)], self.settings.scales)[0] - self.s
        if among is not None and not len(among):
            msg = "a recommendation needs settings to choose from, but got none: give some, or leave `among` out"
            raise InvalidDataError(msg)
        if among is None:
            t = self._around(s, _POINTS)
        else:
            t = _logs([positive_numbers(settings) for settings in among], self.settings.settings) - self.t
        rows, rng = np.repeat(s[None], len(t), axis=0), np.random.default_rng(self.settings.seed)
        functions = np.concatenate([_functions(draw, rows, t, rng) for draw in self.draws])  # (draws, candidates)
        excess = np.expm1(functions - functions.min(axis=1, keepdims=True))
        chosen = int(np.argmin(np.quantile(excess, 0.9, axis=0)))
        noise = rng.standard_normal(len(functions)) * self.process.noise_std
        losses = np.exp(functions[:, chosen] + self.y + noise)
        low, high = np.exp(np.quantile(self._bottoms(s), _INSIDE, axis=0) + self.t)
        names = self.settings.settings
        return Recommendation(
            settings=dict(zip(names, np.exp(t[chosen] + self.t).tolist(), strict=True)),
            optimum=dict(zip(names, zip(low.tolist(), high.tolist(), strict=True), strict=True)),
            loss=_interval(losses),
            excess=_interval(excess[:, chosen]),
        )

    def _bottoms(self, s: Float[np.ndarray, " S"]) -> Float[np.ndarray, "k H"]:
        """The best settings at a scale under each draw of a law and a function, from a grid that moves with the law."""
        rng, found = np.random.default_rng(self.settings.seed), []
        for draw in self.draws:
            t = self._around(s, _POINTS, draw)
            found.append(t[np.argmin(_functions(draw, np.repeat(s[None], len(t), axis=0), t, rng), axis=1)])
        return np.concatenate(found)

    def _around(
        self, s: Float[np.ndarray, " S"], points: int, process: AlignedProcess | None = None
    ) -> Float[np.ndarray, "m H"]:
        """A grid over the aligned settings of all runs, at a scale; by the most probable law unless told."""
        process = process or self.process
        u = process.t - process.s @ process.powers
        steps = max(round(points ** (1 / u.shape[1])), 2)
        ends = zip(u.min(axis=0), u.max(axis=0), strict=True)
        axes = np.meshgrid(*[np.linspace(low, high, steps) for low, high in ends])
        return np.asarray(np.stack([axis.ravel() for axis in axes], axis=1) + s @ process.powers)


def _functions(
    process: AlignedProcess, s: np.ndarray, t: np.ndarray, rng: np.random.Generator
) -> Float[np.ndarray, "k m"]:
    """Joint draws of the log loss of settings at a scale."""
    mean, covariance = process.predict(s, t)
    covariance[np.diag_indices_from(covariance)] += _JITTER
    root = np.linalg.cholesky(covariance)
    return np.asarray(mean + rng.standard_normal((_FUNCTIONS, len(mean))) @ root.T)


def _interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, _INSIDE)
    return float(low), float(high)


def _logs(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> Float[np.ndarray, "n k"]:
    """Logarithms of named numbers, a row a mapping."""
    lacking = {name for row in rows for name in names if name not in row}
    if lacking:
        msg = f"every run needs all of {tuple(names)}, but one lacks {sorted(lacking)}: give them, or leave it out"
        raise InvalidDataError(msg)
    return np.asarray(np.log([[row[name] for name in names] for row in rows]))
