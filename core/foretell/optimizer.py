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
from foretell.cost_aware import CostAware
from foretell.desired_belief import DesiredBelief
from foretell.drawn_belief import DrawnBelief
from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.graph_source import GraphSource
from foretell.network_copies import NetworkCopies
from foretell.network_view import NetworkView
from foretell.observation import Observation
from foretell.proposals import all_changes, elusive_parameters, first_unseen, local_edits
from foretell.search_memory import SearchMemory
from foretell.study_belief import StudyBelief, Trend, doubted, promise
from foretell.tracked_intervals import TrackedIntervals
from foretell.transfer import Sources

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from foretell.cost_aware import CostFunction
    from foretell.desirability import Desirability
    from foretell.distributions import Value
    from foretell.graph import ComputationGraph
    from foretell.network_prior import NetworkPrior
    from foretell.posterior import WarpedPosterior
    from foretell.search_space import SearchSpace
    from foretell.study_belief import Doubts
    from foretell.thompson_crowd import ThompsonCrowd
    from foretell.transfer.guidance import Guidance
    from foretell.unit_cube import UnitCube

GraphFunction = Callable[[Mapping[str, "Value"]], "ComputationGraph | None"]
_N_RANDOM, _N_LOCAL = 48, 80
_N_REFINED, _ROUNDS = 32, 2
_SHORTLIST, _CLIMBS = 16, 2  # proposals whose network is built and captured, and how often as many again
_FEW_MOVES, _MOVED = 32, 3  # of so few changes of one choice all are tried, those of the best so many
_CHANGES, _CLIMBED = 64, 48  # single changes of a choice that join them, of the best observed and of the best found
_REFUSED = 8  # what costs too much is often promising: those in front may all be refused
_FLAT = 3  # trials in a row that only repeat the best value: nothing around it makes a difference
_ENUMERABLE = 512  # a space of no more configurations is judged whole


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
        values, partial, constraints = self.memory.outcomes(observations)
        seeds = [seed] if isinstance(seed, int) else list(seed)
        rng = np.random.default_rng(seeds)
        number = len(observations) + len(pending) if index is None else index
        known = self.memory.units(self.space, [o.config for o in observations])
        running = self.space.to_unit(list(pending)) if pending else known[:0]
        lost = self.space.to_unit(list(failed)) if failed else known[:0]
        elusive = elusive_parameters(known)
        seen = np.concatenate([known, running, lost]) if pending or failed else known
        if elusive is not None and pending:
            seen = np.concatenate([seen, self._without(running, elusive)])
        cube = self._cube(known, values.shape[1])
        costly = CostAware.of(cube, known, observations, self.memory, self.cost)
        guidance = self._guidance(observations)
        if guidance is not None and (row := guidance.beginning(number, self.space, seen)) is not None:
            promised = self.space.from_unit(row)
            if self._may(promised):
                return promised
        if self.prior is not None and self.graph is not None and len(values.T) == 1:
            tried = [o.config for o in observations]
            row = self.prior.beginning(cube, self._proposed(), self.memory, tried, values[:, 0], number, seen)
            if row is not None and self._may(self.space.from_unit(row)):
                return self.space.from_unit(row)
        start = self.n_startup if self.graph is None or self._several(values) else (self.n_startup + 1) // 2
        if not _begun(max(start, 1), len(observations), len(pending)) and not (
            guidance is not None and guidance.heard(cube, self.memory)
        ):
            first = self.space.quasi_random(number, seeds[0])
            new = first_unseen(self.space.to_unit([first]), seen, elusive=elusive)
            return first if new and self._may(first) else self._random(seen, elusive, rng)

        heard = guidance if guidance is not None and guidance.listens(number) else None
        rows = self._search(cube, known, values, partial, constraints, running, lost, seen, elusive, rng, heard, costly)
        if self.graph is None or self._several(values) or not np.isfinite(values).any():
            return self.space.from_unit(rows[0])
        doubts = doubted(cube, known, constraints, lost, self.memory)
        return self._with_networks(
            observations, pending, values[:, 0], partial, doubts, rows, seen, elusive, rng, costly
        )

    def _buildable(self, observations: Sequence[Observation]) -> BayesianOptimizer:
        """The same, but without what has no network to be built, where nothing that was tried speaks against it."""
        if not isinstance(self.graph, GraphSource):
            return self
        rule = Buildable(self.graph, self.admissible)
        values = self.memory.outcomes(observations)[0]
        return replace(self, admissible=rule) if rule.borne_out([o.config for o in observations], values) else self

    def _several(self, values: Float[np.ndarray, "n m"]) -> bool:
        """Whether more counts than one objective; networks are then not looked at."""
        return bool(self.wishes) or values.shape[1] > 1

    def _with_networks(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, Value]],
        y: Float[np.ndarray, " n"],
        partial: Bool[np.ndarray, " n"],
        doubts: Doubts,
        rows: Float[np.ndarray, "k d"],
        seen: Float[np.ndarray, "s d"],
        elusive: Bool[np.ndarray, " d"] | None,
        rng: np.random.Generator,
        costly: CostAware | None,
    ) -> dict[str, Value]:
        """Judge the shortlist again with its networks in view, and climb from its best and the best observed ones."""
        assert self.graph is not None
        tried = [o.config for o in observations]
        known = self.memory.units(self.space, tried)
        cube = self._cube(known)
        expectation = None if self.prior is None else self.prior.expectation
        view = NetworkView.fit(cube, self.graph, self.memory, tried, y, partial, pending, expectation)
        parents = known[np.argsort(-y, kind="stable")[:3]]
        changes = all_changes(cube, parents, _CHANGES)
        rows = np.concatenate([rows, local_edits(cube, parents, _SHORTLIST, rng), changes])
        if self.prior is not None:
            rows = np.concatenate([rows, self.prior.favourites(cube, self._proposed(), self.memory)])
        copies = NetworkCopies.of(self.graph, tried, y.tolist()) if isinstance(self.graph, GraphSource) else None
        scores = np.empty(0)
        configs: list[dict[str, Value]] = []
        for _ in range(_CLIMBS + 1):
            fresh = rows[self._first(rows, seen, elusive, len(rows))]
            found = [self.space.from_unit(row) for row in fresh]
            seen = np.concatenate([seen, fresh])
            if copies is not None:
                new = copies.new(found)
                fresh, found = fresh[new], [found[i] for i in new]
            if found:
                configs += found
                worth = view.score(found) + promise(doubts, cube.encode(fresh))
                scores = np.concatenate([scores, worth if costly is None else worth - costly.exact_burden(found)])
            if not configs:
                break
            best = self.space.to_unit([configs[i] for i in np.argsort(-scores, kind="stable")[:3].tolist()])
            rows = all_changes(cube, best, _CLIMBED)
            rows = rows if len(rows) else local_edits(cube, best, _SHORTLIST, rng)
        return configs[int(np.argmax(scores))] if configs else self.space.from_unit(rows[0])

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

    def _proposed(self) -> GraphFunction:
        """The network of what nobody has tried."""
        assert self.graph is not None
        return self.graph.proposed if isinstance(self.graph, GraphSource) else self.graph

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

    def _search(
        self,
        cube: UnitCube,
        known: Float[np.ndarray, "n d"],
        values: Float[np.ndarray, "n m"],
        partial: Bool[np.ndarray, " n"],
        constraints: Float[np.ndarray, "n c"],
        running: Float[np.ndarray, "p d"],
        lost: Float[np.ndarray, "f d"],
        seen: Float[np.ndarray, "s d"],
        elusive: Bool[np.ndarray, " d"] | None,
        rng: np.random.Generator,
        guidance: Guidance | None,
        costly: CostAware | None,
    ) -> Float[np.ndarray, "k d"]:
        """The most promising unseen positions by hyperparameters alone, best first."""
        simple = values.shape[1] == 1 and costly is None and self.graph is None and not self.wishes
        by_draws = simple and self.crowd is not None and len(running) >= self.crowd.running
        plain = StudyBelief.fit(
            cube if guidance is None else guidance.informed(cube),
            known,
            values,
            partial,
            constraints,
            running[:0] if by_draws else running,
            lost,
            self.memory,
        )
        belief: StudyBelief | DesiredBelief | DrawnBelief = plain
        if by_draws:
            belief = DrawnBelief.of(plain, rng)
        if self.wishes:
            broken = (np.nan_to_num(constraints, nan=0.0) > 0).any(axis=1)
            belief = DesiredBelief.of(plain, self.wishes, known, values, broken, running)

        def score(rows: Float[np.ndarray, "k d"]) -> Float[np.ndarray, " k"]:
            gain = belief.score(rows)
            return gain if costly is None else gain - costly.burden(rows)

        exact = costly is not None and self.cost is not None
        wanted = _SHORTLIST if self.graph is not None or exact else 1
        rows = cube.everything(_ENUMERABLE)
        if rows is not None:
            scores = score(rows)
        elif _on_plateau(values):
            rows = cube.sample(_N_RANDOM + _N_LOCAL, rng)
            scores = score(rows)
        else:
            elite = belief.elite
            if guidance is not None:
                elite = np.concatenate([elite, self.space.snap(guidance.portfolio)])
            few = 0 < cube.n_moves <= _FEW_MOVES and not np.isnan(elite).any()
            changes, n_random = _MOVED * _FEW_MOVES, _N_RANDOM // 2 if few else _N_RANDOM
            near = all_changes(cube, elite[:_MOVED], changes) if few else local_edits(cube, elite, _N_LOCAL, rng)
            rows = np.concatenate([cube.sample(n_random, rng), near])
            scores = score(rows)
            for _ in range(1 if few else _ROUNDS):
                best = rows[np.argsort(-scores, kind="stable")[:5]]
                near = all_changes(cube, best[:1], changes) if few else local_edits(cube, best, _N_REFINED, rng)
                rows, scores = np.concatenate([rows, near]), np.concatenate([scores, score(near)])
        order = np.argsort(-scores, kind="stable")
        chosen = self._first(rows[order], seen, elusive, wanted)
        if chosen:
            best = np.asarray(rows[order[chosen]])
            if costly is not None and exact:
                burden = costly.exact_burden([self.space.from_unit(row) for row in best])
                best = best[np.argsort(burden - belief.score(best), kind="stable")]
            return best
        fresh = cube.sample(64, rng)
        new = self._first(fresh, seen, elusive)
        if not new and elusive is not None:  # nothing is surely new
            fresh = rows[order]
            new = self._first(fresh, seen, None, wanted)
        return fresh[new] if new else np.asarray(rows[order[:1]])  # a small space, used up: its best point again

    def _without(self, running: Float[np.ndarray, "p d"], elusive: Bool[np.ndarray, " d"]) -> Float[np.ndarray, "p d"]:
        """What is under evaluation, as it is if parameters that no condition explains turn out not to be there."""
        explained = np.array([name in self.space.conditions for name in self.space.names], dtype=bool)
        return np.where(elusive & ~explained, np.nan, running)

    def _random(
        self, seen: Float[np.ndarray, "m d"], elusive: Bool[np.ndarray, " d"] | None, rng: np.random.Generator
    ) -> dict[str, Value]:
        rows = self.space.sample_units(64, rng)
        fresh = self._first(rows, seen, elusive)
        return self.space.from_unit(rows[fresh[0] if fresh else 0])

    def _first(
        self,
        rows: Float[np.ndarray, "n d"],
        seen: Float[np.ndarray, "m d"],
        elusive: Bool[np.ndarray, " d"] | None,
        wanted: int = 1,
    ) -> list[int]:
        """The first rows that are new and admissible."""
        if self.admissible is None:
            return first_unseen(rows, seen, wanted, elusive)
        found: list[int] = []
        new = first_unseen(rows, seen, len(rows), elusive)
        at, step, refused = 0, 1, 0
        while at < len(new) and len(found) < wanted:
            if self._may(self.space.from_unit(rows[new[at]])):
                found.append(new[at])
                refused = 0
            else:
                refused += 1
                step *= 2 if refused % _REFUSED == 0 else 1
            at += step
        return found

    def _may(self, config: Mapping[str, Value]) -> bool:
        return self.admissible is None or self.admissible(config)


def _begun(start: int, known: int, pending: int) -> bool:
    """Whether enough is known for the surrogate to decide."""
    return known >= start or (3 * known >= start and known + pending >= start)


def _on_plateau(values: Float[np.ndarray, "n m"]) -> bool:
    """Whether the last trials all had exactly the best value, which is more than their number alone can be."""
    return len(values) > _FLAT and values.shape[1] == 1 and bool((values[-_FLAT:] == values.max()).all())
