"""The first trials of a study that has sources: few configurations of which one is good whichever source is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.proposals import local_edits, unseen
from foretell.surrogates.gaussian_process import FittedGaussianProcess
from foretell.unit_cube import UnitCube

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.search_space import SearchSpace
    from foretell.transfer.source_surrogate import SourceSurrogate

_DOUBT = 0.5  # standard deviation of a target from its source, in units of the source's normal scores
_BEST, _EDITS, _RANDOM = 10, 384, 384


def portfolio(
    surrogates: Sequence[SourceSurrogate],
    trust: Float[np.ndarray, " k"],
    space: SearchSpace,
    n: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "n d"]:
    """Positions that maximise the expected best, chosen one after the other.

    The first is where the trusted sources together expect most. Every further one has the largest expected improvement
    over those before it, summed over the sources by trust, if each source's values are the target's but for an
    error of half a unit. (Greedy choice of a set by its best member, as in portfolios of algorithm configurations:
    Xu, Hoos and Leyton-Brown, 2010, "Hydra", https://doi.org/10.1609/aaai.v24i1.7565; the error is ours.)

    Args:
        surrogates: What the sources say.
        trust: How far each is believed, see `trust`; those at 0 have no say.
        space: The target's space.
        n: How many, fewer in a space that has fewer.
        rng: Source of proposals.

    Returns:
        Different positions in the target's cube; none if no source is trusted.
    """
    believed = [(s, float(t)) for s, t in zip(surrogates, trust, strict=True) if t > 0]
    if not believed:
        return np.empty((0, len(space)))
    rows = _proposals([s for s, _ in believed], space, rng)
    shares = np.array([t for _, t in believed]) / sum(t for _, t in believed)
    columns = [s.columns(rows) for s, _ in believed]
    processes = [_doubted(s.process) for s, _ in believed]
    chosen: list[int] = []
    best = np.full(len(believed), -np.inf)
    for _ in range(min(n, len(rows))):
        beliefs = [p.predict_latent(c) for p, c in zip(processes, columns, strict=True)]
        if not chosen:
            score = shares @ np.stack([b.mean for b in beliefs])
        else:
            score = shares @ np.exp([log_expected_improvement(b, float(v)) for b, v in zip(beliefs, best, strict=True)])
        score = np.asarray(score, dtype=np.float64)
        score[chosen] = -np.inf
        i = int(np.argmax(score))
        chosen.append(i)
        best = np.maximum(best, [b.mean[i] for b in beliefs])
        processes = [
            p.condition(c[i : i + 1], b.mean[i : i + 1]) for p, c, b in zip(processes, columns, beliefs, strict=True)
        ]
    return np.asarray(rows[chosen])


def _doubted(process: FittedGaussianProcess) -> FittedGaussianProcess:
    theta = process.theta.copy()
    theta[-1] = np.log(np.exp(theta[-1]) + _DOUBT**2)
    return FittedGaussianProcess.condition_on(process.X, process.y, process.index, theta)


def _proposals(
    surrogates: Sequence[SourceSurrogate], space: SearchSpace, rng: np.random.Generator
) -> Float[np.ndarray, "m d"]:
    """The sources' best, their edits twice over, and random ones; all different."""
    cube = UnitCube(space)
    best = np.concatenate([s.best(_BEST) for s in surrogates])
    best = cube.snap(np.where(np.isnan(best), rng.random(best.shape), best))
    rows = np.concatenate([best, local_edits(cube, best, _EDITS, rng), cube.sample(_RANDOM, rng)])
    for s in surrogates:
        top = rows[np.argsort(-s.mean(rows), kind="stable")[:_BEST]]
        rows = np.concatenate([rows, local_edits(cube, top, _EDITS // len(surrogates) + 1, rng)])
    return np.asarray(rows[unseen(rows, np.empty((0, len(space))))])
