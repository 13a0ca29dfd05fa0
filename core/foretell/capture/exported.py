"""Capture by export: read the program that `torch.export` makes of a module.

The second route, for modules that the recording refuses; slower by one to two orders of magnitude.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from foretell.capture.recording import to_meta_inputs
from foretell.capture.silence import silence
from foretell.capture.tape import Tape, flat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from foretell.graph import ComputationGraph


def export(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], where: str) -> ComputationGraph:
    """Export a meta copy of a module and return the program's graph; arguments as in `recording.record`.

    Raises:
        CaptureError: If no output depends on the input.
        Exception: Whatever `torch.export.export` raises.
    """
    meta_args = tuple(to_meta_inputs(list(args)))
    meta_kwargs = {k: to_meta_inputs(v) for k, v in kwargs.items()}
    with torch.no_grad(), silence():
        program = torch.export.export(module, meta_args, meta_kwargs, strict=False)
    signature = program.graph_signature
    parameters = dict(module.named_parameters(remove_duplicate=False))
    counted: set[int] = set()  # a shared parameter comes in under each of its names, mostly unused
    values: dict[torch.fx.Node, Any] = {}
    learnt: dict[int, tuple[str, int]] = {}
    inputs: list[torch.Tensor] = []
    for node in program.graph.nodes:
        if node.op != "placeholder":
            continue
        value = values[node] = node.meta.get("val")
        if node.name in signature.inputs_to_parameters:
            name = signature.inputs_to_parameters[node.name]
            parameter = parameters[name]
            new = parameter.requires_grad and id(parameter) not in counted
            learnt[id(value)] = (name, parameter.numel() if new else 0)
            if node.users:
                counted.add(id(parameter))
        elif node.name in signature.user_inputs and isinstance(value, torch.Tensor):
            inputs.append(value)
    tape = Tape(learnt, batch=int(inputs[0].shape[0]) if inputs and inputs[0].dim() else 1)
    tape.enter(inputs)
    outputs: list[Any] = []
    kept = set(signature.user_outputs)
    for node in program.graph.nodes:
        if node.op == "call_function":
            look = (
                torch.fx.map_arg(node.args, values.__getitem__),
                torch.fx.map_arg(node.kwargs, values.__getitem__),
            )
            name = node.target.__name__.split(".")[0]
            if name == "getitem" and not isinstance(look[0][0], torch.Tensor):
                values[node] = look[0][0][look[0][1]]  # one of several, which the tape knows by identity
                continue
            values[node] = node.meta.get("val")
            tape.call(name, *look, values[node])
        elif node.op == "output":
            outputs = [values[n] for n in flat_nodes(node.args) if n.name in kept]
    return tape.graph(list(flat(outputs)), where)


def flat_nodes(value: Any) -> list[torch.fx.Node]:
    """All nodes inside nested tuples and lists."""
    if isinstance(value, torch.fx.Node):
        return [value]
    return [n for item in value for n in flat_nodes(item)] if isinstance(value, list | tuple) else []
