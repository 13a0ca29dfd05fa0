"""foretell in NASLib: a predictor for its evaluator, and what makes NASLib run on today's Python."""

from foretell_adapters.naslib.predictor import ForetellPredictor
from foretell_adapters.naslib.protocol import NASLibPredictor
from foretell_adapters.naslib.space import graph_of

__all__ = ["ForetellPredictor", "NASLibPredictor", "graph_of"]
