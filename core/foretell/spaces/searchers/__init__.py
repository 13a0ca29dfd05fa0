"""Searches over programs behind one interface, `suggest(observed, seed)`."""

from foretell.spaces.searchers.decision_latent import DecisionLatent
from foretell.spaces.searchers.encoded_latent import EncodedLatent
from foretell.spaces.searchers.evolution import Evolution
from foretell.spaces.searchers.latent_search import LatentSearch
from foretell.spaces.searchers.local_search import LocalSearch
from foretell.spaces.searchers.model_search import ModelSearch
from foretell.spaces.searchers.random_search import RandomSearch
from foretell.spaces.searchers.searcher import Searcher
from foretell.spaces.searchers.tree_search import TreeSearch

__all__ = [
    "DecisionLatent",
    "EncodedLatent",
    "Evolution",
    "LatentSearch",
    "LocalSearch",
    "ModelSearch",
    "RandomSearch",
    "Searcher",
    "TreeSearch",
]
