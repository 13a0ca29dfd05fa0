"""What a fitted or shipped predictor says of networks, with how far these are from what it learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foretell.candidate import as_candidate
from foretell.errors import InvalidDataError
from foretell.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.aio_p.aio_p import AioP
    from foretell.candidate import Candidate
    from foretell.graph import ComputationGraph
    from foretell.posterior import Posterior
    from foretell.pretraining.gennape import Gennape


def judge(
    predictor: Predictor | Gennape | AioP, networks: Sequence[ComputationGraph | Candidate]
) -> tuple[Posterior, Float[np.ndarray, " n"]]:
    """Belief about networks, and their distance ratios (`Predictor.distance_ratios`), `nan` where these are not known.

    Args:
        predictor: From `Predictor.fit`, `Predictor.load` or `Predictor.from_pretrained`.
        networks: At least one, n of them, as graphs or as candidates that have one.

    Raises:
        InvalidDataError: If the predictor sees nothing of one of them.
    """
    candidates = [as_candidate(network) for network in networks]
    if isinstance(predictor, Predictor):
        encoding = predictor.encode(candidates)
        blind = ~encoding.mask.any(axis=1)
    else:
        blind = np.array([candidate.graph is None for candidate in candidates])
    if blind.any():
        msg = (
            f"a predictor must see something of what it judges, but {predictor} sees nothing of number "
            f"{int(np.argmax(blind))}: give a network where it knows networks, hyperparameters by the names that it "
            "knows where it knows those"
        )
        raise InvalidDataError(msg)
    if isinstance(predictor, Predictor):
        return predictor.predict_encoding(encoding), predictor.distance_ratios(encoding)
    graphs = [candidate.graph for candidate in candidates if candidate.graph is not None]
    return predictor.predict(graphs), np.full(len(graphs), np.nan)
