"""The coverage benchmark: counts against PyTorch's own, and its words about what differs or fails."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from foretell.benchmarks import coverage_transformers
from foretell.benchmarks.coverage import Coverage, coverage_report
from foretell.benchmarks.coverage_example import Example, measure_example
from foretell.benchmarks.runner import Cell, Measurement


@pytest.mark.parametrize("name", ["LSTM bidirectional, 2 layers", "GRUCell", "Transformer", "MultiheadAttention"])
def test_torchs_own_modules_are_captured_with_equal_counts(name: str) -> None:
    found = Coverage().measure(Cell("torch", None, name))
    assert {found[key][0] for key in ("captured", "params_equal", "flops_equal")} == {1.0}
    assert found["unknown"][0] == 0.0


def test_a_model_that_cannot_be_built_or_captured_is_named_with_its_reason() -> None:
    def broken(device: str) -> Example:
        msg = f"no weights on {device}"
        raise OSError(msg)

    class Numbers(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum().item() > 0 else -x

    rows = [
        Measurement("coverage", "mine", None, name, None, 0, metric, value, unit, "0")
        for name, build in (("Broken", broken), ("Numbers", lambda _: Example(Numbers(), (torch.zeros(1, 3),))))
        for metric, (value, unit) in measure_example(build).items()
    ]
    report = coverage_report(rows)
    assert report[1].split()[:3] == ["mine", "2", "0.0%"]
    assert report[2] == "mine Broken: build: OSError: no weights on meta"
    assert report[3].startswith("mine Numbers: capture: CaptureError: a forward pass must run on tensors without")


def test_the_lists_are_as_long_as_claimed() -> None:
    assert len(coverage_transformers.ARCHITECTURES) >= 130
    assert set(coverage_transformers.QUICK) <= set(coverage_transformers.ARCHITECTURES)
    assert len(Coverage().cells(["torch"], 3, quick=False)) == 16
