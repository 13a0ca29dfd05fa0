"""What a fitted or shipped predictor says of networks, with how far these are from what it learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.aio_p.aio_p import AioP
    from foretell.graph import ComputationGraph
    from foretell.posterior import Posterior
    from foretell.pretraining.gennape import Gennape


def judge(
    predictor: Predictor | Gennape | AioP, graphs: Sequence[ComputationGraph]
) -> tuple[Posterior, Float[np.ndarray, " n"]]:
    """Belief about networks, and their distance ratios (`Predictor.distance_ratios`), `nan` where these are not known.

    Args:
        predictor: From `Predictor.fit`, `Predictor.load` or `Predictor.from_pretrained`.
        graphs: At least one network, n of them.
    """
    if isinstance(predictor, Predictor):
        encoding = predictor.encode(graphs)
        return predictor.predict_encoding(encoding), predictor.distance_ratios(encoding)
    return predictor.predict(graphs), np.full(len(graphs), np.nan)
