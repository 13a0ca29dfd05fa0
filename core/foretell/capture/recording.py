"""Capture by recording: run the module once on meta tensors and note every PyTorch call.

The first route. It takes whatever Python does, since the forward pass really runs, and needs no symbolic
tracing; it refuses only what asks for a number (`if x.sum() > 0`), because meta tensors have none.
"""

from __future__ import annotations

import types
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

from foretell.capture import translation
from foretell.capture.meta_copy import to_meta
from foretell.capture.shortcuts import shortcut
from foretell.capture.tape import Tape, flat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from foretell.graph import ComputationGraph


class _Recorder(TorchFunctionMode):
    """Passes every call on, then notes it on the tape."""

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape = tape

    def __torch_function__(
        self, func: Callable[..., Any], kinds: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        del kinds
        kwargs = kwargs or {}
        name = getattr(func, "__name__", type(func).__name__)
        if name == "__get__":  # a property such as `x.T`
            name = getattr(getattr(func, "__self__", None), "__name__", name)
        inside = None if translation.known(name) else _opened(func)
        if inside is not None:
            with self:
                return inside(*args, **kwargs)
        result = shortcut(name, args, kwargs)
        if result is None:
            result = func(*args, **kwargs)
        self._tape.call(name, args, kwargs, result)
        return result


@lru_cache(maxsize=256)
def _opened(func: Callable[..., Any]) -> Callable[..., Any] | None:
    """A function of `torch.nn.functional` written in Python, such as `multi_head_attention_forward`, made transparent.

    The original hands itself to the recorder as one call and hides what it does; this twin does not, so that what it
    calls is recorded, as `torch.export` sees it. None for anything else.
    """
    if not isinstance(func, types.FunctionType) or func.__module__ != "torch.nn.functional":
        return None
    blind = {name: _never for name in func.__globals__ if name.startswith("has_torch_function")}
    twin = types.FunctionType(
        func.__code__, {**func.__globals__, **blind}, func.__name__, func.__defaults__, func.__closure__
    )
    twin.__kwdefaults__ = func.__kwdefaults__
    return twin


def _never(*_: object) -> bool:
    return False


def record(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], where: str) -> ComputationGraph:
    """Run a meta copy of a module once and return its graph.

    Args:
        module: A module on the meta device, see `meta_copy`; its parameters are frozen.
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
    module.requires_grad_(requires_grad=False)  # else what an identity of `torch.autograd.Function` makes goes unseen
    tape = Tape(learnt, batch=int(inputs[0].shape[0]) if inputs and inputs[0].dim() else 1)
    tape.enter(inputs)
    with torch.no_grad(), torch.device("meta"), _Recorder(tape):
        outputs = module(*args, **kwargs)
    return tape.graph(outputs, where)


def to_meta_inputs(value: Any) -> Any:
    """Move all tensors inside nested lists, tuples and dicts to the meta device."""
    return _mapped(value, to_meta)


def rebatched(value: Any, size: int) -> Any:
    """Example inputs in which every tensor as long as the first one's batch gets another batch size.

    >>> x, mask = rebatched((torch.zeros(8, 3), torch.zeros(5)), 2)
    >>> x.shape, mask.shape
    (torch.Size([2, 3]), torch.Size([5]))
    """
    first = next(flat(value), None)
    old = int(first.shape[0]) if first is not None and first.dim() else size

    def resized(tensor: torch.Tensor) -> torch.Tensor:
        same = tensor.dim() and tensor.shape[0] == old
        return tensor.new_empty((size, *tensor.shape[1:]), device="meta") if same else tensor

    return _mapped(value, resized) if old else value


def _mapped(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Nested lists, tuples and dicts with every tensor changed and all else as it was."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):
        return {k: _mapped(v, change) for k, v in value.items()}
    if isinstance(value, list | tuple):
        changed = [_mapped(v, change) for v in value]
        return changed if isinstance(value, list) else tuple(changed)
    return value
