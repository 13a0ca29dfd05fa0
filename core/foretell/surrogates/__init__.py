"""Surrogates turn columns and targets into a posterior; the registry lets checkpoints and plugins name them."""

from foretell.surrogates.extra_trees import ExtraTrees
from foretell.surrogates.gaussian_process import GaussianProcess
from foretell.surrogates.registry import SURROGATES, register_surrogate
from foretell.surrogates.surrogate import FittedSurrogate, Surrogate

__all__ = ["SURROGATES", "ExtraTrees", "FittedSurrogate", "GaussianProcess", "Surrogate", "register_surrogate"]
