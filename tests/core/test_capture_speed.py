"""The capture benchmark: its report by hand, and its measurements on a network of two layers."""

from __future__ import annotations

import re

import pytest
import torch

from foretell.benchmarks import capture_speed
from foretell.benchmarks.capture_speed import CaptureSpeed
from foretell.benchmarks.coverage_example import Example
from foretell.benchmarks.runner import Cell, Measurement

ALWAYS = {"time", "time torch.export", "ratio to torch.export"}
OF_FX = {"time torch.fx", "ratio to torch.fx"}


def row(model: str, metric: str, value: float, seed: int = 0) -> Measurement:
    return Measurement("capture", "foretell", "timm", model, None, seed, metric, value, "ms", "0")


def cut(lines: list[str]) -> list[list[str]]:
    """Cells of a table whose first column is 28 wide and all others 24."""
    return [[line[:28].strip(), *(line[k : k + 24].strip() for k in range(28, len(line), 24))] for line in lines]


def test_a_line_a_model_and_medians_below() -> None:
    rows = [
        row("a", "time", 1.0), row("a", "time", 3.0, 1), row("a", "time", 8.0, 2), row("a", "ratio to torch.fx", 0.5),
        row("swin_tiny_patch4_window7_224", "time", 10.0), row("c", "time", 20.0), row("c", "ratio to torch.fx", 0.25),
    ]  # fmt: skip
    lines = CaptureSpeed().report(rows)
    assert cut(lines) == [
        ["model", "time", "ratio to torch.fx"],
        ["a", "3.000", "0.500"],
        ["swin_tiny_patch4_window7_224", "10.000", "-"],
        ["c", "20.000", "0.250"],
        ["median of 3", "10.000", "0.375"],
    ]
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(("quick", "models"), [(True, 5), (False, 30)])
def test_every_model_in_every_repetition(quick: bool, models: int) -> None:
    cells = CaptureSpeed().cells(["foretell"], 2, quick=quick)
    assert len(set(cells)) == len(cells) == 2 * models
    assert {(c.method, c.family, c.n) for c in cells} == {("foretell", "timm", None)}
    assert {c.task for c in cells if c.seed == 0} == {c.task for c in cells if c.seed == 1}


def test_the_models_are_those_of_the_library() -> None:
    timm = pytest.importorskip("timm", reason="needs timm: pip install timm")
    asked = {c.task for c in CaptureSpeed().cells(["foretell"], 1, quick=False)}
    assert asked <= set(timm.list_models())


class Plain(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(4, 5, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(x)))


class Counting(Plain):
    """What symbolic tracing cannot follow: the batch is counted with `len`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * len(x)


@pytest.mark.parametrize(("network", "metrics"), [(Plain, ALWAYS | OF_FX), (Counting, ALWAYS)])
def test_ratios_are_of_the_times_and_threads_are_given_back(
    monkeypatch: pytest.MonkeyPatch, network: type[torch.nn.Module], metrics: set[str]
) -> None:
    built = []

    def build(name: str) -> Example:
        built.append(name)
        with torch.device("meta"):
            return Example(network().eval(), (torch.zeros(1, 3, 8, 8),))

    monkeypatch.setattr(capture_speed, "build", build)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = CaptureSpeed().measure(Cell("foretell", "timm", "resnet18"))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert built == ["resnet18"]
    assert set(found) == metrics
    assert all(value > 0 for value, _ in found.values())
    for metric, (value, unit) in found.items():
        if other := re.fullmatch("ratio to (.*)", metric):
            assert value == pytest.approx(found["time"][0] / found[f"time {other[1]}"][0])
        assert unit == ("" if other else "ms")
