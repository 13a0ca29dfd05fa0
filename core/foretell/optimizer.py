"""Bayesian optimisation over configurations whose networks may be visible: what to try next.

A pure function of what is known, so that workers who see the same storage agree and nothing is lost with a
process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from foretell.buildable import Buildable
from foretell.climb import climb
from foretell.cost_aware import CostAware
from foretell.desired_belief import DesiredBelief
from foretell.drawn_belief import DrawnBelief
from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.graph_source import GraphSource
from foretell.network_climb import SHORTLIST, network_climb, proposed
from foretell.observation import Observation
from foretell.search_memory import SearchMemory
from foretell.study_belief import StudyBelief, Trend
from foretell.study_state import StudyState
from foretell.tracked_intervals import TrackedIntervals
from foretell.transfer import Sources

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.cost_aware import CostFunction
    from foretell.desirability import Desirability
    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.network_prior import NetworkPrior
    from foretell.posterior import WarpedPosterior
    from foretell.search_space import SearchSpace
    from foretell.thompson_crowd import ThompsonCrowd
    from foretell.transfer.guidance import Guidance
    from foretell.unit_cube import UnitCube

GraphFunction = Callable[[Mapping[str, "Value"]], "ComputationGraph | None"]


@dataclass(frozen=True)
class BayesianOptimizer:
    """Suggests the next configuration by expected improvement under a Gaussian process.

    Several objectives: by expected hypervolume improvement. Constraints and failures: times the probability that all
    goes well. What is running counts as if it had reached the expected value.

    Args:
        space: What may be varied.
        graph: Gives the network of a configuration, None where it has none; the surrogate then sees the network too.
            Called for every observation and for the most promising proposals; cache it.
        n_startup: Observations before the surrogate decides; until then points of a Sobol sequence. Once a third of
            them are known, what is under evaluation counts too: many workers would else begin with many random points.
            Half as many where the surrogate sees networks, which say more than choices.
        memory: What earlier suggestions worked out; share it between the optimizers of one study.
        admissible: Whether a configuration may be tried at all, for rules that are known beforehand, such as a limit on
            a network's cost; asked of the most promising first, and of no more than are needed: after every eight
            refusals in a row, of half as many. If none of those at hand is, one that is not comes back.
        sources: Earlier studies. Until five observations are known they give every other suggestion, unless these
            contradict them; then the surrogate hears what they expect, as far as it predicts own results better for it.
        prior: What is expected of networks beforehand; likewise. Only with `graph`, and for a single objective.
        cost: What a configuration will cost, where that is known beforehand; asked of every observation without a cost,
            and of the most promising proposals. Where it is not known, costs of observations are learnt from. Either
            way what promises most for what it costs is tried, see `foretell.cost_aware`; single objectives only.
        wishes: How far each objective is as wished; with these, what counts is the expected gain in overall
            desirability, in place of hypervolume or improvement.
        crowd: From how many under way on each proposal follows a draw of the belief, in place of the expected
            improvement; None for never. Single objectives only, without costs, wishes or networks in view.
    """

    space: SearchSpace
    graph: GraphFunction | None = None
    n_startup: int = 6
    memory: SearchMemory = field(default_factory=SearchMemory, repr=False, compare=False)
    admissible: Callable[[Mapping[str, Value]], bool] | None = None
    sources: Sources = field(default_factory=Sources, repr=False)
    prior: NetworkPrior | None = field(default=None, repr=False)
    cost: CostFunction | None = None
    wishes: Sequence[Desirability] = ()
    crowd: ThompsonCrowd | None = None

    def suggest(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, Value]] = (),
        seed: int | Sequence[int] = 0,
        index: int | None = None,
        failed: Sequence[Mapping[str, Value]] = (),
    ) -> dict[str, Value]:
        """Propose a configuration; the same arguments give the same answer.

        Args:
            observations: What is known, in the order in which it became known.
            pending: Configurations now being evaluated elsewhere.
            seed: Source of randomness for this suggestion; `seed` and `index` should differ between
                suggestions.
            index: Number of this suggestion, for the start-up sequence; counts all that is known by default.
            failed: Configurations whose evaluation came to nothing.

        Returns:
            Active parameters only, as plain Python values inside the space.

        Raises:
            InvalidSearchSpaceError: If the space is empty.
            InvalidDataError: If observations differ in their number of objectives, have several and a cost, or `cost`
                gives no finite number above 0.
        """
        if not len(self.space):
            msg = "a suggestion needs at least one parameter, but the space is empty: add distributions"
            raise InvalidSearchSpaceError(msg)
        return self._buildable(observations)._suggest(observations, pending, seed, index, failed)

    def _suggest(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, Value]],
        seed: int | Sequence[int],
        index: int | None,
        failed: Sequence[Mapping[str, Value]],
    ) -> dict[str, Value]:
        memory = self.memory
        state = StudyState.of(self.space, memory, observations, pending, failed, self.admissible)
        seeds = [seed] if isinstance(seed, int) else list(seed)
        rng = np.random.default_rng(seeds)
        number = len(observations) + len(pending) if index is None else index
        costly = CostAware.of(state.cube, state.units, observations, memory, self.cost)
        guidance = self._guidance(observations)
        if guidance is not None and (row := guidance.beginning(number, self.space, state.seen)) is not None:
            promised = self.space.from_unit(row)
            if state.may(promised):
                return promised
        if self.prior is not None and self.graph is not None and state.single:
            told, networks = state.values[:, 0], proposed(self.graph)
            row = self.prior.beginning(state.cube, networks, memory, state.tried, told, number, state.seen)
            if row is not None and state.may(self.space.from_unit(row)):
                return self.space.from_unit(row)
        looks = self.graph is not None and state.single and not self.wishes
        start = (self.n_startup + 1) // 2 if looks else self.n_startup
        if not _begun(max(start, 1), len(observations), len(pending)) and not (
            guidance is not None and guidance.heard(state.cube, memory)
        ):
            first = self.space.quasi_random(number, seeds[0])
            return first if state.first(self.space.to_unit([first])) else state.random(rng)

        heard = guidance if guidance is not None and guidance.listens(number) else None
        rows = self._shortlist(state, heard, costly, rng)
        if self.graph is None or not looks or not np.isfinite(state.values).any():
            return self.space.from_unit(rows[0])
        return network_climb(state, self.graph, self.prior, rows, pending, costly, memory, rng)

    def _buildable(self, observations: Sequence[Observation]) -> BayesianOptimizer:
        """The same, but without what has no network to be built, where nothing that was tried speaks against it."""
        if not isinstance(self.graph, GraphSource):
            return self
        rule = Buildable(self.graph, self.admissible)
        values = self.memory.outcomes(observations)[0]
        return replace(self, admissible=rule) if rule.borne_out([o.config for o in observations], values) else self

    def source_weights(
        self, observations: Sequence[Observation], index: int | None = None
    ) -> dict[str, tuple[float, ...]]:
        """What the sources weigh in suggestion `index` after these observations, see `Guidance.weights`; empty without.

        Args:
            observations: As for the suggestion.
            index: As for the suggestion; where it hears no source, "sources" is 0.
        """
        guidance = self._guidance(observations)
        if guidance is None:
            return {}
        found = guidance.weights(self._cube(guidance.units, guidance.values.shape[1]), self.memory)
        if guidance.listens(len(observations) if index is None else index):
            return found
        return found | {"sources": tuple(0.0 for _ in found["sources"])}

    def _guidance(self, observations: Sequence[Observation]) -> Guidance | None:
        if not len(self.sources):
            return None
        values, partial, _ = self.memory.outcomes(observations)
        known = self.memory.units(self.space, [o.config for o in observations])
        return self.sources.guidance(self.space, known, values, partial)

    def _cube(self, known: Float[np.ndarray, "n d"], objectives: int = 1) -> UnitCube:
        """The space as the surrogate of so many objectives sees it."""
        return self.memory.cube(self.space, np.isnan(known).any(axis=0), bends=objectives > 1)

    def believe(self, observations: Sequence[Observation], configs: Sequence[Mapping[str, Value]]) -> WarpedPosterior:
        """What is believed of the objective of configurations before they are evaluated, noise included.

        `TrackedIntervals` makes intervals that hold along a whole search of these.

        Raises:
            InvalidDataError: If nothing is known yet, or there are several objectives.
        """
        values, partial, _ = self.memory.outcomes(observations)
        if not len(values) or values.shape[1] > 1:
            msg = f"a belief needs one objective and at least one observation, but got {values.shape}: evaluate more"
            raise InvalidDataError(msg)
        known = self.memory.units(self.space, [o.config for o in observations])
        cube = self.memory.cube(self.space, np.isnan(known).any(axis=0))
        trend = Trend.fit(cube, known, values[:, 0], self.memory, partial if partial.any() else None)
        return trend.next_values(cube.encode(self.space.to_unit(list(configs))))

    def tracked(self, observations: Sequence[Observation]) -> TrackedIntervals:
        """How wide intervals have to be, by what each observation after the start did to the belief before it.

        Finished ones count, in the order given.

        Raises:
            InvalidDataError: If there are several objectives.
        """
        found = TrackedIntervals()
        for i in range(max(self.n_startup, 2), len(observations)):
            if not observations[i].partial and np.isfinite(observations[i].values[0]):
                before = self.believe(observations[:i], [observations[i].config])
                found = found.after(before, np.array(observations[i].values[:1]))
        return found

    def _shortlist(
        self, state: StudyState, guidance: Guidance | None, costly: CostAware | None, rng: np.random.Generator
    ) -> Float[np.ndarray, "k d"]:
        """The most promising unseen positions by hyperparameters alone, best first."""
        simple = state.single and costly is None and self.graph is None and not self.wishes
        by_draws = simple and self.crowd is not None and len(state.running) >= self.crowd.running
        plain = StudyBelief.fit(
            state.cube if guidance is None else guidance.informed(state.cube),
            state.units,
            state.values,
            state.partial,
            state.constraints,
            state.running[:0] if by_draws else state.running,
            state.failed,
            self.memory,
        )
        belief: StudyBelief | DesiredBelief | DrawnBelief = plain
        if by_draws:
            belief = DrawnBelief.of(plain, rng)
        if self.wishes:
            broken = (np.nan_to_num(state.constraints, nan=0.0) > 0).any(axis=1)
            belief = DesiredBelief.of(plain, self.wishes, state.units, state.values, broken, state.running)

        def score(rows: Float[np.ndarray, "k d"]) -> Float[np.ndarray, " k"]:
            gain = belief.score(rows)
            return gain if costly is None else gain - costly.burden(rows)

        elite = belief.elite
        if guidance is not None:
            elite = np.concatenate([elite, self.space.snap(guidance.portfolio)])
        exact = costly is not None and self.cost is not None
        rows = climb(state, score, elite, SHORTLIST if self.graph is not None or exact else 1, rng)
        if costly is None or not exact:
            return rows
        burden = costly.exact_burden([self.space.from_unit(row) for row in rows])
        return np.asarray(rows[np.argsort(burden - belief.score(rows), kind="stable")])


def _begun(start: int, known: int, pending: int) -> bool:
    """Whether enough is known for the surrogate to decide."""
    return known >= start or (3 * known >= start and known + pending >= start)
