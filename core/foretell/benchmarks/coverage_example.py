"""One network held against PyTorch's own counts: is it captured, are its parameters and its FLOPs right?"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from foretell.capture.module import capture_module
from foretell.capture.silence import silence
from foretell.errors import CaptureError, CaptureWarning, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAILED = "failed: "
"""Begins the name of the metric that holds why a network was not captured."""


@dataclass(frozen=True, slots=True)
class Example:
    """A module in evaluation mode with inputs for one example.

    Attributes:
        module: The network.
        args: Positional inputs.
        kwargs: Keyword inputs.
    """

    module: torch.nn.Module
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def measure_example(build: Callable[[str], Example]) -> dict[str, tuple[float, str]]:
    """Capture a network and compare; a network that cannot be built counts as not captured.

    Args:
        build: Makes the network on the device of the given name: `meta`, and `cpu` where its forward pass asks for a
            number and PyTorch can count only with real ones.

    Returns:
        `captured`, `params_equal` and `flops_equal` are 0 or 1; `params_ratio` and `flops_ratio` are ours over
        PyTorch's (no ratio where PyTorch cannot count); `unknown` and `nodes` are counts; `time` is of the capture.
        What failed is the name of one more metric.

    Raises:
        MissingDependencyError: If the network's library is not installed.
    """
    found: dict[str, tuple[float, str]] = {"captured": (0.0, "0/1"), "params_equal": (0.0, "0/1"),
                                           "flops_equal": (0.0, "0/1")}  # fmt: skip
    try:
        example = build("meta")
    except MissingDependencyError:
        raise
    except Exception as e:  # noqa: BLE001 - a library's model may raise anything; it is reported
        return {**found, _reason("build", e): (1.0, "count")}
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CaptureWarning)
            graph = capture_module(example.module, *example.args, **example.kwargs)
    except CaptureError as e:
        return {**found, _reason("capture", e): (1.0, "count")}
    found["time"] = (1e3 * (time.perf_counter() - start), "ms")
    found["captured"] = (1.0, "0/1")
    params = sum(p.numel() for p in example.module.parameters() if p.requires_grad)
    found["params_equal"] = (float(graph.params == params), "0/1")
    found["params_ratio"] = (graph.params / max(params, 1), "ratio")
    found["unknown"] = (float(graph.op_counts().get("Unknown", 0)), "count")
    found["nodes"] = (float(len(graph)), "count")
    try:
        flops = _counted_flops(build)
    except Exception as e:  # noqa: BLE001 - as above
        return {**found, _reason("FLOPs by PyTorch", e): (1.0, "count")}
    found["flops_equal"] = (float(graph.flops == flops), "0/1")
    found["flops_ratio"] = (graph.flops / flops if flops else float(graph.flops == 0), "ratio")
    return found


def _counted_flops(build: Callable[[str], Example]) -> int:
    """FLOPs of one example by `torch.utils.flop_counter`."""
    try:
        return _counted_on("meta", build("meta"))
    except (RuntimeError, NotImplementedError):
        # The CPU's fused attention and recurrence are not in the counter's table; their plain forms are.
        with sdpa_kernel(SDPBackend.MATH), torch.backends.mkldnn.flags(enabled=False):
            return _counted_on("cpu", build("cpu"))


def _counted_on(device: str, example: Example) -> int:
    # Without gradients by the parameters' mark: under `no_grad` the counter's own hooks fail on frozen inputs.
    example.module.requires_grad_(requires_grad=False)
    with silence(), torch.device(device), FlopCounterMode(display=False) as counter:
        example.module(*example.args, **example.kwargs)
    return int(counter.get_total_flops())


def _reason(step: str, error: Exception) -> str:
    line = (str(error).strip().splitlines() or ["no message"])[0][:240]
    return f"{FAILED}{step}: {type(error).__name__}: {line}"
