"""Learns the weights of `foretell.overtaking` from whole training runs.

Studies are drawn as a pruner meets them: runs in random order, of which the first few, those that beat all before and a
few more end, while others are cut off. Of every run that comes after, a few beginnings are looked at, and whether it
ends above the best one by then. Half of the studies are changed beforehand, so that other lengths, spacings and amounts
of noise are learnt from as well. `python -m foretell.benchmarks.overtaking_fit` prints the weights in use: from the
tuned half of `foretell.benchmarks.pruning_runs` and three more sets of networks for handwritten digits, which it trains
where `FORETELL_CURVES` does not hold them.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np

from foretell.benchmarks.pruning_runs import TUNED, pruning_runs
from foretell.benchmarks.taskset import taskset_curves
from foretell.learning_curve import LARGEST, FinishedRun
from foretell.overtaking import WEIGHTS, overtaking_features

if TYPE_CHECKING:
    from jaxtyping import Float

_RUNS, _STUDIES, _BEGINNINGS = 40, 80, 4
_DIGITS = ((100, 60), (101, 60), (102, 30))  # seed, networks
_RIDGE = 3.0


def states(
    curves: Float[np.ndarray, "n steps"], rng: np.random.Generator
) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, " m"]]:
    """What is seen in one study of whole runs in this order, and whether the run then beat the best.

    Args:
        curves: A run a row, larger is better; not finite where it had diverged.
        rng: Draws which runs end and where the others are looked at and cut off.

    Returns:
        A row of features of `foretell.overtaking` and, last, the share that was seen; 1 where the run ended above.
    """
    steps = curves.shape[1]
    first, more = rng.integers(1, 4), rng.uniform(0, 0.2)
    finished: list[FinishedRun] = []
    others: list[tuple[tuple[float, float], ...]] = []
    rows, ends = [], []
    for values in curves:
        sound = np.isfinite(values) & (np.abs(values) <= LARGEST)
        known = int(sound.argmin()) if not sound.all() else steps
        curve = tuple((float(i), v) for i, v in enumerate(values.tolist(), start=1))
        best = max((run.final for run in finished), default=-math.inf)
        better = known == steps and curve[-1][1] > best
        if finished:
            for t in np.unique(np.ceil(steps * rng.uniform(0, 1, _BEGINNINGS) ** 1.5).astype(int).clip(1, steps - 1)):
                if t <= known:
                    x, s = overtaking_features(finished, curve[:t], others)
                    rows.append([*x, s])
                    ends.append(better)
        if known == steps and (better or len(finished) < first or rng.uniform() < more):
            finished.append(FinishedRun(curve, curve[-1][1]))
        else:
            others.append(curve[: max(1, min(known, math.ceil(steps * rng.uniform() ** 3)))])
    return np.array(rows).reshape(-1, len(WEIGHTS)), np.array(ends, dtype=np.float64)


def changed(curves: Float[np.ndarray, "n steps"], rng: np.random.Generator) -> Float[np.ndarray, "n fewer"]:
    """The same runs shorter, at fewer steps, and noisier, each by chance."""
    steps = curves.shape[1]
    if rng.uniform() < 0.5:
        curves = curves[:, : rng.integers(min(12, steps), steps + 1)]
    steps = curves.shape[1]
    fewer = rng.integers(min(10, steps), steps + 1)
    kind = rng.uniform()
    if kind < 0.5:
        curves = curves[:, np.unique(np.linspace(0, steps - 1, fewer).round().astype(int))]
    elif kind < 0.75:
        curves = curves[:, np.unique(np.geomspace(1, steps, fewer).round().astype(int)) - 1]
    finals = curves[:, -1][np.isfinite(curves[:, -1])]
    if len(finals) and rng.uniform() < 0.7:
        loud = (finals.max() - np.median(finals)) * 10 ** rng.uniform(-3, -1)
        curves = curves + loud * np.exp(rng.normal(0, 0.5, (len(curves), 1))) * rng.standard_normal(curves.shape)
    return curves


def fit(rows: Float[np.ndarray, "m k"], ends: Float[np.ndarray, " m"]) -> dict[str, tuple[float, float]]:
    """Weights by logistic regression with a small ridge on standardised columns."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x, s = rows[:, :-1], rows[:, -1:]
    scaler = StandardScaler().fit(X := np.hstack([x, s, x * s]))
    model = LogisticRegression(C=1.0 / _RIDGE, max_iter=2000).fit(scaler.transform(X), ends)
    slopes = model.coef_[0] / scaler.scale_
    constant = float(model.intercept_[0] - slopes @ scaler.mean_)
    k = x.shape[1]
    w, u = [constant, *slopes[:k]], slopes[k:]
    return {name: (float(a), float(b)) for name, a, b in zip(WEIGHTS, w, u, strict=True)}


def main() -> None:
    """Print the weights."""
    families = [taskset_curves(task)[:, 1:] for _, task in TUNED]
    families += [pruning_runs("digits", "cnn", n, seed) for seed, n in _DIGITS]
    rows, ends = [], []
    for i, curves in enumerate(families):
        for k in range(_STUDIES if len(curves) > _RUNS * 10 else _STUDIES // 2):
            rng = np.random.default_rng([i, k])
            drawn = curves[rng.permutation(len(curves))[:_RUNS]]
            found = states(drawn if k % 2 else changed(drawn, rng), rng)
            rows.append(found[0])
            ends.append(found[1])
    for name, (w, u) in fit(np.concatenate(rows), np.concatenate(ends)).items():
        sys.stdout.write(f'    "{name}": ({w:.3f}, {u:.3f}),\n')


if __name__ == "__main__":
    main()
