"""Which encoder a name in a checkpoint means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from foretell.encoders.adjacency import Adjacency
from foretell.encoders.derivation import Derivation
from foretell.encoders.encoding import Encoder
from foretell.encoders.flow import Flow
from foretell.encoders.graph_statistics import GraphStatistics
from foretell.encoders.hyperparameters import Hyperparameters
from foretell.encoders.laplacian_spectrum import LaplacianSpectrum
from foretell.encoders.learning_curve import LearningCurve
from foretell.encoders.measurements import Measurements
from foretell.encoders.of_cells import OfCells
from foretell.encoders.operator_statistics import OperatorStatistics
from foretell.encoders.paths import Paths
from foretell.encoders.pretrained import Pretrained
from foretell.encoders.signal_propagation import SignalPropagation
from foretell.encoders.weisfeiler_lehman import WeisfeilerLehman
from foretell.named_factories import NamedFactories


def _made(config: dict[str, Any]) -> Encoder:
    """An encoder inside another one."""
    return ENCODERS.make(config["name"], config["config"])


ENCODERS: NamedFactories[Encoder] = NamedFactories(
    "encoder",
    {
        "graph_statistics": GraphStatistics.from_config,
        "hyperparameters": Hyperparameters.from_config,
        "of_cells": lambda c: OfCells(_made(c["encoder"]), c["number"]),
        "operator_statistics": OperatorStatistics.from_config,
        "adjacency": Adjacency.from_config,
        "derivation": Derivation.from_config,
        "flow": Flow.from_config,
        "laplacian_spectrum": LaplacianSpectrum.from_config,
        "learning_curve": LearningCurve.from_config,
        "measurements": Measurements.from_config,
        "paths": Paths.from_config,
        "pretrained": Pretrained.from_config,
        "signal_propagation": SignalPropagation.from_config,
        "weisfeiler_lehman": WeisfeilerLehman.from_config,
    },
)
"""Encoders by name; each factory takes the JSON settings that `Encoder.to_config` gives."""


def register_encoder(name: str, factory: Callable[[dict[str, Any]], Encoder]) -> None:
    """Make an encoder known by name.

    Raises:
        PluginError: If the name is taken by another factory.
    """
    ENCODERS.register(name, factory)
