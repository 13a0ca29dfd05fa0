"""NNI's engine on a training service, able to go on with an experiment that has results already.

NNI's own cannot: its manager tells a resumed tuner the results so far, a command that the engine's channel does not
know, and ends with in its thread, so that nothing is asked for again. And it trains what was running once more, under
numbers that the new engine has never given out, so that these results reach no strategy.
"""

from __future__ import annotations

import weakref
from typing import Any

import nni
from nni.nas.execution import training_service
from nni.nas.execution.training_service import TrainingServiceExecutionEngine
from nni.runtime.tuner_command_channel import TunerCommandChannel


class ResumableEngine(TrainingServiceExecutionEngine):  # type: ignore[misc]
    """The engine `ts`, also after `resume`.

    Args:
        nodejs_binding: The experiment.
    """

    def __init__(self, nodejs_binding: Any) -> None:
        self._resumed: dict[int, Any] = {}  # the engine itself refers to models weakly
        training_service.TunerCommandChannel = _Channel
        try:
            super().__init__(nodejs_binding)
        finally:
            training_service.TunerCommandChannel = TunerCommandChannel

    def _report_metric_data_callback(self, command: Any) -> None:
        self._remember(command.parameter_id)
        super()._report_metric_data_callback(command)

    def _trial_end_callback(self, command: Any) -> None:
        for parameter_id in command.parameter_ids:
            self._remember(parameter_id)
        super()._trial_end_callback(command)
        for parameter_id in command.parameter_ids:
            self._resumed.pop(parameter_id, None)

    def _remember(self, parameter_id: int) -> None:
        """Make the model of a trial that an earlier process submitted."""
        if self._find_reference_model(parameter_id) is not None:
            return
        for trial in self.nodejs_binding.list_trial_jobs():
            for given in trial.hyperParameters:
                if given.parameter_id == parameter_id:
                    model = nni.load(nni.dump(given.parameters))  # as `list_models` does
                    self._resumed[parameter_id] = model
                    self._models[parameter_id] = weakref.ref(model)


class _Channel(TunerCommandChannel):  # type: ignore[misc]
    """Passes over what a strategy has no use for: it knows its results from its own state."""

    def receive(self) -> Any:
        while True:
            try:
                return super().receive()
            except ValueError as error:
                if not str(error).startswith("Unknown command type"):
                    raise
