"""Labels of a task for bodies that were trained for another one, at the price of one head: latent sampling.

Training every body of a space on every task is what nobody can pay. AIO-P (Mills et al., 2023,
https://arxiv.org/abs/2211.17228, section 4) trains one head a task for all bodies: for each batch several bodies give
their feature maps; with mean mu and deviation sigma of these, element by element, the head sees z = mu + zeta sigma,
zeta ~ N(0, 1), and so learns to read what any of them may give. Then the head is put on each body, trained a little
more, and its metric is the body's pseudo-label. The bodies are a rolling set, one from each bin of the space, such as
by depth: at each step the oldest is replaced by a new one of its bin.

    sampling = LatentSampling(bins, seed=0)
    head = sampling.train(head, batches, loss)
    labels = [pseudo_label(body, head, few_batches, loss, metric) for body in bodies]
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import nn

from foretell.errors import InvalidDataError

Body = Callable[[torch.Tensor], Sequence[torch.Tensor]]
"""Inputs to feature maps, one a level; of the same shapes for all bodies. `Taps` makes one of any module."""
Bin = Callable[[torch.Generator], Body]
"""Draws a body of one bin of the space."""
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Mean loss of a head's outputs for targets."""
Batch = tuple[torch.Tensor, torch.Tensor]
"""Inputs and targets."""


def sample_latent(features: Sequence[Sequence[torch.Tensor]], generator: torch.Generator) -> list[torch.Tensor]:
    """One draw at each level: z = mu + zeta sigma, zeta drawn for each element.

    Args:
        features: Of each body its feature maps, one a level; bodies agree in the shape of a level.
        generator: Source of zeta.

    Returns:
        One map a level. With one body that is its own, since sigma is 0.

    Raises:
        InvalidDataError: If there is no body, or shapes differ.

    >>> maps = [[torch.zeros(1, 2)], [torch.zeros(1, 2)]]
    >>> sample_latent(maps, torch.Generator().manual_seed(0))
    [tensor([[0., 0.]])]
    """
    shapes = {tuple(tuple(level.shape) for level in body) for body in features}
    if len(shapes) != 1:
        msg = (
            f"bodies must give feature maps of the same shapes, but got {sorted(shapes)}: tap them where channels and "
            "sizes agree"
        )
        raise InvalidDataError(msg)
    sampled = []
    for level in zip(*features, strict=True):
        maps = torch.stack(level)
        sigma, mu = torch.std_mean(maps, dim=0, correction=0)
        sampled.append(mu + torch.randn(mu.shape, generator=generator).to(mu) * sigma)
    return sampled


class Taps:
    """Any module as a body: its feature maps are the outputs of some of its submodules.

    Args:
        module: The module, which is put into evaluation mode and not changed.
        names: Submodules, in the order of the levels, as in `named_modules`.

    Raises:
        InvalidDataError: If there is no submodule of a name.

    >>> body = Taps(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), ["1"])
    >>> [level.shape for level in body(torch.zeros(4, 3))]
    [torch.Size([4, 2])]
    """

    def __init__(self, module: nn.Module, names: Sequence[str]) -> None:
        known = dict(module.named_modules())
        if not names or not set(names) <= set(known):
            msg = (
                f"taps must be submodules, one at least, but got {list(names)}: choose of {sorted(filter(None, known))}"
            )
            raise InvalidDataError(msg)
        self._module = module.eval()
        self._tapped = [known[name] for name in names]

    def __call__(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Feature maps, without gradients."""
        found: dict[int, torch.Tensor] = {}

        def keep(level: int) -> Callable[[nn.Module, object, torch.Tensor], None]:
            def hook(_: nn.Module, __: object, out: torch.Tensor) -> None:
                found[level] = out

            return hook

        hooks = [module.register_forward_hook(keep(i)) for i, module in enumerate(self._tapped)]
        try:
            with torch.no_grad():
                self._module(x)
        finally:
            for hook in hooks:
                hook.remove()
        return [found[i] for i in range(len(self._tapped))]


@dataclass(frozen=True)
class LatentSampling:
    """How a head for all bodies is trained.

    Args:
        bins: What draws the bodies, one bin each; five, by depth, in the paper.
        learning_rate: Of Adam.
        seed: Seed of bodies and zeta.
    """

    bins: tuple[Bin, ...]
    learning_rate: float = 3e-3
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "bins", tuple(self.bins))
        if not self.bins:
            msg = "latent sampling needs at least one bin of bodies, but got none: give a function that draws a body"
            raise InvalidDataError(msg)

    def rolling(self, generator: torch.Generator) -> Iterator[list[Body]]:
        """Sets of bodies, one of each bin; from one to the next one of them is new, each in its turn."""
        bodies = [draw(generator) for draw in self.bins]
        while True:
            for i, draw in enumerate(self.bins):
                yield list(bodies)
                bodies[i] = draw(generator)

    def train(self, head: nn.Module, batches: Iterable[Batch], loss: Loss) -> nn.Module:
        """A copy of a head that has learnt a task from batches, each seen once.

        Args:
            head: Feature maps, one a level, as its arguments, to outputs.
            batches: Inputs and targets of the task.
            loss: Of outputs.
        """
        generator = torch.Generator().manual_seed(self.seed)
        head = copy.deepcopy(head).train()
        adam = torch.optim.Adam(head.parameters(), lr=self.learning_rate)
        for (x, y), bodies in zip(batches, self.rolling(generator), strict=False):
            with torch.no_grad():
                z = sample_latent([body(x) for body in bodies], generator)
            _step(adam, loss(head(*z), y))
        return head.eval()


def pseudo_label(
    body: Body,
    head: nn.Module,
    batches: Iterable[Batch],
    loss: Loss,
    metric: Callable[[Callable[[torch.Tensor], torch.Tensor]], float],
    *,
    steps: int = 20,
    learning_rate: float = 1e-3,
) -> float:
    """What a body is worth for a task: the metric of a copy of the shared head, tuned a little on this body.

    Args:
        body: The body, frozen.
        head: From `LatentSampling.train`.
        batches: Inputs and targets of the task to tune on.
        loss: Of outputs.
        metric: Judges a function from inputs to outputs; larger is better.
        steps: How many batches at most.
        learning_rate: Of Adam.
    """
    head = copy.deepcopy(head).train()
    adam = torch.optim.Adam(head.parameters(), lr=learning_rate)
    for x, y in islice(batches, steps):
        with torch.no_grad():
            z = body(x)
        _step(adam, loss(head(*z), y))
    head.eval()

    def whole(x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            out: torch.Tensor = head(*body(x))
        return out

    return metric(whole)


def _step(adam: torch.optim.Adam, loss: torch.Tensor) -> None:
    adam.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    adam.step()
