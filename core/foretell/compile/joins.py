"""Operators with several inputs: sums, products, concatenation, products of activations, attention.

A graph does not store the order of inputs. A node's `in_shape` is that of its first one; the others come in the order
of the nodes, which decides for `Sub` and `Div` of equal shapes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from foretell.graph import Node, Shape

_BINARY: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "Add": torch.add, "Mul": torch.mul, "Sub": torch.sub, "Div": torch.div, "Max": torch.maximum, "Min": torch.minimum,
}  # fmt: skip


class _Binary(nn.Module):
    """Two inputs; more only in a sum of equal shapes, or one beside something learnt."""

    def __init__(self, op: str, shape: Shape | None = None, *, trains: bool = True) -> None:
        super().__init__()
        self.op = op
        if shape is not None:
            self.learnt = nn.Parameter(torch.full(shape, float(op in {"Mul", "Div"})), requires_grad=trains)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        if hasattr(self, "learnt"):
            return _BINARY[self.op](inputs[0], self.learnt)
        if len(inputs) > 2:
            return torch.stack(inputs).sum(0)
        return _BINARY[self.op](*inputs)

    def extra_repr(self) -> str:
        return self.op


def elementwise(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Sum, product and the like of inputs whose shapes broadcast; a single input meets something learnt."""
    if len(inputs) == 1:
        c, h, w = node.in_shape
        shapes: list[Shape] = [(c, h, w), (c, 1, 1), (1, h, w), (1, h, 1), (1, 1, w), (1, 1, 1)]
        fitting = [shape for shape in shapes if math.prod(shape) == max(node.params, 1)]
        if not fitting:
            msg = f"what is learnt must broadcast to {node.in_shape}, but it holds {node.params} numbers: reshape it"
            raise InvalidArchitectureError(msg)
        return _Binary(node.op, fitting[0], trains=node.params > 0)
    if len(inputs) > 2 and (node.op != "Add" or len(set(inputs)) > 1):
        msg = f"only a sum of equal shapes takes more than two inputs, but got {node.op} of {list(inputs)}: nest them"
        raise InvalidArchitectureError(msg)
    if np.broadcast_shapes(*inputs) != node.out_shape:
        msg = f"inputs of {node.op} must broadcast to {node.out_shape}, but got {list(inputs)}: reshape one"
        raise InvalidArchitectureError(msg)
    return _Binary(node.op)


class _Concat(nn.Module):
    """Tensors side by side, after something learnt where there is such."""

    def __init__(self, dim: int, learnt: Shape | None) -> None:
        super().__init__()
        self.dim = dim
        self.learnt = nn.Parameter(torch.zeros(1, *learnt)) if learnt else None

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        if self.learnt is None:
            return torch.cat(inputs, self.dim)
        return torch.cat([self.learnt.expand(len(inputs[0]), -1, -1, -1), *inputs], self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


def concat(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Tensors side by side along the one dimension in which they may differ."""
    for dim in range(3):
        rest = [shape[:dim] + shape[dim + 1 :] for shape in (*inputs, node.out_shape)]
        lacking = node.out_shape[dim] - sum(shape[dim] for shape in inputs)
        if len(set(rest)) > 1 or lacking * math.prod(rest[0]) != node.params:
            continue
        learnt = (*rest[0][:dim], lacking, *rest[0][dim:]) if lacking else None
        return _Concat(dim + 1, learnt)  # type: ignore[arg-type]
    msg = (
        f"what is concatenated must add up along one dimension, but {list(inputs)} do not give {node.out_shape}: "
        "write a stack as a concatenation of reshaped tensors"
    )
    raise InvalidArchitectureError(msg)


class _MatMul(nn.Module):
    def __init__(self, left: tuple[int, ...], right: tuple[int, ...]) -> None:
        super().__init__()
        self.left, self.right = left, right

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        product = a.reshape(-1, *self.left) @ b.reshape(-1, *self.right)
        return product.permute(0, 3, 1, 2)


def product(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """The product of two activations, matrices over the width and the channels."""
    inner, heads, rows = node.in_shape
    columns = node.out_shape[0]
    sizes = [math.prod(shape) for shape in inputs]
    fits = len(inputs) == 2 and node.out_shape[1:] == (heads, rows)
    if not fits or sizes != [heads * rows * inner, heads * inner * columns]:
        msg = (
            f"a product of two activations must be of matrices, but {list(inputs)} do not multiply to "
            f"{node.out_shape}: write it with torch.matmul"
        )
        raise InvalidArchitectureError(msg)
    return _MatMul((heads, rows, inner), (heads, inner, columns))


class _Attention(nn.Module):
    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.heads, self.width = heads, width

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        three = (*inputs, inputs[0], inputs[0])[:3]
        query, key, value = (x.reshape(len(x), self.heads, -1, self.width) for x in three)
        return F.scaled_dot_product_attention(query, key, value).permute(0, 3, 1, 2)


def attention(node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """Scaled dot-product attention; inputs are query, key and value, as many as there are, the first again for more."""
    width, heads, _ = node.in_shape
    if len(inputs) > 3 or node.out_shape[0] != width or any(math.prod(s) % (heads * width) for s in inputs):
        msg = (
            f"attention takes query, key and value of {heads} heads of {width}, but got {list(inputs)}: masks and "
            "values of another width cannot be rebuilt"
        )
        raise InvalidArchitectureError(msg)
    return _Attention(heads, width)
