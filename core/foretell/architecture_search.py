"""Searching for the best architecture of a space: which one to train next.

    search = ArchitectureSearch(candidate, LocalEdits(sample, neighbours), sample)
    trained = {}
    while len(trained) < 150:
        architecture = search.suggest(trained).architecture
        trained[architecture] = train(architecture)

An architecture is any hashable value, equal for equal networks. `BayesianOptimizer` is for spaces of named parameters;
here architectures are known by their edits (`LocalEdits`) or as a list (`Pool`), and the whole predictor judges them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from foretell.acquisition import log_expected_improvement
from foretell.errors import InvalidDataError
from foretell.known_columns import KnownColumns
from foretell.posterior import WarpedPosterior
from foretell.presets import foretell
from foretell.target_warp import TargetWarp

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.candidate import Candidate
    from foretell.encoders import Encoding
    from foretell.predictor import Predictor

A = TypeVar("A", bound=Hashable)
Score = Callable[[Sequence[A]], "Float[np.ndarray, ' n']"]


class Proposals(Protocol[A]):
    """Where the architectures that are judged come from."""

    def best(self, observed: Mapping[A, float], score: Score[A], rng: np.random.Generator) -> A:
        """One of large score that is not among the observed ones; larger targets are better."""
        ...


@dataclass(frozen=True)
class Suggestion(Generic[A]):
    """What to train next.

    Args:
        architecture: The architecture.
        posterior: The belief about its target, or None where it was drawn at random.
    """

    architecture: A
    posterior: WarpedPosterior | None


@dataclass(frozen=True)
class ArchitectureSearch(Generic[A]):
    """Suggests architectures of large expected improvement on the best target that was observed.

    The improvement is that of the target as it will be measured, noise included, in the units of
    `TargetWarp.fit_log_regret`.

    Args:
        candidate: The network of an architecture, with all else that is known of it.
        proposals: Where architectures come from.
        sample: Draws an architecture.
        predictor: Makes a predictor that was not fitted.
        n_startup: Architectures drawn at random before the predictor decides.

    Raises:
        InvalidDataError: If `n_startup` is below 1.
    """

    candidate: Callable[[A], Candidate]
    proposals: Proposals[A]
    sample: Callable[[np.random.Generator], A]
    predictor: Callable[[], Predictor] = foretell
    n_startup: int = 10
    _columns: KnownColumns[A] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.n_startup < 1:
            msg = f"`n_startup >= 1` must hold, but got {self.n_startup=}: the default is 10"
            raise InvalidDataError(msg)
        object.__setattr__(self, "_columns", KnownColumns(self.predictor().encode, self.candidate))

    def suggest(self, observed: Mapping[A, float], seed: int | Sequence[int] = 0) -> Suggestion[A]:
        """Propose an architecture that is not among the observed ones; the same arguments give the same answer.

        Args:
            observed: Targets by architecture, larger is better, infinite allowed; in the order in which they came.
            seed: Source of randomness; the number of observations is added to it.

        Raises:
            InvalidDataError: If a target is `nan`, or nothing new is found.
        """
        seeds = [seed] if isinstance(seed, int) else list(seed)
        rng = np.random.default_rng([*seeds, len(observed)])
        if len(observed) < self.n_startup:
            return Suggestion(unobserved(self.sample, observed, rng), None)
        targets = np.fromiter(observed.values(), dtype=np.float64)
        predictor = self.predictor()
        predictor.fit_encoding(self._columns.rows(list(observed)), targets, warp=TargetWarp.fit_log_regret(targets))

        def believe(columns: Encoding) -> WarpedPosterior:
            belief = predictor.predict_encoding(columns)
            assert isinstance(belief, WarpedPosterior)
            return belief

        def score(architectures: Sequence[A]) -> Float[np.ndarray, " n"]:
            columns, position = self._columns.distinct(architectures)
            belief = believe(columns)
            gain = log_expected_improvement(belief.latent, float(belief.warp.forward(targets).max()))
            return np.asarray(gain[position])

        chosen = self.proposals.best(observed, score, rng)
        return Suggestion(chosen, believe(self._columns.rows([chosen])))


@dataclass(frozen=True)
class Pool(Generic[A]):
    """All architectures of a list are judged; the first of the best is taken.

    Args:
        architectures: The list, each once.
    """

    architectures: Sequence[A]

    def best(self, observed: Mapping[A, float], score: Score[A], rng: np.random.Generator) -> A:
        """See `Proposals.best`.

        Raises:
            InvalidDataError: If all of the list are observed.
        """
        del rng
        left = [a for a in self.architectures if a not in observed]
        if not left:
            msg = f"a search needs an architecture that was not tried, but all {len(observed)} were: stop it"
            raise InvalidDataError(msg)
        return left[int(np.argmax(score(left)))]


@dataclass(frozen=True)
class LocalEdits(Generic[A]):
    """Some at random and the neighbours of the best observed ones, then again and again those of the best found.

    For spaces too large to be judged whole. By climbing the search reaches what the surrogate thinks well of although
    nothing like it was observed.

    Args:
        sample: Draws an architecture.
        neighbours: Architectures one edit away.
        parents: How many observed ones are edited.
        random: How many are drawn.
        climbs: How often the best found so far are edited in turn.
        width: How many of them.
    """

    sample: Callable[[np.random.Generator], A]
    neighbours: Callable[[A], Iterable[A]]
    parents: int = 5
    random: int = 128
    climbs: int = 3
    width: int = 10

    def best(self, observed: Mapping[A, float], score: Score[A], rng: np.random.Generator) -> A:
        """See `Proposals.best`.

        Raises:
            InvalidDataError: If neither edits nor draws give a new one.
        """
        parents = sorted(observed, key=lambda a: -observed[a])[: self.parents]
        fresh = [b for a in parents for b in self.neighbours(a)] + [self.sample(rng) for _ in range(self.random)]
        scores: dict[A, float] = {}
        for climb in range(self.climbs + 1):
            new = [a for a in dict.fromkeys(fresh) if a not in observed and a not in scores]
            if not new:
                break
            scores.update(zip(new, score(new).tolist(), strict=True))
            if climb < self.climbs:
                fresh = [b for a in sorted(scores, key=lambda a: -scores[a])[: self.width] for b in self.neighbours(a)]
        if not scores:
            return unobserved(self.sample, observed, rng)
        return max(scores, key=lambda a: scores[a])


def unobserved(sample: Callable[[np.random.Generator], A], observed: Mapping[A, float], rng: np.random.Generator) -> A:
    """Draw until there is one that was not observed.

    Raises:
        InvalidDataError: If a thousand draws give none.
    """
    for _ in range(1000):
        if (drawn := sample(rng)) not in observed:
            return drawn
    msg = (
        f"a search needs an architecture that was not tried, but a thousand draws gave none beside {len(observed)}: "
        "stop it"
    )
    raise InvalidDataError(msg)
