"""Surrogates turn columns and targets into a posterior; checkpoints and plugins name them in the registry."""

from foretell.surrogates.cross_fitted import CrossFitted
from foretell.surrogates.extra_trees import ExtraTrees
from foretell.surrogates.gaussian_process import GaussianProcess
from foretell.surrogates.gradient_boosting import GradientBoosting
from foretell.surrogates.on_groups import OnGroups
from foretell.surrogates.random_forest import RandomForest
from foretell.surrogates.registry import SURROGATES, register_surrogate
from foretell.surrogates.stack import Stack
from foretell.surrogates.support_vectors import SupportVectors
from foretell.surrogates.surrogate import FittedSurrogate, Surrogate

__all__ = [
    "SURROGATES",
    "CrossFitted",
    "ExtraTrees",
    "FittedSurrogate",
    "GaussianProcess",
    "GradientBoosting",
    "OnGroups",
    "RandomForest",
    "Stack",
    "SupportVectors",
    "Surrogate",
    "register_surrogate",
]
