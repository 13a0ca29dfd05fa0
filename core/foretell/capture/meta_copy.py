"""A structural copy of a module whose tensors live on the meta device: shapes without numbers."""

from __future__ import annotations

import copy
from collections import OrderedDict
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedTensorMixin  # type: ignore[attr-defined]

from foretell.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ATOMS = frozenset({int, float, bool, str, NoneType, torch.dtype, torch.device})
_OWN_WAYS = ("__deepcopy__", "__copy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__new__")


def to_meta(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of the same shape, type and strides on the meta device; a parameter stays a parameter."""
    twin = torch.empty_like(tensor, device="meta")
    return nn.Parameter(twin, requires_grad=tensor.requires_grad) if isinstance(tensor, nn.Parameter) else twin


def meta_copy(module: nn.Module) -> nn.Module:
    """Copy a module without its numbers, in evaluation mode.

    The original is neither moved, nor switched between modes, nor run, and no memory is taken for weights.

    Args:
        module: Any module that `copy.deepcopy` can copy once its tensors are set aside.

    Returns:
        A copy on the meta device in evaluation mode; weights shared in the original are shared in the copy.

    Raises:
        CaptureError: If a parameter is not initialised yet (lazy modules), or the module refuses to be
            copied.
    """
    memo: dict[int, object] = {}
    for name, tensor in _tensors(module):
        if isinstance(tensor, UninitializedTensorMixin):
            msg = f"every parameter needs a shape, but `{name}` is lazy: run the module once before capturing it"
            raise CaptureError(msg)
        if id(tensor) not in memo:
            memo[id(tensor)] = to_meta(tensor)
    try:
        twin: nn.Module = _copied(module, memo)
    except (TypeError, RuntimeError, AttributeError, copy.Error) as e:
        msg = (
            f"a module must be copyable, but copying {type(module).__name__} failed ({e}): remove what cannot be copied"
        )
        raise CaptureError(msg) from e
    return twin.eval()


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """What `copy.deepcopy` gives, without its detours for modules; these took half the time of a capture."""
    kind: Any = type(value)
    if kind in _ATOMS:
        return value
    if id(value) in memo:
        return memo[id(value)]
    if kind in {dict, OrderedDict}:
        made = memo[id(value)] = kind()
        made.update((_copied(k, memo), _copied(v, memo)) for k, v in value.items())
        return made
    if not isinstance(value, nn.Module) or _copies_itself(kind):
        return copy.deepcopy(value, memo)
    twin = memo[id(value)] = kind.__new__(kind)
    twin.__dict__.update((k, _copied(v, memo)) for k, v in vars(value).items() if k != "_compiled_call_impl")
    return twin


@cache
def _copies_itself(kind: type) -> bool:
    """Whether a class of modules says how it is copied; what PyTorch says for all of them is followed here."""
    owners = (next((c for c in kind.__mro__ if way in vars(c)), object) for way in _OWN_WAYS)
    return any(c is not object and not c.__module__.startswith("torch.nn.") for c in owners)


def _tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters, buffers, and tensors kept as plain attributes or inside a list, tuple or dict attribute."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)
    for prefix, sub in module.named_modules():
        for key, value in vars(sub).items():
            if key.startswith("_") and key in {"_parameters", "_buffers", "_modules"}:
                continue
            inside = value.values() if isinstance(value, dict) else value
            inside = inside if isinstance(value, dict | list | tuple) else (value,)
            yield from ((f"{prefix}.{key}", v) for v in inside if isinstance(v, torch.Tensor))
