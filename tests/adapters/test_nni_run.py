"""Searches as one YAML file: what is read from it, and what is said of mistakes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

from foretell.errors import ForetellError, InvalidDataError

pytest.importorskip("nni")
pytest.importorskip("yaml")
pytestmark = pytest.mark.nni

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nni.nas meets torch newer than it knows
    import nni.nas.hub.pytorch
    import nni.nas.strategy

from foretell_adapters.nni import ForetellStrategy
from foretell_adapters.nni.experiment_file import ExperimentFile
from foretell_adapters.nni.strategy_args import strategy_args

if TYPE_CHECKING:
    from pathlib import Path

FILE: dict[str, Any] = {
    "space": "NasBench201",
    "spaceArgs": {"stem_out_channels": 1, "num_modules_per_stack": 1},
    "evaluator": "my_training:train",
    "evaluatorArgs": {
        "epochs": 2,
        "rate": {"_type": "loguniform", "_value": ["1e-3", 0.1]},
        "batch": {"_type": "randint", "_value": [1, 4]},
        "step": {"_type": "choice", "_value": ["SGD", "Adam"]},
    },
    "strategy": {"name": "Foretell", "args": {"seed": 0, "example_inputs": [1, 3, 32, 32], "limits": {"flops": "2e6"}}},
    "engine": "ts",
    "format": "raw",
    "maxTrialNumber": 4,
    "trialConcurrency": 2,
    "trainingService": {"platform": "remote", "machineList": [{"host": "a", "user": "b", "passwordX": "c"}]},
}


def train(model: Any, epochs: int, rate: float, batch: int, step: str) -> None:
    """What the file names."""


@pytest.fixture(autouse=True)
def training(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "my_training", sys.modules[__name__])


def test_all_parts_are_made(tmp_path: Path) -> None:
    file = ExperimentFile.parse(FILE)
    assert file.rest == {k: FILE[k] for k in ("maxTrialNumber", "trialConcurrency", "trainingService")}
    space, evaluator = file.make_space(), file.make_evaluator()
    assert set(space.simplify()) == {f"cell/{a}_{b}" for b in (1, 2, 3) for a in range(b)}
    mutables = evaluator.simplify()
    assert set(mutables) == {"rate", "batch", "step"}
    assert list(mutables["batch"].values) == [1, 2, 3]
    strategy = file.make_strategy(tmp_path)
    assert isinstance(strategy, ForetellStrategy)
    assert "1 limits" in repr(strategy)


@pytest.mark.parametrize(
    "service", [{"platform": "local"}, {"platform": "remote", "machineList": [{"host": "a", "user": "b"}]},
                {"platform": "kubeflow", "worker": {"replicas": 1, "command": "x"}, "operator": "tf-operator"},
                {"platform": "frameworkcontroller", "taskRoles": []}]
)  # fmt: skip
def test_training_services_go_to_nni_as_they_are(service: dict[str, Any]) -> None:
    from foretell_adapters.nni.run_experiment import _config

    config = _config(ExperimentFile.parse(FILE | {"trainingService": service}))
    assert config.training_service.platform == service["platform"]
    assert config.trial_concurrency == 2
    assert config.execution_engine.name == "ts"
    assert config.model_format.name == "raw"


def test_strategies_of_nni_can_be_named_too(tmp_path: Path) -> None:
    file = ExperimentFile.parse(FILE | {"strategy": {"name": "RegularizedEvolution", "args": {"population_size": 30}}})
    assert isinstance(file.make_strategy(tmp_path), nni.nas.strategy.RegularizedEvolution)
    assert isinstance(
        ExperimentFile.parse(FILE | {"strategy": "Random"}).make_strategy(tmp_path), nni.nas.strategy.Random
    )


def test_defaults_are_sequential_and_simplified() -> None:
    file = ExperimentFile.parse({"space": "DARTS", "evaluator": "my_training:train"})
    assert (file.engine, file.format, file.strategy) == ("sequential", "simplified", "Foretell")


def test_limits_inputs_and_paths_of_the_strategy(tmp_path: Path) -> None:
    given = {
        "example_inputs": [[1, 3, 8, 8], [1, 4]],
        "limits": {"params": 10, "latency": {"measure": "my_training:cost", "at_most": "5"}},
        "warm_start": "earlier.json",
        "graph": "my_training:cost",
    }
    args = strategy_args(given, tmp_path)
    assert [tuple(t.shape) for t in args["example_inputs"]] == [(1, 3, 8, 8), (1, 4)]
    assert [limit.at_most for limit in args["limits"]] == [10, 5.0]
    assert args["limits"][1].excess({}, None) == pytest.approx(0.2)
    assert args["warm_start"] == tmp_path / "earlier.json"
    assert args["graph"] is cost


def cost(sample: dict[str, Any]) -> float:
    """Of a limit, in these tests."""
    return 6.0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"engine": "sequentiel"}, "engine must be one of sequential, ts, but got 'sequentiel': write 'sequential'"),
        ({"format": "graph"}, "format must be one of simplified, raw, but got 'graph'"),
        ({"trainingService": None, "engine": "ts"}, ""),
        ({"space": None}, "space must name what is searched, but got None: write space: module:Name"),
        ({"evaluator": 3}, "evaluator must name what is searched, but got 3"),
        ({"strategy": 3}, "strategy must have a name and args, but got 3: write {name: Foretell"),
        ({"strategy": {"nam": "Foretell"}}, "strategy must have a name and args"),
        ({"spaceArgs": [1]}, "spaceArgs must be a mapping from names to values, but got"),
        ({"maxTrialNumbr": 3}, "but got 'maxTrialNumbr': write 'maxTrialNumber'"),
        ({"evaluatorArg": {}}, "but got 'evaluatorArg': write 'evaluatorArgs'"),
        ({"zzzz": 1}, "but got 'zzzz': drop it"),
        ({"tuner": {"name": "Foretell"}}, "has no tuner: name space, evaluator and strategy, or run `nnictl create"),
        ({"searchSpace": {}}, "has no searchSpace"),
    ],
)
def test_mistakes_in_a_file_are_answered_with_a_sentence(change: dict[str, Any], sentence: str) -> None:
    given = {k: v for k, v in (FILE | change).items() if not (k == "trainingService" and v is None)}
    with pytest.raises(
        InvalidDataError, match=sentence or "engine ts needs a trainingService, but there is none: write"
    ):
        ExperimentFile.parse(given)


@pytest.mark.parametrize(
    ("change", "part", "sentence"),
    [
        ({"space": "NasBench202"}, "space", "or module:Class, but got 'NasBench202': write 'NasBench201'"),
        ({"space": "my_training:Space"}, "space", "space must name a function that can be imported"),
        (
            {"spaceArgs": {"channels": 3}},
            "space",
            "spaceArgs must be what NasBench201 takes, but .*'channels': correct the name",
        ),
        (
            {"evaluator": "my_training:tran"},
            "evaluator",
            "evaluator must name a function that can be imported.*PYTHONPATH",
        ),
        (
            {"evaluatorArgs": {"rat": 1}},
            "evaluator",
            "evaluatorArgs must be one of epochs, rate, .*'rat': write 'rate'",
        ),
        ({"evaluatorArgs": {"rate": {"_type": "unifrom", "_value": [0, 1]}}}, "evaluator", "write 'uniform'"),
        ({"strategy": {"name": "Foretel"}}, "strategy", "strategy must be one of Foretell, .*: write 'Foretell'"),
        (
            {"strategy": {"name": "Foretell", "args": {"sed": 1}}},
            "strategy",
            "strategy's args must be what ForetellStrategy takes, but .*'sed'",
        ),
        ({"strategy": {"name": "Random", "args": {"dedup": True, "seed": 1, "x": 1}}}, "strategy", ""),
    ],
)
def test_mistakes_in_a_part_are_answered_with_a_sentence(
    change: dict[str, Any], part: str, sentence: str, tmp_path: Path
) -> None:
    file = ExperimentFile.parse(FILE | change)
    make = {
        "space": file.make_space,
        "evaluator": file.make_evaluator,
        "strategy": lambda: file.make_strategy(tmp_path),
    }
    if not sentence:
        make[part]()  # NNI's own takes anything
        return
    with pytest.raises(ForetellError, match=sentence):
        make[part]()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"engine": "sequential"}, "NNI says: `trial_concurrency` must be 1 for sequential"),
        ({"trialCodeDirectory": "/"}, "NNI says: `trial_code_directory` field can not be customized"),
        ({"trialConcurrency": "two"}, "NNI says: .*trial_concurrency"),
        ({"trainingService": {"platform": "lokal"}}, "NNI says"),
    ],
)
def test_what_nni_refuses_is_answered_with_a_sentence(change: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    from foretell_adapters.nni.run_experiment import run_experiment

    file = ExperimentFile.parse(FILE | {"trainingService": {"platform": "local"}} | change)
    with pytest.raises(InvalidDataError, match=sentence):
        run_experiment(file, tmp_path, out=tmp_path / "models.json")


def test_an_experiment_that_nni_does_not_know_is_answered_with_a_sentence(tmp_path: Path) -> None:
    from foretell_adapters.nni.run_experiment import run_experiment

    file = ExperimentFile.parse(FILE | {"trainingService": {"platform": "local"}})
    with pytest.raises(InvalidDataError, match="knows none named 'nobody': see nnictl"):
        run_experiment(file, tmp_path, out=tmp_path / "models.json", resume="nobody")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"example_inputs": 3}, r"example_inputs must be a shape .*, but got 3: write \[1, 3, 32, 32\]"),
        ({"example_inputs": [[1, "a"]]}, "example_inputs must be a shape"),
        ({"limits": [1]}, r"limits must be a mapping, but got \[1\]: write limits: {flops: 3.0e\+8}"),
        ({"limits": {"flop": 1}}, "measure must be one of flops, params, .*'flop': write e.g."),
        ({"limits": {"flops": "many"}}, "a limit must be a number above 0, but flops got 'many'"),
        ({"limits": {"latency": {"at_most": 3}}}, "a limit must have measure and at_most, but 'latency' has"),
        ({"graph": "my_training"}, "graph must be 'module:function', but got 'my_training'"),
        ({"graph": "my_training:FILE"}, "graph must name a function, but 'my_training:FILE' is dict"),
    ],
)
def test_mistakes_in_the_strategys_args_are_answered_with_a_sentence(
    args: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidDataError, match=sentence):
        strategy_args(args, tmp_path)


def test_a_file_that_is_none_is_answered_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="must be a YAML file, but .* is not .*see examples"):
        ExperimentFile.read(tmp_path / "absent.yml")
    (tmp_path / "bad.yml").write_text("a: [")
    with pytest.raises(InvalidDataError, match="must be a YAML file"):
        ExperimentFile.read(tmp_path / "bad.yml")
    with pytest.raises(InvalidDataError, match="an experiment must be a mapping, but got 'x'"):
        ExperimentFile.parse("x")
