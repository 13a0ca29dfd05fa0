"""Encoders turn candidates into columns; the registry lets checkpoints and plugins name them."""

from foretell.encoders.adjacency import Adjacency
from foretell.encoders.derivation import Derivation
from foretell.encoders.encoding import ColumnScaler, Encoder, Encoding
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
from foretell.encoders.registry import ENCODERS, register_encoder
from foretell.encoders.signal_propagation import SignalPropagation
from foretell.encoders.weisfeiler_lehman import WeisfeilerLehman

__all__ = [
    "ENCODERS",
    "Adjacency",
    "ColumnScaler",
    "Derivation",
    "Encoder",
    "Encoding",
    "Flow",
    "GraphStatistics",
    "Hyperparameters",
    "LaplacianSpectrum",
    "LearningCurve",
    "Measurements",
    "OfCells",
    "OperatorStatistics",
    "Paths",
    "Pretrained",
    "SignalPropagation",
    "WeisfeilerLehman",
    "register_encoder",
]
