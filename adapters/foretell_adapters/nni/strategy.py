"""The strategy: architecture and training recipe of an NNI model space, searched together."""

from __future__ import annotations

import logging
import math
import secrets
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from nni.nas.execution import SequentialExecutionEngine
from nni.nas.execution.event import ModelEventType
from nni.nas.strategy.base import Strategy

from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.limit import Limit, limits_of
from foretell.limits_keeper import LimitsKeeper
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.search_memory import SearchMemory
from foretell_adapters.nni.earlier_models import earlier_models
from foretell_adapters.nni.model_networks import ModelNetworks
from foretell_adapters.nni.mutables import MutableSpace, sample_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from foretell.distributions import Value

_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())

_SUGGESTIONS = 4  # of the optimizer, before a random sample has to do
_ATTEMPTS = 500  # as many as NNI's own strategies make
_LOOKED_AT = 48  # networks that are captured for a suggestion to find some within the limits


class ForetellStrategy(Strategy):  # type: ignore[misc]
    """Explores by expected improvement under a surrogate that sees both network and hyperparameters.

    Metrics are maximised, as everywhere in `nni.nas`. No model is tried twice; a used-up space ends it.

    Args:
        example_inputs: An example input of the model, or a tuple of them, with a batch dimension; only shapes
            matter. Without it, and without `graph`, the surrogate sees choices, not networks.
        seed: Source of all randomness; None takes a fresh one.
        n_startup: Models before the surrogate decides; until then points that cover the space evenly.
        limits: What a network may cost at most: `{"flops": 3e8}`, or a list of `Limit`.
        warm_start: An earlier experiment, see `earlier_models`: the best of its models that this space has, half as
            many as `n_startup`, are tried first.
        graph: From a sample to its network, as a `ComputationGraph` or as a tuple of a module and its example inputs;
            quicker than building the model where a cell specification says it all.

    Raises:
        InvalidDataError: If a setting is impossible.
    """

    def __init__(
        self,
        *,
        example_inputs: Sequence[Any] | torch.Tensor = (),
        seed: int | None = None,
        n_startup: int = 10,
        limits: Mapping[str, float] | Sequence[Limit] = (),
        warm_start: Any = None,
        graph: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        if n_startup < 0 or (seed is not None and seed < 0):
            msg = f"`n_startup >= 0` and `seed >= 0` must hold, but got ({n_startup=}, {seed=}): raise them"
            raise InvalidDataError(msg)
        super().__init__()
        self._inputs = tuple(example_inputs) if isinstance(example_inputs, list | tuple) else (example_inputs,)
        self._limits = limits_of(limits)
        if graph is not None and not callable(graph):
            msg = f"`graph` must be a function from a sample to its network, but got {graph!r}: pass the function"
            raise InvalidDataError(msg)
        if any(limit.sees_network for limit in self._limits) and not self._inputs and graph is None:
            msg = "limits on flops or params need the network: pass example_inputs, such as torch.zeros(1, 3, 32, 32)"
            raise InvalidDataError(msg)
        self._seed = secrets.randbits(32) if seed is None else seed
        self._n_startup = n_startup
        self._earlier = earlier_models(warm_start) if warm_start is not None else []
        self._function = graph
        self._lock = threading.Lock()
        self._space = MutableSpace({}, {})
        self._memory = SearchMemory()
        self._networks: ModelNetworks | None = None
        self._keeper = LimitsKeeper(self._limits)
        self._n_suggested = 0
        self._results: list[tuple[dict[str, Any], float]] = []
        self._failed: list[dict[str, Any]] = []
        self._running: list[Any] = []
        self._interrupted: list[dict[str, Any]] = []

    def extra_repr(self) -> str:
        """What NNI shows of the strategy."""
        sees = "network" if self._inputs or self._function else "choices"
        limited = f", {len(self._limits)} limits" if self._limits else ""
        return f"seed={self._seed}, n_startup={self._n_startup}, sees {sees} and hyperparameters{limited}"

    def _initialize(self, model_space: Any, engine: Any) -> Any:
        self._space = MutableSpace.parse(model_space.simplify())
        if self._inputs or self._function is not None:
            self._networks = ModelNetworks(model_space, self._space, self._inputs, self._function)
        self._keeper = LimitsKeeper(self._limits, self._networks, self._space.to_sample)
        engine.register_model_event_callback(ModelEventType.TrainingEnd, self._learn)
        return model_space

    def _run(self) -> None:
        if isinstance(self.engine, SequentialExecutionEngine):  # a training service trains them again by itself
            while self._interrupted and self.wait_for_resource():
                self._submit(self.model_space.freeze(self._interrupted.pop(0)))
        while self.wait_for_resource():
            model = self._propose()
            if model is None:
                _logger.warning("No new valid model was found in %d attempts: the search ends here", _ATTEMPTS)
                break
            self._submit(model)
        self.engine.wait_models()

    def _submit(self, model: Any) -> None:
        with self._lock:
            self._running.append(model)
        self.engine.submit_models(model)

    def _cleanup(self) -> None:
        self.engine.unregister_model_event_callback(ModelEventType.TrainingEnd, self._learn)

    def _propose(self) -> Any | None:
        with self._lock:
            results, failed = list(self._results), list(self._failed)
            running = [*self._interrupted, *(m.sample for m in self._running)]
            number, self._n_suggested = self._n_suggested, self._n_suggested + 1
        tried = {sample_key(s) for s in (*running, *failed, *(s for s, _ in results))}
        for sample in self._wanted(results, failed, running, number):
            if sample_key(sample) not in tried and self._valid(sample) and self._within(sample):
                return self.model_space.freeze(sample)
        return None

    def _wanted(
        self,
        results: Sequence[tuple[dict[str, Any], float]],
        failed: Sequence[dict[str, Any]],
        running: Sequence[dict[str, Any]],
        number: int,
    ) -> Iterator[dict[str, Any]]:
        """Samples to try, the most wanted first: earlier ones, what the optimizer suggests, random ones."""
        space = self._space.search_space
        if number < self._n_startup:
            yield from self._elite()
        known = [o for s, v in results if (o := self._observation(s, v)) is not None]
        for attempt in range(_ATTEMPTS):
            seed = [self._seed, number, attempt]
            if attempt < _SUGGESTIONS:
                optimizer = BayesianOptimizer(
                    space, self._networks, self._n_startup, memory=self._memory, admissible=self._admissible()
                )
                pending, lost = ([self._space.from_sample(s) for s in samples] for samples in (running, failed))
                config = optimizer.suggest(known, pending, seed, number + attempt, lost)
            else:
                config = space.sample(np.random.default_rng(seed))
            yield self._space.to_sample(config)

    def _admissible(self) -> Callable[[Mapping[str, Value]], bool]:
        """Whether the space has a model and the limits allow it, for as many networks as one suggestion may capture."""
        left = iter(range(_LOOKED_AT))

        def admissible(config: Mapping[str, Value]) -> bool:
            sample = self._space.to_sample(config)
            if not self._valid(sample):
                return False
            costly = self._networks is not None and not self._networks.knows(config)
            return not self._limits or (not (costly and next(left, None) is None) and self._within(sample))

        return admissible

    def _valid(self, sample: dict[str, Any]) -> bool:
        return bool(self.model_space.contains(sample))

    def _elite(self) -> Iterator[dict[str, Any]]:
        """The best earlier models that this space has, half as many as the start-up has."""
        fitting = 0
        for sample, _ in self._earlier:
            if fitting >= max(1, self._n_startup // 2):
                return
            try:
                config = self._space.from_sample(sample)
            except InvalidSearchSpaceError:
                continue
            fitting += 1
            yield self._space.to_sample(config)

    def _within(self, sample: dict[str, Any]) -> bool:
        return self._keeper.within(self._space.from_sample(sample))

    def _learn(self, event: Any) -> None:
        model = event.model
        with self._lock:
            if not any(m is model for m in self._running) and model.sample not in self._interrupted:
                return
            self._running = [m for m in self._running if m is not model]
            self._interrupted = [s for s in self._interrupted if s != model.sample]
            if model.metric is None:
                _logger.warning("%s has no metric: it is not tried again", model)
                self._failed.append(dict(model.sample))
                return
            metric = float(model.metric)
            self._results.append((dict(model.sample), -math.inf if math.isnan(metric) else metric))

    def _observation(self, sample: Mapping[str, Any], value: float) -> Observation | None:
        try:
            return Observation(self._space.from_sample(sample), (value,))
        except InvalidSearchSpaceError as error:
            _logger.warning("A result lies outside the model space and is left out: %s", error)
            return None

    def state_dict(self) -> dict[str, Any]:
        """Plain values from which a new strategy continues; models now running are trained again."""
        with self._lock:
            return {
                "seed": self._seed,
                "n_suggested": self._n_suggested,
                "results": [{"sample": dict(s), "value": v} for s, v in self._results],
                "failed": [dict(s) for s in self._failed],
                "running": [*self._interrupted, *(dict(m.sample) for m in self._running)],
            }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from the state of another strategy on the same space."""
        with self._lock:
            self._seed = int(state_dict["seed"])
            self._n_suggested = int(state_dict["n_suggested"])
            self._results = [(dict(r["sample"]), float(r["value"])) for r in state_dict["results"]]
            self._failed = [dict(s) for s in state_dict["failed"]]
            self._interrupted = [dict(s) for s in state_dict.get("running", ())]
