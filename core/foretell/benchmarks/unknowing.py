"""A predictor as it would be for a family or a task that nobody has labelled: what measuring transfer needs."""

from __future__ import annotations

from dataclasses import replace

from foretell.encoders import Pretrained
from foretell.predictor import Predictor


def unknowing(predictor: Predictor, what: str) -> Predictor:
    """The predictor, not fitted, without pretrained weights that learnt from labels of a family, or `family.task`.

    >>> predictor = unknowing(Predictor((Pretrained(),)), "nasbench201")
    >>> "nasbench201.cifar10" in predictor.encoders[0].sources
    False
    """
    encoders = [replace(e, without=(*e.without, what)) if isinstance(e, Pretrained) else e for e in predictor.encoders]
    return Predictor(encoders, predictor.surrogate)
