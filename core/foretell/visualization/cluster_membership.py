"""Where a family of networks lies among the fuzzy clusters of a pretrained embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.visualization.chart import COLOURS, SYMBOLS, Axis, Boxes, Chart, Layer, Points, columns
from foretell.visualization.plotly_figure import plotly_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go
    from jaxtyping import Float

    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph
    from foretell.pretraining.gennape import Gennape


@dataclass(frozen=True, eq=False)
class ClusterMembership:
    """Networks and centroids in the plane in which the centroids are furthest apart.

    Attributes:
        places: Networks, n x 2: the first two principal components of the centroids, the same for every family.
        centroids: Clusters, C x 2, in the same plane.
        memberships: How much each network belongs to each cluster, n x C; rows sum to 1.
        family: Name of the networks.
    """

    places: Float[np.ndarray, "n 2"]
    centroids: Float[np.ndarray, "C 2"]
    memberships: Float[np.ndarray, "n C"]
    family: str = "networks"

    @classmethod
    def of(
        cls, model: Gennape, graphs: Sequence[ComputationGraph | Candidate], *, family: str = "networks"
    ) -> ClusterMembership:
        """Ask a pretrained model, such as `Predictor.from_pretrained("gennape-nb101")`.

        Args:
            model: The model; its clustering is asked, not its members.
            graphs: Networks of the family.
            family: Its name.

        Raises:
            InvalidDataError: If there is no graph.
        """
        clustering = model.clustering
        folded, _ = model.fold(graphs)
        embedded = (clustering.encoder.encode(folded) - clustering.centre) / clustering.unit
        return cls.project(embedded, clustering.clusters.centroids, clustering.clusters.memberships(embedded), family)

    @classmethod
    def project(
        cls,
        embedded: Float[np.ndarray, "n e"],
        centroids: Float[np.ndarray, "C e"],
        memberships: Float[np.ndarray, "n C"],
        family: str = "networks",
    ) -> ClusterMembership:
        """From what is known already: standardised embeddings, centroids and memberships."""
        middle = centroids.mean(axis=0)
        _, _, axes = np.linalg.svd(centroids - middle, full_matrices=True)
        plane = axes[:2].T  # (e, 2)
        if plane.shape[1] < 2:
            plane = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
        # the largest part of each direction is positive, so that pictures do not flip from machine to machine
        plane = plane * np.where(plane[np.abs(plane).argmax(axis=0), np.arange(2)] < 0, -1.0, 1.0)
        return cls((embedded - middle) @ plane, (centroids - middle) @ plane, memberships, family)

    @property
    def shares(self) -> Float[np.ndarray, " C"]:
        """Mean membership of the family in each cluster; sum 1, `nan` without networks."""
        return self.memberships.mean(axis=0) if len(self.memberships) else np.full(len(self.centroids), np.nan)

    def chart(self) -> Chart:
        """The picture: each network in the colour of its strongest cluster."""
        strongest = self.memberships.argmax(axis=1) if len(self.memberships) else np.zeros(0, dtype=np.int64)
        layers: list[Layer] = []
        order = np.argsort(-self.shares, kind="stable") if len(strongest) else np.zeros(0, dtype=np.int64)
        for k in order.tolist():
            here = np.flatnonzero(strongest == k)
            if not len(here):
                continue
            layers.append(
                Points(
                    *columns(self.places[here]),
                    name=f"cluster {k + 1}: {100 * self.shares[k]:.0f} %",
                    colour=COLOURS[k % len(COLOURS)],
                    symbol=SYMBOLS[k % len(SYMBOLS)],
                    size=4.5,
                    opacity=0.7,
                    texts=tuple(_said(row) for row in self.memberships[here]),
                )
            )
        numbers = tuple(str(k + 1) for k in range(len(self.centroids)))
        layers.append(Boxes(*columns(self.centroids), numbers, ("#ffffff",) * len(numbers)))
        first = ", ".join(f"{100 * self.shares[k]:.0f} % in cluster {k + 1}" for k in order[:3].tolist())
        return Chart(
            f"Clusters of {self.family}",
            f"{len(self.places)} networks among {len(self.centroids)} clusters, whose centroids are numbered. Mean "
            f"membership: {first}."
            if first
            else "No network.",
            Axis("first principal component of the centroids"),
            Axis("second"),
            tuple(layers),
            size=(6.4, 4.6),
            note="" if first else "no network is given",
        )


def _said(row: Float[np.ndarray, " C"]) -> str:
    top = np.argsort(-row, kind="stable")[:3]
    return ", ".join(f"cluster {k + 1}: {100 * row[k]:.0f} %" for k in top.tolist())


def plot_clusters(data: ClusterMembership) -> go.Figure:
    """Networks of a family in the plane of the clusters' centroids, each in the colour of its strongest cluster.

    Raises:
        MissingDependencyError: If plotly is absent.
    """
    return plotly_figure(data.chart())
