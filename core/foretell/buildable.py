"""Configurations whose network can be built, before any of them is tried.

Where the function that makes networks raises an error, training will hardly go better: such a configuration is not
worth a trial while there are others. Unless the study says otherwise, as where the function only knows some networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Float

    from foretell.distributions import Value
    from foretell.graph_source import GraphSource


@dataclass(frozen=True)
class Buildable:
    """Whether a configuration's network can be built, beside another rule.

    Args:
        graph: Makes networks.
        admissible: Another rule that must hold, if there is one; asked first.
    """

    graph: GraphSource
    admissible: Callable[[Mapping[str, Value]], bool] | None = None

    def __call__(self, config: Mapping[str, Value]) -> bool:
        """Whether the configuration may be tried."""
        return (self.admissible is None or self.admissible(config)) and not self.graph.refuses(config)

    def borne_out(self, configs: Sequence[Mapping[str, Value]], values: Float[np.ndarray, "n m"]) -> bool:
        """Whether nothing that was tried although its network cannot be built did better than the worst of the others.

        Args:
            configs: What was tried.
            values: Its objectives, larger is better.
        """
        refused = np.array([self.graph.refuses(c) for c in configs], dtype=bool)
        if not refused.any():
            return True
        return not refused.all() and not bool((values[refused] > values[~refused].min(axis=0)).any())
