"""Surrogates turn columns and targets into a posterior; checkpoints and plugins name them in the registry."""

from foretell.surrogates.adjacency_network import AdjacencyNetwork
from foretell.surrogates.bayesian_network import BayesianNetwork
from foretell.surrogates.calibrated import Calibrated
from foretell.surrogates.cross_fitted import CrossFitted
from foretell.surrogates.extra_trees import ExtraTrees
from foretell.surrogates.flow_network import FlowNetwork
from foretell.surrogates.free_label_network import FreeLabelNetwork
from foretell.surrogates.gaussian_process import GaussianProcess
from foretell.surrogates.gradient_boosting import GradientBoosting
from foretell.surrogates.invariant_ridge import InvariantRidge
from foretell.surrogates.kernel_prior import KernelPrior
from foretell.surrogates.mlp_ensemble import MlpEnsemble
from foretell.surrogates.on_groups import OnGroups
from foretell.surrogates.on_trend import OnTrend
from foretell.surrogates.pairwise_network import PairwiseNetwork
from foretell.surrogates.random_forest import RandomForest
from foretell.surrogates.registry import SURROGATES, register_surrogate
from foretell.surrogates.stack import Stack
from foretell.surrogates.support_vectors import SupportVectors
from foretell.surrogates.surrogate import FittedSurrogate, SemiSupervised, Surrogate
from foretell.surrogates.two_stage import TwoStage

__all__ = [
    "SURROGATES",
    "AdjacencyNetwork",
    "BayesianNetwork",
    "Calibrated",
    "CrossFitted",
    "ExtraTrees",
    "FittedSurrogate",
    "FlowNetwork",
    "FreeLabelNetwork",
    "GaussianProcess",
    "GradientBoosting",
    "InvariantRidge",
    "KernelPrior",
    "MlpEnsemble",
    "OnGroups",
    "OnTrend",
    "PairwiseNetwork",
    "RandomForest",
    "SemiSupervised",
    "Stack",
    "SupportVectors",
    "Surrogate",
    "TwoStage",
    "register_surrogate",
]
