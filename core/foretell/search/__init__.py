"""Where proposals of networks come from: edits of computation graphs, and the search that makes them."""

from foretell.search.front_search import FrontSearch
from foretell.search.pareto_front import Judged, pareto_front

__all__ = ["FrontSearch", "Judged", "pareto_front"]
