"""Where an edit happens: at one operator, or at all that stand in the same place of a repeated block."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from foretell.graph import ComputationGraph

_ROUNDS = 3


def places(graph: ComputationGraph) -> list[bytes]:
    """A name for the place of each node: its operator and window, and those within three edges of it.

    Widths and resolutions do not count, so that the same operator of a cell has the same name in every stage.
    """
    rows = [f"{n.op}{n.kernel}{n.stride}{n.dilation}{n.groups == 1}".encode() for n in graph.nodes]
    names = [_named(row) for row in rows]
    edges = graph.edges.tolist()
    for _ in range(_ROUNDS):
        before: list[list[bytes]] = [[] for _ in names]
        after: list[list[bytes]] = [[] for _ in names]
        for a, b in edges:
            before[b].append(names[a])
            after[a].append(names[b])
        names = [
            _named(b"|".join([name, b",".join(sorted(i)), b",".join(sorted(o))]))
            for name, i, o in zip(names, before, after, strict=True)
        ]
    return names


def drawn_sites(graph: ComputationGraph, allowed: Sequence[int], rng: np.random.Generator) -> list[int]:
    """One of the allowed nodes, or with even chance all of them that stand in the same place as it.

    Raises:
        InvalidArchitectureError: If none is allowed.
    """
    if not allowed:
        msg = f"an edit needs an operator that it can change, but there is none in {graph!r}: try another edit"
        raise InvalidArchitectureError(msg)
    one = allowed[int(rng.integers(len(allowed)))]
    if rng.integers(2):
        return [one]
    named = places(graph)
    return [i for i in allowed if named[i] == named[one]]


def _named(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()
