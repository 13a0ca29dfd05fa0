"""Judging a cell without training it, by weights that it shares with all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foretell.capture.nasbench201 import EDGES, OPERATIONS
from foretell.errors import InvalidSearchSpaceError
from foretell.one_shot.supernet import path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from jaxtyping import Float, Int

    from foretell.distributions import Value
    from foretell.one_shot.supernet import Supernet


@dataclass(frozen=True, eq=False)
class SharedWeights:
    """A trained supernet with images to judge by.

    The score is cheap and biased, and how far it may be believed differs from task to task: hand it to a search that
    finds that out, as the cheapest level of `foretell.cross_fidelity.CrossFidelitySearch`.

    Args:
        supernet: After `PathSampling` or `DifferentiableSearch`.
        x: Images that it was not trained on.
        labels: Their classes.
    """

    supernet: Supernet
    x: Float[torch.Tensor, "n channels height width"]
    labels: Int[torch.Tensor, " n"]

    def loss(self, cell: str | Sequence[int]) -> float:
        """Mean cross-entropy, in nats, of the part of the supernet that is this cell; smaller is better.

        Args:
            cell: As `foretell.capture.nasbench201.parse` takes it.

        Raises:
            InvalidArchitectureError: If it is no cell.
        """
        import torch
        from torch.nn import functional as F

        with torch.no_grad():
            return float(F.cross_entropy(self.supernet(self.x, path(cell)), self.labels))

    def value(self, config: Mapping[str, Value]) -> float:
        """Minus the loss of a configuration of `foretell.spaces.ready.nasbench201_cells`; larger is better.

        Args:
            config: An operator for each edge, such as `{"edge.0.1": "nor_conv_3x3", ...}`.

        Raises:
            InvalidSearchSpaceError: If an edge or its operator is missing.
        """
        named = [config.get(f"edge.{a}.{b}") for a, b in EDGES]
        if not set(named) <= set(OPERATIONS):
            msg = (
                f"a cell needs one of {OPERATIONS} on each of six edges, but got {dict(config)}: name edges "
                "edge.0.1, edge.0.2, ..."
            )
            raise InvalidSearchSpaceError(msg)
        return -self.loss([OPERATIONS.index(str(op)) for op in named])
