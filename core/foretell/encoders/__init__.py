"""Encoders turn candidates into columns; the registry lets checkpoints and plugins name them."""

from foretell.encoders.encoding import ColumnScaler, Encoder, Encoding
from foretell.encoders.graph_statistics import GraphStatistics
from foretell.encoders.hyperparameters import Hyperparameters
from foretell.encoders.of_cells import OfCells
from foretell.encoders.operator_statistics import OperatorStatistics
from foretell.encoders.registry import ENCODERS, register_encoder

__all__ = [
    "ENCODERS",
    "ColumnScaler",
    "Encoder",
    "Encoding",
    "GraphStatistics",
    "Hyperparameters",
    "OfCells",
    "OperatorStatistics",
    "register_encoder",
]
