"""Which surrogate a name in a checkpoint means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from foretell.named_factories import NamedFactories
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
from foretell.surrogates.stack import Stack
from foretell.surrogates.support_vectors import SupportVectors
from foretell.surrogates.surrogate import Surrogate
from foretell.surrogates.two_stage import TwoStage


def _made(config: dict[str, Any]) -> Surrogate:
    """A surrogate inside another one."""
    return SURROGATES.make(config["name"], config["config"])


def _process(config: dict[str, Any]) -> GaussianProcess:
    prior = config.get("prior")
    return GaussianProcess(**{**config, "prior": None if prior is None else KernelPrior(**prior)})


SURROGATES: NamedFactories[Surrogate] = NamedFactories(
    "surrogate",
    {
        "gaussian_process": _process,
        "extra_trees": lambda c: ExtraTrees(**c),
        "calibrated": lambda c: Calibrated(**{**c, "surrogate": _made(c["surrogate"])}),
        "cross_fitted": lambda c: CrossFitted(**{**c, "surrogate": _made(c["surrogate"])}),
        "on_groups": lambda c: OnGroups(_made(c["surrogate"]), tuple(c["groups"])),
        "on_trend": lambda c: OnTrend(**{**c, "surrogate": _made(c["surrogate"])}),
        "stack": lambda c: Stack(**{**c, "members": tuple(_made(m) for m in c["members"])}),
        "random_forest": lambda c: RandomForest(**c),
        "gradient_boosting": lambda c: GradientBoosting(**c),
        "invariant_ridge": lambda c: InvariantRidge(**c),
        "support_vectors": lambda c: SupportVectors(**c),
        "adjacency_network": lambda c: AdjacencyNetwork(**c),
        "flow_network": lambda c: FlowNetwork(**c),
        "pairwise_network": lambda c: PairwiseNetwork(**c),
        "mlp_ensemble": lambda c: MlpEnsemble(**c),
        "bayesian_network": lambda c: BayesianNetwork(**c),
        "free_label_network": lambda c: FreeLabelNetwork(**c),
        "two_stage": lambda c: TwoStage.from_config(c, SURROGATES.make),
    },
)
"""Surrogates by name; each factory takes the JSON settings that `Surrogate.to_config` gives."""


def register_surrogate(name: str, factory: Callable[[dict[str, Any]], Surrogate]) -> None:
    """Make a surrogate known by name.

    Raises:
        PluginError: If the name is taken by another factory.
    """
    SURROGATES.register(name, factory)
