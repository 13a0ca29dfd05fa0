"""Which weights a few labels of a new task may change: the four levels of AIO-P, and any other combination.

The released code numbers them 0 to 3 (Mills et al., 2023, https://arxiv.org/abs/2211.17228): heads; heads and backbone;
heads, backbone and adapters; heads and adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from foretell.aio_p.adapted_network import AdaptedNetwork

Part = Callable[["AdaptedNetwork"], "Iterator[nn.Parameter]"]
"""Some of a network's weights."""


def heads(network: AdaptedNetwork) -> Iterator[nn.Parameter]:
    """The MLP of each adapter."""
    for adapter in network.adapters:
        yield from adapter.heads.parameters()


def adapters(network: AdaptedNetwork) -> Iterator[nn.Parameter]:
    """The graph convolutions of each adapter."""
    for adapter in network.adapters:
        yield from adapter.convolutions.parameters()


def backbone(network: AdaptedNetwork) -> Iterator[nn.Parameter]:
    """The encoder, embeddings included."""
    yield from network.encoder.parameters()


@dataclass(frozen=True)
class Level:
    """A choice of parts.

    Args:
        parts: Of `heads`, `adapters`, `backbone`, or others; all else stays as it is.
    """

    parts: tuple[Part, ...]

    def weights(self, network: AdaptedNetwork) -> list[nn.Parameter]:
        """The weights that may change."""
        return [weight for part in self.parts for weight in part(network)]


LEVELS: Mapping[str, Level] = MappingProxyType(
    {
        "heads": Level((heads,)),
        "heads+backbone": Level((heads, backbone)),
        "heads+backbone+adapters": Level((heads, backbone, adapters)),
        "heads+adapters": Level((heads, adapters)),
    }
)
"""The paper's levels by name, in its order."""
