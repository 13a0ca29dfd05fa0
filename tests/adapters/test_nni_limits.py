"""Limits on what a network may cost, warm starts, and the hub's spaces, on NNI's own engine."""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING, Any

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
    from nni.nas.hub import pytorch as hub
    from nni.nas.nn.pytorch import LayerChoice, ModelSpace, MutableLinear
    from nni.nas.profiler.pytorch.flops import FlopsProfiler
    from nni.nas.space import RawFormatModelSpace, SimplifiedModelSpace

from foretell.limit import Limit
from foretell_adapters.nni import ForetellStrategy
from foretell_adapters.nni.earlier_models import earlier_models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Space(ModelSpace):
    """Width and activation of one hidden layer; 7 parameters for each unit, and 2."""

    def __init__(self) -> None:
        super().__init__()
        width = nni.choice("width", list(range(1, 33)))
        self.hidden = MutableLinear(4, width)
        self.act = LayerChoice({"relu": nn.ReLU(), "none": nn.Identity()}, label="act")
        self.out = MutableLinear(width, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.act(self.hidden(x)))


def judge(model: nn.Module, lr: float) -> None:
    """Wider is better, so that a limit bites."""
    nni.report_final_result({"default": model.hidden.out_features - abs(math.log10(lr) + 2), "other": 1})


def explore(strategy: ForetellStrategy, n: int) -> list[dict[str, Any]]:
    space = SimplifiedModelSpace.from_model(Space(), FunctionalEvaluator(judge, lr=nni.loguniform("lr", 1e-4, 1.0)))
    engine = SequentialExecutionEngine(max_model_count=n)
    strategy(space, engine)
    return [dict(m.sample) for m in engine.list_models()]


@pytest.mark.parametrize(
    "limits",
    [
        {"params": 72},
        [Limit("params", 100), Limit("flops", 131)],
        [Limit(lambda sample: 0.1 * sample["width"], at_most=1.0)],
    ],
)
def test_none_beyond_the_limits_is_tried_and_good_ones_within_are_found(limits: Any) -> None:
    samples = explore(ForetellStrategy(example_inputs=torch.zeros(1, 4), seed=0, n_startup=4, limits=limits), 12)
    assert 8 <= max(s["width"] for s in samples) <= 10
    assert len(samples) == 12


def test_a_profiler_of_nni_is_a_measure() -> None:
    profiler = FlopsProfiler(Space(), torch.zeros(1, 4))
    limit = Limit(profiler, at_most=profiler.profile({"width": 8, "act": "relu"}))
    samples = explore(ForetellStrategy(seed=0, n_startup=4, limits=[limit]), 6)
    assert max(map(profiler.profile, samples)) <= limit.at_most


def test_a_function_gives_the_network_without_building_the_model() -> None:
    asked: list[dict[str, Any]] = []

    def graph(sample: dict[str, Any]) -> Any:
        asked.append(sample)
        return nn.Sequential(nn.Linear(4, sample["width"]), nn.ReLU(), nn.Linear(sample["width"], 2)), torch.zeros(1, 4)

    strategy = ForetellStrategy(graph=graph, seed=0, n_startup=3, limits={"params": 72})
    samples = explore(strategy, 5)
    assert max(s["width"] for s in samples) <= 10
    assert len(asked) == len({(s["width"], s["act"]) for s in asked}), "each network once"
    assert "sees network" in repr(strategy)


def test_limits_that_nothing_keeps_end_the_search(caplog: pytest.LogCaptureFixture) -> None:
    assert explore(ForetellStrategy(example_inputs=torch.zeros(1, 4), seed=0, limits={"params": 1}), 3) == []
    assert "No new valid model was found" in caplog.text


def test_the_best_earlier_models_come_first(tmp_path: Path) -> None:
    first = ForetellStrategy(seed=0, n_startup=9)
    explore(first, 8)
    records = [{"sample": r["sample"], "metric": r["value"]} for r in first.state_dict()["results"]]
    wanted = [r["sample"] for r in sorted(records, key=lambda r: -r["metric"])][:3]
    foreign = {"sample": {"depth": 3}, "metric": 1e9}
    file, checkpoint = tmp_path / "models.json", tmp_path / "checkpoint" / "state.ckpt.torch"
    file.write_text(json.dumps([foreign, *records]))
    checkpoint.parent.mkdir()
    torch.save({"version": 1, "strategy": first.state_dict()}, checkpoint)
    for source in (first, first.state_dict(), records, [foreign, *records], file, str(file), tmp_path, checkpoint):
        if source == tmp_path:
            file.unlink()
        strategy = ForetellStrategy(seed=1, n_startup=6, warm_start=source)
        assert explore(strategy, 4)[:3] == wanted
        assert len(strategy.state_dict()["results"]) == 4, "their metrics are not mixed with these"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: Limit("flop", 1),
            r"one of flops, params, memory, a function .*'flop': write e.g. Limit\('flops', 3e8\)",
        ),
        (lambda: Limit(3, 1), "a function from a sample or a profiler, but got 3"),
        (lambda: Limit("flops", 0), "must be a number above 0, but flops got 0: write"),
        (lambda: Limit("params", "many"), "must be a number above 0, but params got 'many'"),
        (lambda: Limit(lambda sample: "slow", 1).excess({}, None), "measure must give a number, but .* gave 'slow'"),
        (lambda: ForetellStrategy(limits=[3]), r"limits must be a mapping or a list of Limit, but got \[3\]: write"),
        (lambda: ForetellStrategy(limits={"flops": 3}), "need the network: pass example_inputs"),
        (
            lambda: ForetellStrategy(graph="my:graph"),
            "must be a function from a sample .* 'my:graph': pass the function",
        ),
        (lambda: ForetellStrategy(warm_start="absent"), "must be its folder, .* absent is none: look below"),
        (lambda: ForetellStrategy(warm_start=3), "records of `sample` and `metric`, or a checkpoint .* got 3: write"),
        (lambda: earlier_models([{"sample": {}}]), "an earlier experiment must be records"),
        (lambda: earlier_models([3]), "an earlier experiment must be records"),
    ],
)
def test_wrong_settings_are_answered_with_a_sentence(make: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(InvalidDataError, match=sentence):
        make()


def test_a_file_that_holds_no_models_is_answered_with_a_sentence(tmp_path: Path) -> None:
    for name in ("a.json", "a.ckpt"):
        (tmp_path / name).write_text("nothing of the kind")
        with pytest.raises(InvalidDataError, match="an earlier experiment must be records"):
            earlier_models(tmp_path / name)


SMALL: dict[str, tuple[dict[str, Any], int]] = {
    "NasBench101": ({"stem_out_channels": 8, "num_stacks": 2, "num_modules_per_stack": 1}, 32),
    "ProxylessNAS": ({"base_widths": [8, 8, 8, 16, 16, 24, 24, 32, 64]}, 32),
    "AutoFormer": (
        {"search_embed_dim": [48, 96], "search_depth": [1, 2], "search_num_heads": [1, 2], "img_size": 32},
        32,
    ),
}
"""Those of the hub that no experiment of the tests searches; the others are in `tests/experiments/nni_hub.py`."""


@pytest.mark.parametrize(
    ("name", "format_"),
    list(zip(SMALL, (SimplifiedModelSpace, RawFormatModelSpace, SimplifiedModelSpace), strict=True)),
)
@pytest.mark.filterwarnings("ignore")  # nni.nas meets torch newer than it knows
def test_spaces_of_the_hub(name: str, format_: Any) -> None:
    def count(model: nn.Module, lr: float) -> None:
        del lr
        nni.report_final_result(float(sum(p.numel() for p in model.parameters())))

    settings, side = SMALL[name]
    whole = getattr(hub, name)(**settings)
    space = format_.from_model(whole, FunctionalEvaluator(count, lr=nni.loguniform("lr", 1e-3, 1e-1)))
    inputs = torch.zeros(1, 3, side, side)
    strategy = ForetellStrategy(example_inputs=inputs, seed=0, n_startup=4, limits={"params": 1e9})
    engine = SequentialExecutionEngine(max_model_count=2)
    strategy(space, engine)
    models = list(engine.list_models())
    assert len(models) == 2
    for model in models:
        captured = strategy._networks(strategy._space.from_sample(model.sample))
        assert 0 < captured.params <= model.metric
