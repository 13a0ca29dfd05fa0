"""Where networks lie among the clusters that the fuzzy heads of GENNAPE are made for (section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from foretell.pretraining.folded_graphs import FoldedGraphs
    from foretell.pretraining.fuzzy_c_means import FuzzyClusters
    from foretell.pretraining.graph_encoder import GraphEncoder


@dataclass(frozen=True, eq=False)
class Clustering:
    """Where a network lies among the clusters: a frozen encoder, standardised, and centroids.

    Args:
        encoder: Contrastive encoder.
        centre: Mean of its embeddings over the training family, e.
        unit: Their deviation.
        clusters: Centroids of standardised embeddings.
    """

    encoder: GraphEncoder
    centre: Float[np.ndarray, " e"]
    unit: Float[np.ndarray, " e"]
    clusters: FuzzyClusters

    def memberships(self, graphs: FoldedGraphs) -> Float[np.ndarray, "n C"]:
        """Of each network in each cluster."""
        return self.clusters.memberships((self.encoder.encode(graphs) - self.centre) / self.unit)
