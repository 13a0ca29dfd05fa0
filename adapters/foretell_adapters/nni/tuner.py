"""The tuner: hyperparameters of NNI's experiments, with the network in view where `graph` gives it."""

from __future__ import annotations

import importlib
import logging
import math
import secrets
import threading
from typing import TYPE_CHECKING, Any

from nni import ClassArgsValidator
from nni.tuner import Tuner
from nni.utils import extract_scalar_reward

from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.graph import ComputationGraph
from foretell.graph_source import GraphSource
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell_adapters.nni.class_args import ClassArgs
from foretell_adapters.nni.space import NniSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.distributions import Value

_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())


class ForetellTuner(Tuner):  # type: ignore[misc]
    """Suggests parameters by expected improvement under a surrogate.

    Name it in an experiment as `tuner: {className: foretell_adapters.nni.ForetellTuner, codeDirectory: .}`,
    or, once `foretell nni register` has run, as `tuner: {name: Foretell}`.

    Args:
        optimize_mode: Whether a larger metric is better (`maximize`) or a smaller one (`minimize`).
        seed: Source of all randomness; None takes a fresh one, and says which in the log.
        n_startup_trials: Results before the surrogate decides; until then points that cover the space evenly.
        graph: `module:function`; the function takes a trial's parameters and gives their network, as a
            `ComputationGraph` or as a tuple of a module and its example inputs.
        **unknown: Refused with the names that are known.

    Raises:
        InvalidDataError: If a setting is unknown or impossible, or the graph function cannot be imported.

    >>> tuner = ForetellTuner(seed=0)
    >>> tuner.update_search_space({"lr": {"_type": "loguniform", "_value": [0.001, 0.1]}})
    >>> 0.001 <= tuner.generate_parameters(0)["lr"] <= 0.1
    True
    """

    def __init__(
        self,
        optimize_mode: str = "maximize",
        seed: int | None = None,
        n_startup_trials: int = 10,
        graph: str | None = None,
        **unknown: Any,
    ) -> None:
        super().__init__()
        args = ClassArgs.parse(
            {
                "optimize_mode": optimize_mode,
                "seed": seed,
                "n_startup_trials": n_startup_trials,
                "graph": graph,
            }
            | unknown
        )
        self._seed = secrets.randbits(32) if args.seed is None else args.seed
        self._sign = 1.0 if args.optimize_mode == "maximize" else -1.0
        self._n_startup = args.n_startup_trials
        self._network = _function(args.graph) if args.graph is not None else None
        self._lock = threading.Lock()
        self._space = NniSpace(())
        self._graph: GraphSource | None = None
        self._results: list[tuple[Any, float]] = []  # parameters as NNI has them, so that a new space can read them
        self._observations: list[Observation] = []
        self._pending: dict[int, dict[str, Value]] = {}
        _logger.info("Foretell uses seed %d", self._seed)

    def update_search_space(self, search_space: Any) -> None:
        """Take the space of an experiment, also while it runs; results that fit the new space are kept.

        Raises:
            InvalidSearchSpaceError: If it is no search space.
        """
        space = NniSpace.parse(search_space)
        with self._lock:
            self._space = space
            self._graph = GraphSource(self._build) if self._network is not None else None
            self._pending.clear()
            self._observations = [o for p, v in self._results if (o := self._observation(p, v)) is not None]

    def generate_parameters(self, parameter_id: int, **kwargs: Any) -> dict[str, Any]:
        """Propose parameters; NNI asks for one trial more than it runs."""
        del kwargs
        with self._lock:
            config = BayesianOptimizer(self._space.search_space, self._graph, n_startup=self._n_startup).suggest(
                self._observations,
                list(self._pending.values()),
                seed=[self._seed, parameter_id],
                index=parameter_id,
            )
            parameters = self._space.to_parameters(config)
            self._pending[parameter_id] = self._space.from_parameters(parameters)  # as rounded for the trial
        return parameters

    def receive_trial_result(self, parameter_id: int, parameters: Any, value: Any, **kwargs: Any) -> None:
        """Learn a trial's final metric; a diverged one (`nan`) counts as the worst.

        Raises:
            RuntimeError: If the metric is neither a number nor a dict with a number as `default`.
        """
        del kwargs
        self._learn(parameters, extract_scalar_reward(value), parameter_id)

    def trial_end(self, parameter_id: int, success: bool, **kwargs: Any) -> None:
        """Stop waiting for a trial; what it achieved comes by `receive_trial_result` alone.

        With concurrency NNI may name another trial that ended, which is why nothing is learnt here.
        """
        del success, kwargs
        with self._lock:
            self._pending.pop(parameter_id, None)

    def import_data(self, data: Sequence[Mapping[str, Any]]) -> None:
        """Learn earlier results, records of `parameter` and `value`; those outside the space are left out."""
        for record in data:
            try:
                self._learn(record["parameter"], extract_scalar_reward(record["value"]), None)
            except (KeyError, RuntimeError) as error:
                _logger.warning("An imported record needs `parameter` and a numeric `value`: %r left out", error)

    def _learn(self, parameters: Any, reward: float, parameter_id: int | None) -> None:
        value = -math.inf if math.isnan(reward) else self._sign * float(reward)
        with self._lock:
            if parameter_id is not None:
                self._pending.pop(parameter_id, None)
            self._results.append((parameters, value))
            observation = self._observation(parameters, value)
            if observation is not None:
                self._observations.append(observation)

    def _observation(self, parameters: Any, value: float) -> Observation | None:
        try:
            return Observation(self._space.from_parameters(parameters), (value,))
        except InvalidSearchSpaceError as error:
            _logger.warning("A result lies outside the search space and is left out: %s", error)
            return None

    def _build(self, config: Mapping[str, Value]) -> Any:
        assert self._network is not None
        built = self._network(self._space.to_parameters(config))
        return ComputationGraph.from_module(*built) if isinstance(built, tuple) else built

    def __repr__(self) -> str:
        sees = "hyperparameters" if self._network is None else "hyperparameters and network"
        return f"ForetellTuner({len(self._observations)} results, seed={self._seed}, sees {sees})"


class ForetellClassArgsValidator(ClassArgsValidator):  # type: ignore[misc]
    """Checks `classArgs` before an experiment starts, for those routes of NNI that ask."""

    def validate_class_args(self, **kwargs: Any) -> None:
        """Refuse what the tuner would refuse.

        Raises:
            InvalidDataError: If a setting is unknown or impossible.
        """
        ClassArgs.parse(kwargs)


def _function(reference: str) -> Callable[[dict[str, Any]], Any]:
    module, _, name = reference.partition(":")
    try:
        function: Any = importlib.import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
    except (ImportError, AttributeError) as error:
        msg = (
            f"classArgs: graph must name a function that can be imported, but {reference!r} failed "
            f"({error}): put its folder on PYTHONPATH, or in codeDirectory"
        )
        raise InvalidDataError(msg) from error
    if not callable(function):
        kind = type(function).__name__
        msg = f"classArgs: graph must name a function, but {reference!r} is {kind}: name a function"
        raise InvalidDataError(msg)
    return function  # type: ignore[no-any-return]
