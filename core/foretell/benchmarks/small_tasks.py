"""Real trainings of two tenths of a second, so that thousands of them can be made.

`digits`: the images of scikit-learn (see `foretell.benchmarks.digits`), 597 to train on and 800 others to judge by.
`direction`: whether a piece of English text runs forwards or backwards, letter by letter.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foretell.distributions import Value
    from foretell.spaces import Space

TOKENS = 24
"""Letters of a piece of text."""
LETTERS = " abcdefghijklmnopqrstuvwxyz"
"""Different letters."""
_PIECES, _HELD = 1200, 800


@dataclass(frozen=True)
class SmallTask:
    """Data to train on and to judge by.

    Args:
        inputs: Examples to train on.
        labels: Their classes.
        held_inputs: Examples to judge by.
        held_labels: Their classes.
        epochs: How often each is seen.
        batch: Examples a step.
        lr: Learning rate of Adam at the start; it falls to 0 along a straight line.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    held_inputs: torch.Tensor
    held_labels: torch.Tensor
    epochs: int
    batch: int = 64
    lr: float = 2e-2

    def train(self, network: nn.Module, seed: int = 0) -> tuple[float, float]:
        """Mean cross-entropy, in nats, and accuracy, in [0, 1], on what is held out.

        Args:
            network: Its weights change.
            seed: Of the order of batches.

        Returns:
            The loss of even guessing and accuracy 0 where training diverged.
        """
        order = torch.Generator().manual_seed(seed)
        optimiser = torch.optim.Adam(network.parameters(), lr=self.lr)
        steps = self.epochs * (len(self.inputs) // self.batch)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0 - step / steps)
        for _ in range(self.epochs):
            rows = torch.randperm(len(self.inputs), generator=order)
            for start in range(0, len(rows) - self.batch + 1, self.batch):
                batch = rows[start : start + self.batch]
                optimiser.zero_grad(set_to_none=True)
                loss = nn.functional.cross_entropy(network(self.inputs[batch]), self.labels[batch])
                if not math.isfinite(float(loss.detach())):
                    break
                torch.autograd.backward(loss)
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
                schedule.step()
        return self._judge(network)

    def _judge(self, network: nn.Module) -> tuple[float, float]:
        network.eval()
        with torch.no_grad():
            logits = network(self.held_inputs)
        guessing = math.log(logits.shape[1])
        loss = float(nn.functional.cross_entropy(logits, self.held_labels))
        accuracy = float((logits.argmax(dim=1) == self.held_labels).float().mean())
        return (min(loss, guessing), accuracy) if math.isfinite(loss) else (guessing, 0.0)


def trained(space: Space, config: Mapping[str, Value], task: SmallTask, seed: int = 0) -> tuple[float, float]:
    """Loss and accuracy of a configuration whose weights are drawn by a seed, the state of torch left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return task.train(space.build(config), seed)


@lru_cache(maxsize=1)
def digits() -> SmallTask:
    """Images 1 x 8 x 8 in ten classes."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    found = load_digits()
    images = torch.tensor(found.images, dtype=torch.float32).unsqueeze(1) / 16.0
    labels = torch.tensor(found.target)
    rows, held = train_test_split(
        range(len(labels)), train_size=597, test_size=800, random_state=0, stratify=found.target
    )
    return SmallTask(images[rows], labels[rows], images[held], labels[held], epochs=2)


@lru_cache(maxsize=1)
def direction() -> SmallTask:
    """Pieces of `TOKENS` letters of Python's documentation of its language, forwards or backwards, half of either.

    Which letters there are says nothing, their order all. The text is that of the Python that runs
    (`pydoc_data.topics`); pieces to judge by come from its second half.
    """
    from pydoc_data.topics import topics

    letters = re.sub(r"[^a-z]+", " ", " ".join(topics[name] for name in sorted(topics)).lower())
    codes = torch.tensor([LETTERS.index(letter) for letter in letters])
    rng, half = np.random.default_rng(0), len(codes) // 2
    parts = []
    for start, n in ((0, _PIECES), (half, _HELD)):
        at = start + rng.choice(half - TOKENS, n, replace=False)
        pieces = codes[torch.tensor(at)[:, None] + torch.arange(TOKENS)]
        labels = torch.arange(n) % 2
        parts += [torch.where(labels[:, None] > 0, pieces.flip(1), pieces), labels]
    inputs, labels, held, held_labels = parts
    return SmallTask(inputs, labels, held, held_labels, epochs=2)


TASKS = {"digits": digits, "direction": direction}
"""Tasks by name."""
