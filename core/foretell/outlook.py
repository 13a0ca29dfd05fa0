"""What a study may still gain: the expected improvement of its next trials, and whether that is worth them.

A search is done when its surrogate expects next to nothing of many more trials (Makarova et al., 2022, "Automatic
Termination for Hyperparameter Optimization", https://arxiv.org/abs/2104.08166, stop by a bound on the regret; here it
is the expected gain, which is in the unit that the trials are paid for).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.encoders import ColumnScaler, Hyperparameters
from foretell.errors import InvalidDataError
from foretell.proposals import local_edits, unseen
from foretell.surrogates import GaussianProcess
from foretell.target_warp import TargetWarp
from foretell.unit_cube import UnitCube

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.search_space import SearchSpace

_PROPOSALS, _REFINED, _ROUNDS = 512, 128, 2
_GREEDY = 12  # trials that are chosen; more are taken to add little
_SAMPLES = 512
_FEWEST = 4
_START = 10  # trials by whose median progress is measured
_PRIOR = 0.25  # share of the surrogate's hopes that come true, before there is a record


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the next trials may bring.

    Attributes:
        gain: By how much the best of the next trials is expected to exceed the best so far, in the unit of the
            objective; not negative.
        progress: By how much the best so far exceeds the median of the first ten trials, in the same unit.
    """

    gain: float
    progress: float

    @property
    def share(self) -> float:
        """`gain` as a share of `progress`; 0 where nothing is expected, infinite where nothing was reached yet."""
        if self.gain == 0:
            return 0.0
        return self.gain / self.progress if self.progress > 0 else math.inf


def outlook(
    space: SearchSpace,
    configs: Sequence[Mapping[str, Value]],
    values: Sequence[float] | Float[np.ndarray, " n"],
    trials: int,
    seed: int = 0,
) -> Outlook:
    """Estimate the gain of the next trials.

    What a Gaussian process hopes for (`hoped_gain`) is too much as a rule: it knows nothing of the best value there can
    be. So the study's own record corrects it: what it hoped for as many trials ago, and twice as many, beside what came
    of it. Before there is a record, a quarter of what is hoped counts.

    Args:
        space: What may be varied.
        configs: What was tried, in order; inactive parameters are absent.
        values: What it was worth, larger is better; infinite allowed.
        trials: How many more trials are meant.
        seed: Of the proposals.

    Returns:
        The outlook; no gain where every configuration of the space was tried.

    Raises:
        InvalidDataError: If there are fewer than 4 finite values, one is `nan`, or `trials` is not positive.
    """
    values = np.asarray(values, dtype=np.float64)
    if np.isnan(values).any() or np.isfinite(values).sum() < _FEWEST or len(values) != len(configs) or trials < 1:
        msg = (
            f"an outlook needs {_FEWEST} finite values or more, one a configuration, none nan, and `trials >= 1`, but "
            f"got {values!r} for {len(configs)} configurations and {trials=}: ask later, and leave failed trials out"
        )
        raise InvalidDataError(msg)
    finite = values[np.isfinite(values)]
    now = hoped_gain(space, configs, values, trials, seed)
    hoped, came = now, _PRIOR * now
    for then in (len(values) - trials, len(values) - 2 * trials):
        if then >= _START and np.isfinite(values[:then]).sum() >= _FEWEST:
            hoped += hoped_gain(space, configs[:then], values[:then], trials, seed)
            came += float(_best(values[: then + trials]) - _best(values[:then]))
    gain = now * min(came / hoped, 1.0) if hoped > 0 else 0.0
    return Outlook(gain, float(finite.max() - np.median(finite[:_START])))


def hoped_gain(
    space: SearchSpace, configs: Sequence[Mapping[str, Value]], values: Float[np.ndarray, " n"], trials: int, seed: int
) -> float:
    """Expected gain of the best of the next trials under a Gaussian process alone, in the unit of the objective.

    The next trials are chosen among many proposals by expected improvement, each after the ones before were given their
    expected values; the gain is the mean over joint samples of the process at all of them, seen through the target's
    warp, of the largest value less the process's own belief about the best configuration.

    Args:
        space: As in `outlook`.
        configs: As in `outlook`.
        values: As in `outlook`.
        trials: As in `outlook`; beyond twelve they are taken to add nothing.
        seed: Of proposals and samples.
    """
    block, units, rng = Hyperparameters(space), space.to_unit(list(configs)), np.random.default_rng(seed)
    encoding, warp = block.encode_units(units), TargetWarp.fit_top_linear(values)
    scaler = ColumnScaler.fit(encoding)
    process = GaussianProcess().fit(scaler.transform(encoding), warp.forward(values), scaler.groups)
    best = float(process.smoothed.max())

    def columns(rows: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m k"]:
        return scaler.transform(block.encode_units(rows))

    elite = units[np.argsort(-values, kind="stable")[: max(5, len(units) // 10)]]
    cube = UnitCube(space)
    rows = np.concatenate([cube.sample(_PROPOSALS, rng), local_edits(cube, elite, _PROPOSALS, rng)])
    for _ in range(_ROUNDS):
        scores = log_expected_improvement(process.predict_latent(columns(rows)), best)
        rows = np.concatenate([rows, local_edits(cube, rows[np.argsort(-scores)[:5]], _REFINED, rng)])
    at = columns(rows[unseen(rows, units)])
    chosen: list[int] = []
    believing = process
    for _ in range(min(trials, _GREEDY, len(at))):
        belief = believing.predict_latent(at)
        scores = log_expected_improvement(belief, best)
        scores[chosen] = -np.inf
        chosen.append(int(np.argmax(scores)))
        believing = believing.condition(at[chosen[-1:]], belief.mean[chosen[-1:]])
    if not chosen:
        return 0.0
    mean, covariance = process.predict_jointly(at[chosen])
    level, axes = np.linalg.eigh(covariance)
    drawn = mean + rng.standard_normal((_SAMPLES, len(mean))) @ (axes * np.sqrt(np.maximum(level, 0.0))).T
    largest = np.maximum(drawn.max(axis=1), best)
    return float((warp.inverse(largest) - warp.inverse(np.array([best]))).mean())


def _best(values: Float[np.ndarray, " n"]) -> float:
    return float(values[np.isfinite(values)].max())
