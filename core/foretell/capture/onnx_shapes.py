"""The shapes of all values of an ONNX model, whose own functions are written out first.

The package's inference does most of it. What is here keeps it from running without end, tells it the shapes that the
caller knows, and fills in what it leaves open.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from foretell.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnx

MOST_NODES = 100_000
MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError)
"""What the package raises on a model that breaks the rules of its format."""
_ROUNDS = 8


def flat_functions(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """Write the bodies of the model's own functions where they are called, unless that would never end.

    Raises:
        CaptureError: If a function calls itself, there are too many operators, or the functions are damaged.
    """
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
    except MALFORMED as e:
        raise damaged(where, "its functions", e) from e


def with_shapes(model: onnx.ModelProto, shapes: dict[str, Sequence[int]], where: str) -> onnx.ModelProto:
    """The model with the shapes of all values, those of the inputs as given.

    Args:
        model: The model, whose value descriptions are changed.
        shapes: Shapes of inputs by name; emptied.
        where: Name of the file, for errors.

    Raises:
        CaptureError: If a given shape fits no input, an input stays open, or the model is damaged.
    """
    import onnx

    graph = model.graph
    constants = {i.name for i in graph.initializer}
    for node in graph.node:  # the package's own inference never ends on other characters (onnx 1.23)
        for attribute in node.attribute if node.op_type == "Einsum" else ():
            if not re.fullmatch(rb"[A-Za-z., ]*(->[A-Za-z. ]*)?", attribute.s):
                raise damaged(where, f"Einsum {node.name!r}", ValueError(f"the equation {attribute.s!r}"))
    for value in graph.input:
        if value.name in constants:
            continue
        dims = value.type.tensor_type.shape.dim
        given = shapes.pop(value.name, None)
        if given is not None:
            fixed = [d.dim_value for d in dims]
            if len(given) != len(dims) or any(f not in (0, g) for f, g in zip(fixed, given, strict=True)):
                msg = (
                    f"a shape must fit the model, but input {value.name!r} of {where} has {fixed} (0 = free) and got "
                    f"{tuple(given)}: match it"
                )
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
        for _ in range(_ROUNDS):
            model = onnx.shape_inference.infer_shapes(model, data_prop=True)
            if not _complete_reshapes(model.graph):
                break
        return model
    except (onnx.shape_inference.InferenceError, onnx.checker.ValidationError, *MALFORMED) as e:
        raise damaged(where, "its shapes", e) from e


def _complete_reshapes(graph: onnx.GraphProto) -> bool:
    """Fill in the one dimension of a reshaped value that the numbers of its source leave open."""
    values = {v.name: v for v in (*graph.input, *graph.value_info, *graph.output)}
    found = False
    for node in graph.node:
        if node.op_type != "Reshape" or not node.input or not node.output:
            continue
        source, target = values.get(node.input[0]), values.get(node.output[0])
        shape = shape_of(source) if source is not None else None
        if shape is None or target is None:
            continue
        dims = target.type.tensor_type.shape.dim
        free = [d for d in dims if not d.HasField("dim_value")]
        others = math.prod(d.dim_value for d in dims if d.HasField("dim_value"))
        if len(free) == 1 and others > 0:
            free[0].dim_value = math.prod(shape) // others
            found = True
    return found


def shape_of(value: onnx.ValueInfoProto) -> tuple[int, ...] | None:
    """The shape of a value, None where a dimension is open."""
    dims = value.type.tensor_type.shape.dim
    return tuple(d.dim_value for d in dims) if all(d.HasField("dim_value") for d in dims) else None


def damaged(where: str, what: str, error: Exception) -> CaptureError:
    """The error for a part of a model that breaks the rules of the format."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return CaptureError(
        f"an ONNX model must keep the rules of its format, but {what} of {where} does not ({line}): export it again"
    )
