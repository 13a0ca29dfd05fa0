"""The one loop of pretraining: epochs of minibatches on one or many processes, and on again where it was interrupted.

The folder holds `state.safetensors` (weights, Adam's moments, how far it is) and `log.jsonl` (a line an epoch), written
after each epoch and every few minutes within one. The order of rows and dropout depend on seed, epoch and step alone,
so a resumed run gives the same weights as a whole one, and any number of processes the same up to rounding.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from foretell.errors import CheckpointError
from foretell.pretraining.processes import Processes
from foretell.pretraining.shuffled_rows import ShuffledRows
from foretell.pretraining.training_state import Position, keep_state, restore_state

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import nn

Loss = Callable[[np.ndarray, torch.Generator], torch.Tensor]
"""Loss of a batch of rows; the generator is for dropout and draws. On several processes each gets all rows of the
batch, makes the outputs of `Processes.part`, and returns the loss of all, see `Processes.gather`."""


@dataclass(frozen=True)
class EpochLoop:
    """Adam with a cosine from `learning_rate` to `floor`, after a linear rise over the first `warmup` of the steps.

    Args:
        epochs: Passes over the rows.
        batch: Rows a step, of all processes together.
        learning_rate: Largest learning rate.
        warmup: Share of the steps in which it rises.
        floor: Last learning rate; equal to `learning_rate` it stays, as in the released code of GENNAPE.
        clip: Largest norm of a gradient.
        seed: Seed of order and dropout.
        minutes: Time between two records within an epoch.
        processes: Which process this is among those that train the module; the first writes the folder, and all must
            be able to read it.
    """

    epochs: int
    batch: int = 256
    learning_rate: float = 1e-3
    warmup: float = 0.03
    floor: float = 0.0
    clip: float = 5.0
    seed: int = 0
    minutes: float = 10.0
    processes: Processes = field(default_factory=Processes)

    def run(
        self,
        module: nn.Module,
        rows: ShuffledRows | Int[np.ndarray, " n"],
        loss: Loss,
        folder: Path,
        *,
        judge: Callable[[], Mapping[str, float]] = dict,
        progress: bool = False,
    ) -> list[dict[str, float]]:
        """Train a module in place.

        Args:
            module: What has the weights.
            rows: Rows to train on.
            loss: Of a batch.
            folder: Where state and log are kept; what is there is gone on with.
            judge: Measures after an epoch, for the log.
            progress: Whether to show a bar.

        Returns:
            The log: epoch, loss, and what `judge` gave.

        Raises:
            CheckpointError: If the folder holds the state of another module, or not all processes see it.
            InvalidDataError: If a batch has fewer rows than there are processes.
        """
        from tqdm.auto import tqdm

        rows = rows if isinstance(rows, ShuffledRows) else ShuffledRows((rows,))
        weights = [p for p in module.parameters() if p.requires_grad]
        adam = torch.optim.Adam(weights, lr=self.learning_rate)
        position = restore_state(folder, module, adam)
        self._agree(folder, module, position)
        log, steps = list(position.log), rows.steps(self.batch)
        done = len(log) * steps + position.step
        bar = tqdm(total=self.epochs * steps, initial=done, disable=not progress, desc=folder.name)
        kept_at = time.monotonic()
        with bar:
            for epoch in range(len(log), self.epochs):
                first, total = position.step, position.total
                position = Position()  # later epochs begin at their beginning
                module.train()
                for step, batch in enumerate(rows.batches(self.seed, epoch, self.batch)):
                    if step < first:
                        continue
                    for group in adam.param_groups:
                        group["lr"] = self._rate(epoch * steps + step, self.epochs * steps)
                    adam.zero_grad()
                    value = loss(batch, self._generator(epoch, step))
                    value.backward()  # type: ignore[no-untyped-call]
                    self.processes.add_gradients(weights)
                    torch.nn.utils.clip_grad_norm_(weights, self.clip)
                    adam.step()
                    total += float(value.detach()) * len(batch)
                    bar.update()
                    if self.processes.first and time.monotonic() - kept_at >= 60.0 * self.minutes:
                        keep_state(folder, module, adam, Position(log, step + 1, total))
                        kept_at = time.monotonic()
                module.eval()
                log.append({"epoch": epoch, "loss": total / len(rows), **judge()})
                if self.processes.first:
                    keep_state(folder, module, adam, Position(log))
                    kept_at = time.monotonic()
                bar.set_postfix({k: f"{v:.4f}" for k, v in log[-1].items() if k != "epoch"})
        module.eval()
        self.processes.wait()  # the state is on disk for all
        return log

    def _agree(self, folder: Path, module: nn.Module, position: Position) -> None:
        """All processes begin at one place, with the same weights."""
        places = self.processes.gather_array(np.array([[len(position.log), position.step]]))
        if (places != places[0]).any():
            msg = (
                f"all processes must see the same state in {folder}, but they are at {places.tolist()} (epoch, step): "
                "put the folder on a disk that they share"
            )
            raise CheckpointError(msg)
        self.processes.from_first([*module.parameters(), *module.buffers()])

    def _generator(self, epoch: int, step: int) -> torch.Generator:
        """The same on every process, and for a step whatever came before it."""
        seed = int(np.random.default_rng([self.seed, epoch, step]).integers(2**62))
        return torch.Generator().manual_seed(seed)

    def _rate(self, step: int, steps: int) -> float:
        rise = min(1.0, (step + 1) / max(self.warmup * steps, 1.0))
        fall = 0.5 * (1.0 + math.cos(math.pi * step / steps))
        return rise * (self.floor + (self.learning_rate - self.floor) * fall)
