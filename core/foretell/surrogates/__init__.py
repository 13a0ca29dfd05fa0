"""Surrogates turn columns and targets into a posterior; checkpoints and plugins name them in the registry."""

from foretell.surrogates.extra_trees import ExtraTrees
from foretell.surrogates.gaussian_process import GaussianProcess
from foretell.surrogates.registry import SURROGATES, register_surrogate
from foretell.surrogates.surrogate import FittedSurrogate, Surrogate

__all__ = [
    "SURROGATES",
    "ExtraTrees",
    "FittedSurrogate",
    "GaussianProcess",
    "Surrogate",
    "register_surrogate",
]
