"""foretell in NASLib: predictors for its evaluator and optimisers, and what makes NASLib run on today's Python."""

from foretell_adapters.naslib.ensemble import ForetellEnsemble
from foretell_adapters.naslib.predictor import ForetellPredictor
from foretell_adapters.naslib.presets import PREDICTORS, predictor_class
from foretell_adapters.naslib.protocol import NASLibPredictor
from foretell_adapters.naslib.searches import ForetellSearch, bananas, npenas
from foretell_adapters.naslib.space import graph_of

__all__ = [
    "PREDICTORS",
    "ForetellEnsemble",
    "ForetellPredictor",
    "ForetellSearch",
    "NASLibPredictor",
    "bananas",
    "graph_of",
    "npenas",
    "predictor_class",
]
