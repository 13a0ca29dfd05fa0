"""What cannot be captured is refused by the user's own class and line, quietly, and leaves nothing behind."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from foretell.capture import capture_module
from foretell.errors import CaptureError


class Inner(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:  # the line that the message names
            return x
        return -x


class Outer(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)


def test_data_dependent_control_flow_is_refused_by_class_and_line(capfd: pytest.CaptureFixture) -> None:
    line = Inner.forward.__code__.co_firstlineno + 1
    with pytest.raises(
        CaptureError, match=rf"but Inner\.forward \(test_capture_refusals\.py:{line}\) raised .*item.* failed too"
    ):
        capture_module(Outer(Inner()), torch.zeros(2, 4))
    assert capfd.readouterr() == ("", "")


def test_a_wrong_example_is_refused_by_class_and_line(
    capfd: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    line = Outer.forward.__code__.co_firstlineno + 1
    with pytest.raises(
        CaptureError, match=rf"Outer\.forward \(test_capture_refusals\.py:{line}\).*check the example's shape"
    ):
        capture_module(Outer(nn.Linear(4, 4)), torch.zeros(2, 5))
    assert capfd.readouterr() == ("", "")
    assert not [r for r in caplog.records if r.levelname in {"WARNING", "ERROR"}]


def test_a_failure_without_code_of_the_users_names_the_module() -> None:
    with pytest.raises(CaptureError, match="but Sequential raised RuntimeError"):
        capture_module(nn.Sequential(nn.Linear(4, 4)), torch.zeros(2, 5))


def test_a_bug_in_forward_travels_along() -> None:
    class Buggy(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.missing

    with pytest.raises(CaptureError, match=r"Buggy\.forward .* AttributeError: .*no attribute 'missing'") as caught:
        capture_module(Buggy(), torch.zeros(1))
    assert isinstance(caught.value.__cause__, AttributeError)


def test_lazy_parameters_are_refused_by_name() -> None:
    module = nn.Sequential(nn.ReLU(), nn.LazyLinear(3))
    with pytest.raises(CaptureError, match=r"`1\.weight` is lazy: run the module once"):
        capture_module(module, torch.zeros(1, 4))
    module(torch.zeros(1, 4))
    assert capture_module(module, torch.zeros(1, 4)).params == 15


def test_what_cannot_be_copied_is_refused() -> None:
    module = nn.Linear(2, 2)
    module.lines = (line for line in "ab")  # type: ignore[assignment]
    with pytest.raises(CaptureError, match="copying Linear failed .*generator.*remove what cannot be copied"):
        capture_module(module, torch.zeros(1, 2))


@pytest.mark.parametrize(
    ("module", "inputs", "message"),
    [
        ("resnet18", (torch.zeros(1),), "needs a torch.nn.Module, but got str: build the module first"),
        (nn.ReLU(), (), re.escape("needs example inputs for ReLU.forward: pass e.g. torch.zeros(")),
    ],
)
def test_other_arguments_are_refused(module: nn.Module, inputs: tuple, message: str) -> None:
    with pytest.raises(CaptureError, match=message):
        capture_module(module, *inputs)


def test_a_result_apart_from_the_input_is_refused() -> None:
    class Constant(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.ones(3)

    with pytest.raises(CaptureError, match="must return a tensor that depends on its input, but Constant did not"):
        capture_module(Constant(), torch.zeros(1, 3))


def test_capture_does_not_leave_torch_changed_after_a_failure() -> None:
    for _ in range(2):
        with pytest.raises(CaptureError):
            capture_module(nn.Linear(4, 4), torch.zeros(2, 5))
    assert torch.zeros(1).device.type == "cpu"
    assert capture_module(nn.Linear(4, 4), torch.zeros(2, 4)).params == 20
