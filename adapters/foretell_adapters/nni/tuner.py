"""The tuner: hyperparameters of NNI's experiments, with the network in view where `graph` gives it."""

from __future__ import annotations

import logging
import math
import secrets
import threading
from typing import TYPE_CHECKING, Any

from nni.tuner import Tuner
from nni.utils import extract_scalar_reward

from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.graph import ComputationGraph
from foretell.graph_source import GraphSource
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.search_memory import SearchMemory
from foretell_adapters.nni import early_stops
from foretell_adapters.nni.class_args import TunerArgs
from foretell_adapters.nni.imported_function import imported_function
from foretell_adapters.nni.space import NniSpace
from foretell_adapters.nni.trial_records import Result, TrialRecords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        n_startup_trials: Results before the surrogate decides; until then points that cover the space evenly. Once a
            third of them are there, what is under way counts too.
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
        args = TunerArgs.parse(
            {
                "optimize_mode": optimize_mode,
                "seed": seed,
                "n_startup_trials": n_startup_trials,
                "graph": graph,
            }
            | unknown
        )
        self._sign = 1.0 if args.optimize_mode == "maximize" else -1.0
        self._n_startup = args.n_startup_trials
        self._network = imported_function(args.graph, "classArgs: graph") if args.graph is not None else None
        self._lock = threading.Lock()
        self._space = NniSpace(())
        self._graph: GraphSource | None = None
        self._records = TrialRecords(secrets.randbits(32) if args.seed is None else args.seed)
        self._observations: dict[Result, Observation | None] = {}
        self._memory = SearchMemory()
        self._resumed = False
        early_stops.listen()
        _logger.info("Foretell uses seed %d", self._records.seed)

    def load_checkpoint(self) -> None:
        """Take up the records of an experiment that is resumed."""
        with self._lock:
            self._records.keep_in(self.get_checkpoint_path())
            self._resumed = True
        _logger.info("Foretell goes on with %d results, seed %d", len(self._records.results), self._records.seed)

    def save_checkpoint(self) -> None:
        """Nothing to do: every event is written when it happens."""

    def update_search_space(self, search_space: Any) -> None:
        """Take the space of an experiment, also while it runs; results that fit the new space are kept.

        Raises:
            InvalidSearchSpaceError: If it is no search space.
        """
        space = NniSpace.parse(search_space)
        with self._lock:
            self._space = space
            self._graph = GraphSource(self._build) if self._network is not None else None
            self._observations.clear()
            self._memory = SearchMemory()

    def generate_parameters(self, parameter_id: int, **kwargs: Any) -> dict[str, Any]:
        """Propose parameters; NNI asks for one trial more than it runs."""
        del kwargs
        with self._lock:
            self._records.keep_in(self.get_checkpoint_path())
            number = self._records.n_asked  # NNI's own ids may begin anew when it resumes
            space = self._space.search_space
            config = BayesianOptimizer(space, self._graph, n_startup=self._n_startup, memory=self._memory).suggest(
                self._known(),
                self._configs(self._records.pending),
                seed=[self._records.seed, number],
                index=number,
                failed=self._configs([r.parameters for r in self._records.results if r.value is None]),
            )
            parameters = self._space.to_parameters(config)
            self._records.ask(parameter_id, parameters)
        return parameters

    def receive_trial_result(self, parameter_id: int, parameters: Any, value: Any, **kwargs: Any) -> None:
        """Learn a trial's final metric, or the last one of a trial that our assessor stopped.

        A diverged one (`nan`) counts as the worst.

        Raises:
            InvalidDataError: If the metric is neither a number nor a dict with a number as `default`.
        """
        job = kwargs.get("trial_job_id")
        result = Result(parameters, _reward(value), job, early_stops.is_early(job, value))
        with self._lock:
            self._records.learn(parameter_id, result)

    def trial_end(self, parameter_id: int, success: bool, **kwargs: Any) -> None:
        """Note a trial that failed; what one achieved comes by `receive_trial_result` alone.

        With concurrency NNI may name another trial that ended. A metric that comes later corrects it.
        """
        del kwargs
        if not success:
            with self._lock:
                self._records.fail(parameter_id)

    def import_data(self, data: Sequence[Mapping[str, Any]]) -> None:
        """Learn earlier results, records of `parameter` and `value`; those outside the space are left out."""
        with self._lock:
            if self._resumed:  # the manager repeats what we have, and what it imported before
                data, self._resumed = self._records.missing_from(list(data)), False
            for record in data:
                try:
                    result = Result(record["parameter"], _reward(record["value"]), record.get("trialJobId"))
                except (KeyError, InvalidDataError) as error:
                    _logger.warning("An imported record needs `parameter` and a numeric `value`: %r left out", error)
                else:
                    self._records.learn(None, result)

    def _known(self) -> list[Observation]:
        for result in self._records.results:
            if result not in self._observations:
                self._observations[result] = self._observation(result)
        return [o for r in self._records.results if (o := self._observations[r]) is not None]

    def _observation(self, result: Result) -> Observation | None:
        """What the optimizer is told of a trial's metric; failed trials have none."""
        if result.value is None:
            return None
        config = self._config(result.parameters)
        if config is None:
            _logger.warning("A result lies outside the search space and is left out: %r", result.parameters)
            return None
        value = -math.inf if math.isnan(result.value) else self._sign * result.value
        return Observation(config, (value,), partial=result.partial)

    def _configs(self, trials: Sequence[Any]) -> list[dict[str, Value]]:
        return [c for p in trials if (c := self._config(p)) is not None]

    def _config(self, parameters: Any) -> dict[str, Value] | None:
        try:
            return self._space.from_parameters(parameters)
        except InvalidSearchSpaceError as error:
            _logger.debug("%s", error)
            return None

    def _build(self, config: Mapping[str, Value]) -> Any:
        assert self._network is not None
        built = self._network(self._space.to_parameters(config))
        return ComputationGraph.from_module(*built) if isinstance(built, tuple) else built

    def __repr__(self) -> str:
        sees = "hyperparameters" if self._network is None else "hyperparameters and network"
        return f"ForetellTuner({len(self._records.results)} results, seed={self._records.seed}, sees {sees})"


def _reward(value: Any) -> float:
    try:
        return float(extract_scalar_reward(value))
    except (RuntimeError, TypeError, ValueError) as error:
        msg = (
            f"a trial's metric must be a number, or a dict with a number as `default`, but got {value!r}: "
            "write e.g. nni.report_final_result({'default': accuracy, 'loss': loss})"
        )
        raise InvalidDataError(msg) from error
