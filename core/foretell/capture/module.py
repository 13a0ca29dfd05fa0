"""Capture of a PyTorch module: the routes in their order, and what is said when none works."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from foretell.capture.capture_count import count_capture
from foretell.capture.exported import export
from foretell.capture.meta_copy import meta_copy
from foretell.capture.recording import rebatched, record
from foretell.capture.sums import merge_sums
from foretell.errors import CaptureError

if TYPE_CHECKING:
    from foretell.graph import ComputationGraph

_NOT_THE_USERS = tuple(f"{Path(f).parent}{os.sep}" for f in (torch.__file__, __file__))  # torchvision is not torch
_BATCH = 2  # the one size at which shapes are read: an example's own must not show, and 1 vanishes in `squeeze`


def capture_module(module: torch.nn.Module, *example_inputs: object, **example_kwargs: object) -> ComputationGraph:
    """Turn a module into a computation graph, without allocating, changing or running the module itself.

    A copy without numbers runs once on the meta device while its calls are recorded; where that fails, it
    is exported with `torch.export`. The example's batch is brought to one size first, so that it does not matter.

    Args:
        module: The network; its device, mode and parameters stay as they are.
        *example_inputs: Inputs as its `forward` takes them, with a batch dimension; only shapes matter.
        **example_kwargs: Keyword inputs likewise.

    Returns:
        The graph of the inference-mode forward pass; FLOPs are for one example, sums of sums are one node.

    Raises:
        CaptureError: If both routes fail; the message names the submodule and the line of its source.

    >>> import torch
    >>> capture_module(torch.nn.Linear(4, 2), torch.zeros(1, 4))
    ComputationGraph(nodes=3, edges=2, depth=2, params=10, flops=16, ops={Input: 1, MatMul: 1, Output: 1})
    """
    return merge_sums(capture_as_written(module, *example_inputs, **example_kwargs))


def capture_as_written(module: torch.nn.Module, *example_inputs: object, **example_kwargs: object) -> ComputationGraph:
    """What `capture_module` captures, with every sum of two where the forward pass has it."""
    if not isinstance(module, torch.nn.Module):
        msg = f"capture needs a torch.nn.Module, but got {type(module).__name__}: build the module first"
        raise CaptureError(msg)
    if not example_inputs and not example_kwargs:
        msg = f"capture needs example inputs for {type(module).__name__}.forward: pass e.g. torch.zeros(1, 3, 32, 32)"
        raise CaptureError(msg)
    count_capture()
    where = type(module).__name__
    own = (example_inputs, example_kwargs)
    same = rebatched(own, _BATCH)
    failures: list[Exception] = []
    for route, (args, kwargs) in ((record, same), (record, own), (export, same)):
        try:
            return route(meta_copy(module), args, kwargs, where)
        except CaptureError:
            raise
        except Exception as e:  # noqa: BLE001 - a user's forward pass may raise anything; it is reported below
            failures.append(e)
    _, first, last = failures
    place = _place(first) or _place(last) or where
    msg = (
        f"a forward pass must run on tensors without numbers, but {place} raised {type(first).__name__}: "
        f"{_first_line(first)}; torch.export failed too ({type(last).__name__}): check the example's shape, and "
        "take numbers out of control flow"
    )
    raise CaptureError(msg) from first


def _place(error: BaseException) -> str:
    """The innermost frame of the user's code, as `Class.function (file.py:12)`."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        first = (*frame.f_code.co_varnames, "self")[0]
        owner, file = frame.f_locals.get(first), frame.f_code.co_filename
        if isinstance(owner, torch.nn.Module) and not file.startswith(_NOT_THE_USERS):
            return f"{type(owner).__name__}.{frame.f_code.co_name} ({Path(file).name}:{line})"
    return ""


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0][:200]
