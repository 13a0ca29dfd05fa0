"""The strategy on NNI's own engine and model formats, without an experiment around it."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import torch
from torch import nn

from foretell.errors import InvalidDataError

pytest.importorskip("nni")
pytestmark = pytest.mark.nni

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nni.nas meets torch newer than it knows
    import nni
    from nni.nas.evaluator import FunctionalEvaluator
    from nni.nas.execution import SequentialExecutionEngine
    from nni.nas.execution.event import TrainingEndEvent
    from nni.nas.nn.pytorch import LayerChoice, ModelSpace, MutableLinear
    from nni.nas.space import ModelStatus, RawFormatModelSpace, SimplifiedModelSpace

from foretell_adapters.nni import ForetellStrategy
from foretell_adapters.nni.mutables import sample_key


class Space(ModelSpace):
    """Width and activation of one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        width = nni.choice("width", [2, 4, 8])
        self.hidden = MutableLinear(4, width)
        self.act = LayerChoice({"relu": nn.ReLU(), "tanh": nn.Tanh(), "none": nn.Identity()}, label="act")
        self.out = MutableLinear(width, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.act(self.hidden(x)))


def judge(model: nn.Module, lr: float) -> None:
    width, act = model.hidden.out_features, type(model.act).__name__
    nni.report_final_result(width / 8 + (act == "Tanh") - abs(math.log10(lr) + 2))


def explore(
    strategy: ForetellStrategy,
    n: int,
    evaluate: Any = judge,
    format_: Any = SimplifiedModelSpace,
    **recipe: Any,
) -> Any:
    recipe = recipe or {"lr": nni.loguniform("lr", 1e-4, 1.0)}
    space = format_.from_model(Space(), FunctionalEvaluator(evaluate, **recipe))
    engine = SequentialExecutionEngine(max_model_count=n, continue_on_failure=True)
    strategy(space, engine)
    return engine


@pytest.mark.parametrize("format_", [SimplifiedModelSpace, RawFormatModelSpace])
def test_finds_architecture_and_recipe_together(format_: Any) -> None:
    strategy = ForetellStrategy(example_inputs=torch.zeros(1, 4), seed=0, n_startup=6)
    explore(strategy, 20, format_=format_)
    best = next(iter(strategy.list_models()))
    assert best.sample["act"] == "tanh"
    assert best.metric > 1.7


def test_sees_the_network_and_builds_each_once() -> None:
    strategy = ForetellStrategy(example_inputs=[torch.zeros(1, 4)], seed=0, n_startup=3)
    explore(strategy, 8)
    configs = [
        {"width": w, "act": a, "lr": lr} for w in (2, 4, 8) for a in ("relu", "tanh", "none") for lr in (0.1, 0.01)
    ]
    graphs = [strategy._networks(strategy._space.from_sample(c)) for c in configs]
    assert len({g.digest for g in graphs}) == 9
    assert [g.params for g in graphs[::6]] == [16, 30, 58]
    assert strategy._networks._source._known.size == 9, "the learning rate does not make another network"


def test_leaves_the_users_random_numbers_alone() -> None:
    strategy = ForetellStrategy(example_inputs=torch.zeros(1, 4), seed=0, n_startup=3)
    explore(strategy, 4)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    strategy._networks._source._start()  # forgets what was captured
    assert strategy._networks(strategy._space.from_sample({"width": 4, "act": "relu", "lr": 0.1})) is not None
    assert torch.equal(torch.rand(3), expected)


def test_without_example_inputs_sees_choices_only() -> None:
    strategy = ForetellStrategy(seed=0, n_startup=4)
    engine = explore(strategy, 10)
    assert strategy._networks is None
    assert len(list(engine.list_models())) == 10
    assert "choices" in repr(strategy)


def test_no_model_twice_and_a_used_up_space_ends(caplog: pytest.LogCaptureFixture) -> None:
    engine = explore(ForetellStrategy(seed=0, n_startup=3), 100, lr=0.1)
    samples = [m.sample for m in engine.list_models()]
    assert len(samples) == 9
    assert len({str(s) for s in samples}) == 9
    assert "the search ends here" in caplog.text


def test_failed_models_are_not_tried_again_and_nan_is_the_worst() -> None:
    def evaluate(model: nn.Module, lr: float) -> None:
        if isinstance(model.act, nn.ReLU):
            raise RuntimeError("out of memory")
        nni.report_final_result(float("nan") if isinstance(model.act, nn.Identity) else lr)

    strategy = ForetellStrategy(seed=0, n_startup=3)
    engine = explore(strategy, 100, evaluate, lr=0.1)
    assert len(list(engine.list_models())) == 9
    assert len(strategy._failed) == 3
    assert sorted(v for _, v in strategy._results) == [-math.inf] * 3 + [0.1] * 3


class Constrained(Space):
    """Depth and heads must multiply to six."""

    def __init__(self) -> None:
        super().__init__()
        depth, heads = nni.choice("depth", [2, 1, 3]), nni.choice("heads", [3, 2, 1])
        self.add_mutable(depth)
        self.add_mutable(heads)
        from nni.mutable.annotation import ExpressionConstraint

        self.add_mutable(ExpressionConstraint(depth * heads == 6, label="six"))


def test_invalid_samples_are_replaced() -> None:
    strategy = ForetellStrategy(example_inputs=torch.zeros(1, 4), seed=0, n_startup=3)
    space = SimplifiedModelSpace.from_model(Constrained(), FunctionalEvaluator(judge, lr=0.1))
    engine = SequentialExecutionEngine(max_model_count=10)
    strategy(space, engine)
    samples = [m.sample for m in engine.list_models()]
    assert len(samples) == 10
    assert all(s["depth"] * s["heads"] == 6 for s in samples)


def test_continues_from_its_state() -> None:
    whole = ForetellStrategy(seed=3, n_startup=4)
    expected = [m.sample for m in explore(whole, 10).list_models()]
    first, second = ForetellStrategy(seed=3, n_startup=4), ForetellStrategy(n_startup=4)
    samples = [m.sample for m in explore(first, 6).list_models()]
    space = SimplifiedModelSpace.from_model(Space(), FunctionalEvaluator(judge, lr=nni.loguniform("lr", 1e-4, 1.0)))
    engine = SequentialExecutionEngine(max_model_count=4)
    second.initialize(space, engine)
    second.load_state_dict(first.state_dict())
    second.run()
    assert samples + [m.sample for m in engine.list_models()] == expected


@pytest.mark.parametrize("args", [{"n_startup": -1}, {"seed": -1}])
def test_wrong_settings_are_answered_with_a_sentence(args: dict[str, int]) -> None:
    with pytest.raises(InvalidDataError, match="raise them"):
        ForetellStrategy(**args)


@pytest.mark.parametrize("sequential", [True, False])
def test_what_ran_when_the_state_was_saved_is_trained_again_once(sequential: bool) -> None:
    first = ForetellStrategy(seed=0, n_startup=3)
    explore(first, 4)
    state = first.state_dict()
    lost = state["results"].pop()["sample"]
    state["running"] = [lost]
    second = ForetellStrategy()
    engine = SequentialExecutionEngine(max_model_count=6)
    space = SimplifiedModelSpace.from_model(Space(), FunctionalEvaluator(judge, lr=nni.loguniform("lr", 1e-4, 1.0)))
    second.initialize(space, engine)
    second.load_state_dict(state)
    assert second.state_dict() == state
    if not sequential:  # a training service trains it again by itself, as a model that it made anew
        model = second.model_space.freeze(lost)
        model.metrics.final = 0.5
        for _ in range(2):
            engine.dispatch_model_event(TrainingEndEvent(model, ModelStatus.Trained))
        assert second.state_dict()["running"] == []
        assert [r["sample"] for r in second.state_dict()["results"]].count(lost) == 1
    else:
        second.run()
        samples = [m.sample for m in engine.list_models()]
        assert samples[0] == lost
        found = [r["sample"] for r in second.state_dict()["results"]]
        assert len({sample_key(s) for s in found}) == len(found) == 3 + 6
