"""A search as one YAML file: space, evaluator, strategy and training service.

    space: my_package.space:DigitsSpace        # or a space of NNI's hub: NasBench201
    spaceArgs: {classes: 10}
    evaluator: my_package.training:train       # a function of the model and these, or one of NNI's evaluators
    evaluatorArgs:
      epochs: 3
      learning_rate: {_type: loguniform, _value: [0.001, 0.1]}    # searched along with the architecture
    strategy:
      name: Foretell                           # or one of NNI's: Random, RegularizedEvolution, ...
      args: {seed: 0, example_inputs: [1, 1, 8, 8], limits: {flops: 1.0e+6}}
    engine: sequential                         # or ts, with a training service
    format: simplified                         # or raw
    maxTrialNumber: 20

All else is what NNI's own experiments have, and goes to it as it is: trialConcurrency, maxExperimentDuration,
trainingService (local, remote, kubernetes, ...). Paths and modules are looked for beside the file.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidDataError
from foretell_adapters.nni.imported_function import imported_function

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = ("space", "spaceArgs", "evaluator", "evaluatorArgs", "strategy", "engine", "format")
ENGINES, FORMATS = ("sequential", "ts"), ("simplified", "raw")
_OF_TUNERS = ("tuner", "assessor", "advisor", "searchSpace", "searchSpaceFile", "trialCommand", "useAnnotation")


@dataclass(frozen=True)
class ExperimentFile:
    """What the file says; nothing is imported yet.

    Raises:
        InvalidDataError: If a setting is missing, unknown or impossible.
    """

    space: str
    evaluator: str
    strategy: str
    space_args: Mapping[str, Any] = field(default_factory=dict)
    evaluator_args: Mapping[str, Any] = field(default_factory=dict)
    strategy_args: Mapping[str, Any] = field(default_factory=dict)
    engine: str = "sequential"
    format: str = "simplified"
    rest: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _one_of("engine", self.engine, ENGINES)
        _one_of("format", self.format, FORMATS)
        if self.engine == "ts" and "trainingService" not in self.rest:
            msg = "engine ts needs a trainingService, but there is none: write trainingService: {platform: local}"
            raise InvalidDataError(msg)

    @classmethod
    def parse(cls, content: object) -> ExperimentFile:
        """Read the content of a file.

        Raises:
            InvalidDataError: If it is no such file; the message says what to write.
        """
        if not isinstance(content, Mapping):
            msg = (
                f"an experiment must be a mapping, but got {content!r:.80}: write space: ..., evaluator: ..., "
                "strategy: ..."
            )
            raise InvalidDataError(msg)
        given = dict(content)
        if found := [k for k in _OF_TUNERS if k in given]:
            msg = (
                f"an experiment with a strategy has no {', '.join(found)}: name space, evaluator and strategy, or run "
                "`nnictl create --config` for a tuner"
            )
            raise InvalidDataError(msg)
        ours = {name: given.pop(name) for name in OURS if name in given}
        _check_names(given)
        for name in ("space", "evaluator"):
            if not isinstance(ours.get(name), str):
                msg = f"{name} must name what is searched, but got {ours.get(name)!r}: write {name}: module:Name"
                raise InvalidDataError(msg)
        strategy = _strategy(ours.get("strategy", "Foretell"))
        return cls(
            ours["space"],
            ours["evaluator"],
            strategy["name"],
            _mapping("spaceArgs", ours.get("spaceArgs")),
            _mapping("evaluatorArgs", ours.get("evaluatorArgs")),
            _mapping("strategy's args", strategy.get("args")),
            ours.get("engine", "sequential"),
            ours.get("format", "simplified"),
            given,
        )

    @classmethod
    def read(cls, path: Path) -> ExperimentFile:
        """Read a YAML file.

        Raises:
            InvalidDataError: If it cannot be read, or is no such file.
        """
        import yaml

        try:
            return cls.parse(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError) as error:
            msg = f"an experiment must be a YAML file, but {path} is not ({error}): see examples/nni_run.yml"
            raise InvalidDataError(msg) from error

    def make_space(self) -> Any:
        """The model space."""
        from nni.nas.hub import pytorch as hub
        from nni.nas.nn.pytorch import ModelSpace

        reference = self.space
        if ":" not in reference:
            known = [
                n for n in dir(hub) if isinstance(getattr(hub, n), type) and issubclass(getattr(hub, n), ModelSpace)
            ]
            _one_of("space", reference, known, "or module:Class")
            reference = f"nni.nas.hub.pytorch:{reference}"
        return _called(imported_function(reference, "space"), self.space_args, "spaceArgs")

    def make_evaluator(self) -> Any:
        """The evaluator; arguments written as a tuner's parameters are searched."""
        import nni
        from nni.nas.evaluator import Evaluator, FunctionalEvaluator

        found = imported_function(self.evaluator, "evaluator")
        args = {name: _searched(nni, name, value) for name, value in self.evaluator_args.items()}
        if isinstance(found, type) and issubclass(found, Evaluator):
            return _called(found, args, "evaluatorArgs")
        parameters = inspect.signature(found).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            for name in args:
                _one_of("evaluatorArgs", name, list(parameters)[1:])
        return FunctionalEvaluator(found, **args)

    def make_strategy(self, folder: Path) -> Any:
        """The strategy; paths are relative to a folder."""
        from nni.nas import strategy as theirs

        if self.strategy == "Foretell":
            from foretell_adapters.nni.strategy import ForetellStrategy
            from foretell_adapters.nni.strategy_args import strategy_args

            return _called(ForetellStrategy, strategy_args(self.strategy_args, folder), "strategy's args")
        names = [n for n in dir(theirs) if isinstance(getattr(theirs, n), type) and n != "Strategy"]
        _one_of("strategy", self.strategy, ["Foretell", *names])
        return _called(getattr(theirs, self.strategy), self.strategy_args, "strategy's args")


def _searched(nni: Any, name: str, value: Any) -> Any:
    """A mutable for a value written as `{_type, _value}`; all else as it is."""
    if not isinstance(value, Mapping) or "_type" not in value:
        return value
    from foretell_adapters.nni.space import NniSpace

    NniSpace.parse({name: dict(value)})  # says what is wrong with it
    kind, values = value["_type"], value["_value"]
    if kind == "choice":
        return nni.choice(name, list(values))
    if kind == "randint":
        return nni.choice(name, list(range(*map(int, values))))
    return getattr(nni, kind)(name, *map(float, values))


def _called(make: Callable[..., Any], args: Mapping[str, Any], setting: str) -> Any:
    try:
        return make(**args)
    except TypeError as error:
        if "argument" not in str(error) or getattr(make, "__name__", "") not in str(error):
            raise  # from deeper down
        msg = (
            f"{setting} must be what {getattr(make, '__name__', make)} takes, but {error}: correct the name, or add it"
        )
        raise InvalidDataError(msg) from error


def _strategy(given: object) -> Mapping[str, Any]:
    if isinstance(given, str):
        return {"name": given}
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str) or set(given) - {"name", "args"}:
        msg = f"strategy must have a name and args, but got {given!r}: write {{name: Foretell, args: {{seed: 0}}}}"
        raise InvalidDataError(msg)
    return given


def _check_names(rest: Mapping[str, Any]) -> None:
    """Refuse names that NNI's experiments do not have, before NNI does without a remedy."""
    from nni.experiment.config.utils import camel_case, case_insensitive
    from nni.nas.experiment import NasExperimentConfig

    known = {
        case_insensitive(name): name for name in (*OURS, *(camel_case(f.name) for f in fields(NasExperimentConfig)))
    }
    for name in rest:
        if case_insensitive(str(name)) not in known:
            near = difflib.get_close_matches(case_insensitive(str(name)), known, n=1)
            remedy = f"write {known[near[0]]!r}" if near else "drop it"
            msg = f"settings are {', '.join(OURS)} and those of NNI's experiments, but got {name!r}: {remedy}"
            raise InvalidDataError(msg)


def _one_of(setting: str, value: object, known: Any, otherwise: str = "") -> None:
    if value not in known:
        near = difflib.get_close_matches(str(value), known, n=1, cutoff=0.5)
        remedy = f"write {near[0]!r}" if near else "choose one"
        rule = f"{', '.join(known)}{f', {otherwise}' if otherwise else ''}"
        msg = f"{setting} must be one of {rule}, but got {value!r}: {remedy}"
        raise InvalidDataError(msg)


def _mapping(setting: str, value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        msg = f"{setting} must be a mapping from names to values, but got {value!r}: write e.g. {setting}: {{seed: 0}}"
        raise InvalidDataError(msg)
    return value
