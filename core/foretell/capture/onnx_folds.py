"""Pairs of ONNX operators that are one PyTorch call: exporters take them apart, capture keeps them whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import onnx

    Shapes = Mapping[str, tuple[int, ...] | None]


def find_folds(
    nodes: Sequence[onnx.NodeProto], learnt: Collection[str], shapes: Shapes, results: Sequence[str]
) -> dict[int, int]:
    """Find the pairs.

    A matrix product by weights and the bias added to it; `x * sigmoid(x)`; a mean over what was reshaped to have
    height and width in one dimension.

    Args:
        nodes: Operators in order.
        learnt: Names of values made of trainable numbers alone.
        shapes: Shapes of values by name.
        results: Names of the network's outputs.

    Returns:
        Position of the second operator of a pair to that of the first, whose result nothing else uses.
    """
    users: dict[str, int] = {}
    for name in (*(name for node in nodes for name in node.input), *results):
        users[name] = users.get(name, 0) + 1
    maker = {name: i for i, node in enumerate(nodes) for name in node.output if users.get(name) == 1}
    folds: dict[int, int] = {}
    for i, node in enumerate(nodes):
        for name in node.input:
            j = maker.get(name)
            if j is None or j >= i or j in folds or not nodes[j].input or node.domain or nodes[j].domain:
                continue
            if _is_pair(nodes[j], node, name, learnt, shapes):
                folds[i] = j
                break
    return folds


def _is_pair(
    first: onnx.NodeProto, second: onnx.NodeProto, between: str, learnt: Collection[str], shapes: Shapes
) -> bool:
    others = [name for name in second.input if name != between]
    kinds = (first.op_type, second.op_type)
    if kinds == ("MatMul", "Add"):
        shape = shapes.get(between)
        if len(first.input) != 2 or len(others) != 1 or first.input[0] in learnt or not shape:
            return False
        return first.input[1] in learnt and others[0] in learnt and shapes.get(others[0], ()) == shape[-1:]
    if kinds == ("Sigmoid", "Mul"):
        return others == [first.input[0]]
    if kinds == ("Reshape", "ReduceMean"):
        source, target = shapes.get(first.input[0]), shapes.get(second.output[0])
        if source is None or target is None or len(source) != 4 or second.input[0] != between:
            return False
        return target == (*source[:2], 1, 1)
    return False
