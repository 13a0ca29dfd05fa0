"""Capture by recording: run the module once on meta tensors and note every PyTorch call.

The first route. It takes whatever Python does, since the forward pass really runs, and needs no symbolic
tracing; it refuses only what asks for a number (`if x.sum() > 0`), because meta tensors have none.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from foretell.capture.meta_copy import to_meta
from foretell.capture.tape import Tape, flat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from foretell.graph import ComputationGraph

_ATTENTION = inspect.signature(F.multi_head_attention_forward)


class _Recorder(TorchFunctionMode):
    """Passes every call on, then notes it on the tape."""

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape = tape

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        del types
        kwargs = kwargs or {}
        if func is F.multi_head_attention_forward:
            result = func(*args, **kwargs)
            call = _ATTENTION.bind(*args, **kwargs)
            call.apply_defaults()
            self._tape.attention(call.arguments, result)
            return result
        result = func(*args, **kwargs)
        name = getattr(func, "__name__", type(func).__name__)
        if name == "__get__":  # a property such as `x.T`
            name = getattr(getattr(func, "__self__", None), "__name__", name)
        self._tape.call(name, args, kwargs, result)
        return result


def record(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], where: str) -> ComputationGraph:
    """Run a meta copy of a module once and return its graph.

    Args:
        module: A module on the meta device, see `meta_copy`.
        args: Positional example inputs, on any device.
        kwargs: Keyword example inputs.
        where: The module's name for messages.

    Raises:
        CaptureError: If no output depends on the input.
        Exception: Whatever the module's forward pass raises.
    """
    args, kwargs = to_meta_inputs(args), {k: to_meta_inputs([v])[0] for k, v in kwargs.items()}
    inputs = list(flat((args, kwargs)))
    learnt = {id(p): (name, p.numel() if p.requires_grad else 0) for name, p in module.named_parameters()}
    tape = Tape(learnt, batch=int(inputs[0].shape[0]) if inputs and inputs[0].dim() else 1)
    tape.enter(inputs)
    with torch.no_grad(), torch.device("meta"), _Recorder(tape):
        outputs = module(*args, **kwargs)
    return tape.graph(outputs, where)


def to_meta_inputs(value: Any) -> Any:
    """Move all tensors inside nested lists, tuples and dicts to the meta device."""
    if isinstance(value, torch.Tensor):
        return to_meta(value)
    if isinstance(value, dict):
        return {k: to_meta_inputs(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        moved = [to_meta_inputs(v) for v in value]
        return moved if isinstance(value, list) else tuple(moved)
    return value
