"""The processes that train one network together, started by `torchrun`, or only one.

A batch is divided among the processes; each makes the outputs of its part. Losses that compare networks with each other
(contrastive, pairwise) need all outputs of the batch, so these are gathered, and every process computes the same loss
of the whole batch. A process then knows the gradient of that loss through its own part only; the sum over processes is
the gradient of the whole. So weights go the same way as with one process, up to the rounding of sums, whatever the
number of processes. Parameters must act before the gathering: what is computed behind it counts once a process.

The engine is `torch.distributed`: gloo on CPUs, NCCL where each process has a GPU of its own.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import torch

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jaxtyping import Float, Int

_PATIENCE = timedelta(hours=1)  # for a process whose share of a corpus takes longer, or that never comes


@dataclass(frozen=True, slots=True)
class Processes:
    """One process among those that train together; without arguments, the only one.

    Args:
        rank: Its number, from 0.
        size: How many there are.
        device: What it computes on.
        wire: What the exchange between processes needs tensors to be on.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    wire: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this is the one that writes files and speaks."""
        return self.rank == 0

    def part(self, rows: Int[np.ndarray, " n"]) -> Int[np.ndarray, " k"]:
        """This process's share of a batch; the shares in order are the batch.

        Raises:
            InvalidDataError: If there are fewer rows than processes.

        >>> [Processes(rank, 2).part(np.arange(5)).tolist() for rank in (0, 1)]
        [[0, 1, 2], [3, 4]]
        """
        if len(rows) < self.size:
            msg = (
                f"a batch needs a network for each process, but {len(rows)} are divided among {self.size}: start fewer "
                "processes or raise `batch`"
            )
            raise InvalidDataError(msg)
        return np.array_split(rows, self.size)[self.rank]

    def gather(self, x: Float[torch.Tensor, "k d"]) -> Float[torch.Tensor, "n d"]:
        """The rows of all processes in their order, with a gradient for those of this one; 1-d tensors likewise.

        All processes must go on to compute the same from it.
        """
        if self.size == 1:
            return x
        gathered: torch.Tensor = _Gather.apply(x, self)  # type: ignore[no-untyped-call]
        return gathered

    def gather_array(self, x: np.ndarray) -> np.ndarray:
        """As `gather`, for an array and without gradient."""
        if self.size == 1:
            return x
        return np.asarray(self.gather(torch.from_numpy(np.ascontiguousarray(x))).numpy())

    def add_gradients(self, weights: Sequence[torch.nn.Parameter]) -> None:
        """Give every process the sum of all processes' gradients."""
        if self.size == 1:
            return
        import torch.distributed as dist

        found = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        joined = torch.cat([g.reshape(-1) for g in found]).to(self.wire)
        dist.all_reduce(joined)
        totals = torch.split(joined, [w.numel() for w in weights])
        for weight, total in zip(weights, totals, strict=True):
            weight.grad = total.view_as(weight).to(weight)

    def from_first(self, tensors: Sequence[torch.Tensor]) -> None:
        """Overwrite tensors with those of the first process."""
        if self.size == 1:
            return
        import torch.distributed as dist

        with torch.no_grad():
            for tensor in tensors:
                sent = tensor.detach().to(self.wire).contiguous()
                dist.broadcast(sent, 0)
                tensor.copy_(sent)

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.size > 1:
            import torch.distributed as dist

            dist.barrier()


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Join the processes that `torchrun`, or whatever sets its variables, started; without, the only process.

    It tells by the environment: `RANK`, `WORLD_SIZE`, `LOCAL_RANK`, and where the first process listens.

    Raises:
        InvalidDataError: If these are no whole numbers that fit together.
    """
    rank, size, local, near = (_number(n, d) for n, d in (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0),
                                                          ("LOCAL_WORLD_SIZE", 1)))  # fmt: skip
    if not 0 <= rank < size:
        msg = f"`0 <= RANK < WORLD_SIZE` must hold, but got {rank=}, {size=}: start with torchrun"
        raise InvalidDataError(msg)
    cpu, gpus = torch.device("cpu"), torch.cuda.device_count() if torch.cuda.is_available() else 0
    device = torch.device("cuda", local % gpus) if gpus else cpu
    if size == 1:
        yield Processes(device=device)
        return
    import torch.distributed as dist

    own_gpu = gpus >= near
    if gpus:
        torch.cuda.set_device(device)
    from torch.distributed.rendezvous import rendezvous

    store, _, _ = next(rendezvous("env://", rank, size, timeout=_PATIENCE))
    if near == size:  # of one agent, whose store outlives its processes: addresses of those that were killed are there
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = dist.PrefixStore(f"attempt {attempt}", store)  # type: ignore[attr-defined]
    backend = "nccl" if own_gpu else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_PATIENCE)
    try:
        yield Processes(rank, size, device, device if own_gpu else cpu)
    finally:
        dist.destroy_process_group()


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdecimal():
        msg = f"{name} must be a whole number, but it is {text!r}: unset it, or start with torchrun"
        raise InvalidDataError(msg)
    return int(text)


class _Gather(torch.autograd.Function):
    """Rows of all processes; the gradient of those of this process goes back."""

    @staticmethod
    def forward(ctx, x, processes):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN205
        import torch.distributed as dist

        own = torch.tensor([len(x)], device=processes.wire)
        counts = [torch.zeros_like(own) for _ in range(processes.size)]
        dist.all_gather(counts, own)
        sizes = [int(count) for count in counts]
        sent = x.new_zeros(max(sizes), *x.shape[1:], device=processes.wire)
        sent[: len(x)] = x.detach().to(processes.wire)
        parts = [torch.empty_like(sent) for _ in sizes]
        dist.all_gather(parts, sent)
        ctx.span = slice(sum(sizes[: processes.rank]), sum(sizes[: processes.rank + 1]))
        return torch.cat([part[:n] for part, n in zip(parts, sizes, strict=True)]).to(x.device)

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN205
        return gradient[ctx.span], None
