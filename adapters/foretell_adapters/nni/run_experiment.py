"""Runs a search that a YAML file describes, in NNI's `NasExperiment`, and writes down what it found."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nni.experiment import launcher
from nni.nas.execution.event import ModelEventType
from nni.nas.experiment import NasExperiment, NasExperimentConfig
from nni.nas.experiment.config import TrainingServiceEngineConfig
from nni.nas.strategy.base import StrategyStatus

from foretell.errors import InvalidDataError
from foretell_adapters.nni.resumable_engine import ResumableEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from foretell_adapters.nni.experiment_file import ExperimentFile

_SECONDS_TO_START = 40  # NNI itself gives up after four, too early on a busy machine


class SavingExperiment(NasExperiment):  # type: ignore[misc]
    """A `NasExperiment` that saves its state after each model, not only at its end."""

    _watching = False

    def execution_engine_factory(self, config: Any) -> Any:
        """NNI's engines, that of a training service such that it can be resumed."""
        if type(config) is TrainingServiceEngineConfig:
            return ResumableEngine(self)
        return super().execution_engine_factory(config)

    def save_checkpoint(self) -> None:
        """Save, and do so from now on whenever a model has been trained."""
        super().save_checkpoint()
        if self._engine is not None and not self._watching:
            self._watching = True  # NNI saves first when the strategy has registered: it learns before we save
            self._engine.register_model_event_callback(ModelEventType.TrainingEnd, lambda _: self.save_checkpoint())


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Args:
        experiment_id: NNI's name of the experiment, by which it is resumed.
        models: Records of `sample` and `metric`, best first.
        interrupted: Whether it was stopped before its end.
    """

    experiment_id: str
    models: tuple[dict[str, Any], ...]
    interrupted: bool


def run_experiment(
    file: ExperimentFile, folder: Path, *, out: Path, port: int | None = None, resume: str | None = None
) -> Outcome:
    """Run to the end, or until it is interrupted; what was found so far is written down in any case.

    Args:
        file: What is to be done.
        folder: Where modules and paths are looked for; the working directory meanwhile.
        out: Gets a line of JSON for each model, `sample` and `metric`: what `warm_start` reads.
        port: Of NNI's manager, where the engine needs one; a free one by default.
        resume: Name of an experiment that was stopped.

    Raises:
        InvalidDataError: If a setting is impossible, or there is no such experiment.
    """
    out = out.resolve()
    with contextlib.chdir(folder):
        sys.path.insert(0, str(folder))
        config, strategy = _config(file), file.make_strategy(folder)
        with _nni_says():
            config.canonical_copy()
        experiment = SavingExperiment(file.make_space(), file.make_evaluator(), strategy, config, resume)
        if resume is not None and not experiment.has_checkpoint():
            msg = (
                f"only an experiment that NNI knows can be resumed, but it knows none named {resume!r}: see "
                "nnictl experiment list --all"
            )
            raise InvalidDataError(msg)
        launcher._check_rest_server = partial(launcher._check_rest_server, retry=_SECONDS_TO_START)
        try:
            go = experiment.run if resume is None else experiment.resume
            go(port or _free_port())
            found = _records(strategy)
        finally:
            experiment.stop()
    out.write_text(json.dumps(found, indent=1, default=str) + "\n", encoding="utf-8")
    return Outcome(experiment.id, tuple(found), strategy._status is StrategyStatus.INTERRUPTED)


def _records(strategy: Any) -> list[dict[str, Any]]:
    """All models with a metric; ours also knows those of before it was resumed."""
    from foretell_adapters.nni.strategy import ForetellStrategy

    if isinstance(strategy, ForetellStrategy):
        found = [{"sample": r["sample"], "metric": r["value"]} for r in strategy.state_dict()["results"]]
        return sorted(found, key=lambda r: -r["metric"])
    return [{"sample": dict(m.sample), "metric": m.metric} for m in strategy.list_models()]


@contextlib.contextmanager
def _nni_says() -> Iterator[None]:
    """Turn what NNI has against an experiment into a sentence of ours."""
    try:
        yield
    except (AssertionError, AttributeError, TypeError, ValueError) as error:
        msg = f"all other settings are those of NNI's experiments, but NNI says: {error or repr(error)}: correct them"
        raise InvalidDataError(msg) from error


def _config(file: ExperimentFile) -> Any:
    with _nni_says():
        return NasExperimentConfig(file.engine, file.format, **file.rest)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])
