"""Weighted sums of rows, row lists of any length: what messages along edges and pooling come down to.

PyTorch's own operations on a CPU add row after row, which takes half of a graph network's time; a product with SciPy's
compressed sparse matrix is the same sum in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def gathered_sums(
    x: Float[torch.Tensor, "n d"],
    source: Int[np.ndarray, " e"],
    target: Int[np.ndarray, " e"],
    weight: Float[np.ndarray, " e"],
    size: int,
) -> Float[torch.Tensor, "size d"]:
    """Row t is the sum of weight_i x[source_i] over all i with target_i = t; differentiable in x.

    Args:
        x: The rows.
        source: Row that each entry takes.
        target: Row of the result that it goes to.
        weight: How often it counts.
        size: Rows of the result.

    >>> one = np.ones(2)
    >>> gathered_sums(torch.eye(2), np.array([0, 1]), np.array([1, 1]), one, 2).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    if x.device.type == "cpu":
        summed: torch.Tensor = _CpuSums.apply(x, source, target, weight, size)  # type: ignore[no-untyped-call]
        return summed
    moved = (torch.from_numpy(np.ascontiguousarray(a)).to(x.device) for a in (source, target, weight))
    where, to, times = moved
    return x.new_zeros(size, x.shape[1]).index_add(0, to, x.index_select(0, where) * times.to(x.dtype)[:, None])


class _CpuSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, source, target, weight, size):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN205
        from scipy.sparse import csr_matrix

        rows = x.detach().numpy()
        ctx.matrix = csr_matrix((weight.astype(rows.dtype), (target, source)), shape=(size, len(rows)))
        return torch.from_numpy(ctx.matrix @ rows)

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN205
        return torch.from_numpy(ctx.matrix.T @ gradient.numpy()), None, None, None, None
