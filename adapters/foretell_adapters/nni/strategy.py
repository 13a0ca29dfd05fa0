"""The strategy: architecture and training recipe of an NNI model space, searched together."""

from __future__ import annotations

import logging
import math
import secrets
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from nni.mutable import SampleValidationError
from nni.nas.execution.event import ModelEventType
from nni.nas.strategy.base import Strategy

from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.graph_source import GraphSource
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell_adapters.nni.mutables import MutableSpace, sample_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.distributions import Value
    from foretell.graph import ComputationGraph

_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())

_SUGGESTIONS = 5  # of the optimizer, before a random sample has to do
_ATTEMPTS = 500  # as many as NNI's own strategies make


class ForetellStrategy(Strategy):  # type: ignore[misc]
    """Explores by expected improvement under a surrogate that sees both network and hyperparameters.

    Metrics are maximised, as everywhere in `nni.nas`. No model is tried twice; a used-up space ends it.

    Args:
        example_inputs: An example input of the model, or a tuple of them, with a batch dimension; only shapes
            matter. Without it the surrogate sees choices, not networks.
        seed: Source of all randomness; None takes a fresh one.
        n_startup: Models before the surrogate decides; until then points that cover the space evenly.

    Raises:
        InvalidDataError: If `n_startup` or the seed is negative.
    """

    def __init__(
        self,
        *,
        example_inputs: Sequence[Any] | torch.Tensor = (),
        seed: int | None = None,
        n_startup: int = 10,
    ) -> None:
        if n_startup < 0 or (seed is not None and seed < 0):
            msg = f"`n_startup >= 0` and `seed >= 0` must hold, but got ({n_startup=}, {seed=}): raise them"
            raise InvalidDataError(msg)
        super().__init__()
        self._inputs = tuple(example_inputs) if isinstance(example_inputs, list | tuple) else (example_inputs,)
        self._seed = secrets.randbits(32) if seed is None else seed
        self._n_startup = n_startup
        self._lock = threading.Lock()
        self._space = MutableSpace({}, {})
        self._architecture: tuple[str, ...] = ()
        self._fixed: dict[str, Value] = {}
        self._source: GraphSource | None = None
        self._n_suggested = 0
        self._results: list[tuple[dict[str, Any], float]] = []
        self._failed: list[dict[str, Any]] = []
        self._running: list[Any] = []

    def extra_repr(self) -> str:
        """What NNI shows of the strategy."""
        sees = "network" if self._inputs else "choices"
        return f"seed={self._seed}, n_startup={self._n_startup}, sees {sees} and hyperparameters"

    def _initialize(self, model_space: Any, engine: Any) -> Any:
        self._space = MutableSpace.parse(model_space.simplify())
        self._architecture = MutableSpace.parse(_model_mutables(model_space)).search_space.names
        self._fixed = self._space.search_space.sample(np.random.default_rng(0))
        self._source = GraphSource(self._build, self._inputs) if self._inputs else None
        engine.register_model_event_callback(ModelEventType.TrainingEnd, self._learn)
        return model_space

    def _run(self) -> None:
        while self.wait_for_resource():
            model = self._propose()
            if model is None:
                _logger.warning("No new valid model was found in %d attempts: the search ends here", _ATTEMPTS)
                break
            with self._lock:
                self._running.append(model)
            self.engine.submit_models(model)
        self.engine.wait_models()

    def _cleanup(self) -> None:
        self.engine.unregister_model_event_callback(ModelEventType.TrainingEnd, self._learn)

    def _propose(self) -> Any | None:
        with self._lock:
            observations = [o for s, v in self._results if (o := self._observation(s, v)) is not None]
            running = [m.sample for m in self._running]
            tried = {sample_key(s) for s in (*running, *self._failed, *(s for s, _ in self._results))}
            number, self._n_suggested = self._n_suggested, self._n_suggested + 1
        space = self._space.search_space
        optimizer = BayesianOptimizer(space, self._graph if self._source else None, n_startup=self._n_startup)
        pending = [self._space.from_sample(s) for s in running]
        for attempt in range(_ATTEMPTS):
            seed = [self._seed, number, attempt]
            if attempt < _SUGGESTIONS:
                config = optimizer.suggest(observations, pending, seed, number if attempt == 0 else number + attempt)
            else:
                config = space.sample(np.random.default_rng(seed))
            sample = self._space.to_sample(config)
            if sample_key(sample) in tried:
                continue
            try:
                return self.model_space.freeze(sample)
            except SampleValidationError as error:
                _logger.debug("Attempt %d broke a constraint of the space: %s", attempt, error)
        return None

    def _learn(self, event: Any) -> None:
        model = event.model
        with self._lock:
            if not any(m is model for m in self._running):
                return
            self._running = [m for m in self._running if m is not model]
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

    def _graph(self, config: Mapping[str, Value]) -> ComputationGraph | None:
        """The network of a configuration, which does not depend on the recipe."""
        assert self._source is not None
        return self._source({name: config[name] for name in self._architecture})

    def _build(self, architecture: Mapping[str, Value]) -> Any:
        sample = self._space.to_sample({**self._fixed, **architecture})
        try:
            frozen = self.model_space.freeze(sample)
        except SampleValidationError:
            return None  # never submitted either
        with torch.random.fork_rng(devices=[]):  # initial weights must not draw from the user's generator
            return frozen.executable_model()

    def state_dict(self) -> dict[str, Any]:
        """Plain values from which a new strategy continues; models now running are not among them."""
        with self._lock:
            results = [{"sample": dict(s), "value": v} for s, v in self._results]
            failed = [dict(s) for s in self._failed]
            return {
                "seed": self._seed,
                "n_suggested": self._n_suggested,
                "results": results,
                "failed": failed,
            }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from the state of another strategy on the same space."""
        with self._lock:
            self._seed = int(state_dict["seed"])
            self._n_suggested = int(state_dict["n_suggested"])
            self._results = [(dict(r["sample"]), float(r["value"])) for r in state_dict["results"]]
            self._failed = [dict(s) for s in state_dict["failed"]]


def _model_mutables(model_space: Any) -> Mapping[str, Any]:
    """What belongs to the model; with a format that does not tell it apart, the evaluator's mutables too."""
    for attribute in ("mutables", "model_space"):  # of the simplified and the raw format
        part = getattr(model_space, attribute, None)
        if part is not None:
            return part.simplify()  # type: ignore[no-any-return]
    return model_space.simplify()  # type: ignore[no-any-return]
