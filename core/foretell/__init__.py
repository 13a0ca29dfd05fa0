"""foretell predicts how well a neural network will do, from its graph, its hyperparameters, or both."""

from foretell.candidate import Candidate
from foretell.distributions import CategoricalDistribution, Distribution, FloatDistribution, IntDistribution
from foretell.encoders import Encoder, Encoding, GraphStatistics, Hyperparameters
from foretell.errors import ForetellError, ForetellWarning
from foretell.graph import ComputationGraph, Node
from foretell.observation import Observation
from foretell.optimizer import BayesianOptimizer
from foretell.posterior import Posterior
from foretell.predictor import Predictor
from foretell.search_space import Condition, SearchSpace
from foretell.surrogates import ExtraTrees, GaussianProcess, Surrogate

__all__ = [
    "BayesianOptimizer",
    "Candidate",
    "CategoricalDistribution",
    "ComputationGraph",
    "Condition",
    "Distribution",
    "Encoder",
    "Encoding",
    "ExtraTrees",
    "FloatDistribution",
    "ForetellError",
    "ForetellWarning",
    "GaussianProcess",
    "GraphStatistics",
    "Hyperparameters",
    "IntDistribution",
    "Node",
    "Observation",
    "Posterior",
    "Predictor",
    "SearchSpace",
    "Surrogate",
]
