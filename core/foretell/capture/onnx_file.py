"""Capture of an ONNX file: its operators as PyTorch calls on tensors without numbers, on the tape of every capture.

Weights are never loaded, external data is never opened, and a damaged or hostile file costs bounded memory. What an
exporter did to the network stays done: a batch normalisation folded into a convolution, or an attention written as
products and a softmax, is what the graph shows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from foretell.capture.onnx_calls import RUNNING, VALUES, OnnxCall, as_torch
from foretell.capture.onnx_wire import skeleton
from foretell.capture.tape import Tape
from foretell.errors import CaptureError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import onnx

    from foretell.graph import ComputationGraph

MOST_NODES = 100_000
MOST_UNKNOWN = 0.25
"""Share of `Unknown` among a graph's operators from which it says too little of the network."""
_LARGEST_TENSOR = 2**45
_FLOATS = frozenset({1, 10, 11, 16, 17, 18, 19, 20})  # float, float16, double, bfloat16, the four float8
_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError)


def read_onnx(source: str | Path | bytes, shapes: Mapping[str, Sequence[int]] | None = None) -> ComputationGraph:
    """Turn an ONNX model into a computation graph.

    Initializers of floating point numbers count as trainable parameters, except scalars, running statistics and
    states: a file does not say more.

    Args:
        source: Path of an ONNX file, or its bytes.
        shapes: Shapes of inputs, by name, where the file has symbols; a symbolic batch dimension is 1 by itself.

    Returns:
        The graph; FLOPs are for one example.

    Raises:
        CaptureError: If the file is damaged or too large, a shape cannot be inferred, or too many operators are
            outside the vocabulary.
        InvalidArchitectureError: If the operators do not form a network.
        MissingDependencyError: If `onnx` is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as e:
        msg = "reading ONNX files needs the package onnx: pip install 'foretell[onnx]'"
        raise MissingDependencyError(msg) from e
    where = "<bytes>" if isinstance(source, bytes) else str(source)
    content = skeleton(source)
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as e:
        msg = f"an ONNX model must be readable by the package onnx, but {where} is not ({e}): export it again"
        raise CaptureError(msg) from e
    model = _inferred(_flat_functions(model, where), dict(shapes or {}), where)
    graph = _Reader(model.graph, where).read()
    unknown = graph.op_counts().get("Unknown", 0)
    if unknown > MOST_UNKNOWN * len(graph):
        msg = (
            f"at most {MOST_UNKNOWN:.0%} of a network's operators may be outside the vocabulary, but {unknown} of "
            f"{len(graph)} are in {where}: add them with register_operation, or export with standard operators"
        )
        raise CaptureError(msg)
    return graph


def _flat_functions(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """Write the bodies of the model's own functions where they are called, unless that would never end."""
    import onnx.inliner

    size = {(f.domain, f.name): -1 for f in model.functions}
    body = {(f.domain, f.name): f.node for f in model.functions}

    def count(nodes: Any, path: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in path or len(path) > 64:
                msg = f"functions of an ONNX model must not call themselves, but {key[1]!r} does in {where}: inline it"
                raise CaptureError(msg)
            if size.get(key, 1) < 0:
                size[key] = count(body[key], (*path, key))
            total += size.get(key, 1)
        return total

    total = count(model.graph.node, ())
    if total > MOST_NODES:
        msg = f"an ONNX model may have {MOST_NODES} operators, but {where} has {total}: read a part of it"
        raise CaptureError(msg)
    if not model.functions:
        return model
    try:
        return onnx.inliner.inline_local_functions(model)
    except _MALFORMED as e:
        raise _damaged(where, "its functions", e) from e


def _inferred(model: onnx.ModelProto, shapes: dict[str, Sequence[int]], where: str) -> onnx.ModelProto:
    """The model with the shapes of all values, those of the inputs as given."""
    import onnx

    graph = model.graph
    constants = {i.name for i in graph.initializer}
    for value in graph.input:
        if value.name in constants:
            continue
        dims = value.type.tensor_type.shape.dim
        given = shapes.pop(value.name, None)
        if given is not None:
            fixed = [d.dim_value for d in dims]
            if len(given) != len(dims) or any(f not in (0, g) for f, g in zip(fixed, given, strict=True)):
                msg = f"input {value.name!r} of {where} has the shape {fixed} (0 = free), but got {tuple(given)}: match it"
                raise CaptureError(msg)
            for dim, size in zip(dims, given, strict=True):
                dim.dim_value = int(size)
        elif len(dims) and not dims[0].dim_value:
            dims[0].dim_value = 1
        free = [i for i, d in enumerate(dims) if d.dim_value < 1]
        if free:
            msg = (
                f"every dimension of an input needs a size, but {value.name!r} of {where} leaves {free} open: pass "
                f"shapes={{{value.name!r}: (1, ...)}}"
            )
            raise CaptureError(msg)
    if shapes:
        msg = f"shapes must name inputs of the model, but {sorted(shapes)} are none of {where}: correct the names"
        raise CaptureError(msg)
    stated = [v for v in graph.value_info if all(d.dim_value > 0 for d in v.type.tensor_type.shape.dim)]
    del graph.value_info[:]
    graph.value_info.extend(stated)
    for value in graph.output:
        if any(d.dim_value < 1 for d in value.type.tensor_type.shape.dim):
            value.type.tensor_type.ClearField("shape")
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except (onnx.shape_inference.InferenceError, onnx.checker.ValidationError, *_MALFORMED) as e:
        raise _damaged(where, "its shapes", e) from e


class _Reader:
    """Walks the operators of one graph and puts them on a tape."""

    def __init__(self, graph: onnx.GraphProto, where: str) -> None:
        self._graph = graph
        self._where = where
        self._tensors: dict[str, torch.Tensor] = {}
        self._known: dict[str, np.ndarray] = {}
        self._learnt: set[str] = set()  # values made of trainable numbers alone
        self._active: set[str] = set()
        described = (*graph.value_info, *graph.output)
        self._shapes = {v.name: _shape(v.type) for v in described if v.type.HasField("tensor_type")}

    def read(self) -> ComputationGraph:
        graph = self._graph
        still = {n.input[i] for n in graph.node for i in RUNNING.get(n.op_type, ()) if i < len(n.input)}
        parameters: dict[int, tuple[str, int]] = {}
        for item in graph.initializer:
            tensor = self._tensors[item.name] = self._empty(tuple(item.dims), item.name)
            self._remember(item.name, item)
            floats = item.data_type in _FLOATS or item.data_type in {2, 3}  # quantised weights are bytes
            if floats and tensor.dim() and item.name not in still:
                parameters[id(tensor)] = (item.name, tensor.numel())
                self._learnt.add(item.name)
        entered = []
        for value in graph.input:
            if value.name not in self._tensors:
                entered.append(self._empty(_shape(value.type) or (), value.name))
                self._tensors[value.name] = entered[-1]
                self._active.add(value.name)
        tape = Tape(parameters, batch=int(entered[0].shape[0]) if entered and entered[0].dim() else 1)
        tape.enter(entered)
        users: dict[str, int] = {}
        for name in (*(i for n in graph.node for i in n.input), *(o.name for o in graph.output)):
            users[name] = users.get(name, 0) + 1
        nodes = list(graph.node)
        skip: set[int] = set()
        makers = {name: i for i, n in enumerate(nodes) for name in n.output}
        folded = self._foldable(nodes, makers, users)
        for i, node in enumerate(nodes):
            try:
                self._node(tape, node, folded.get(i), skip, i)
            except _MALFORMED as e:
                if isinstance(e, CaptureError):
                    raise
                raise _damaged(self._where, f"{node.op_type} {node.name!r}", e) from e
        try:
            return tape.graph([self._tensors[o.name] for o in graph.output if o.name in self._active], self._where)
        except (OverflowError, LookupError) as e:
            raise _damaged(self._where, "its sizes", e) from e
