"""Explanations of predictions: columns, motifs and operators that raise or lower them, and what to leave out."""

from foretell.explain.columns import Contributions, explain_columns
from foretell.explain.contribution_bars import bars_svg
from foretell.explain.heat_map import heat_map_svg
from foretell.explain.motifs import Motif, motif_differences, motif_gradients, motif_removals
from foretell.explain.narrowing import Drop, Narrowing, narrow
from foretell.explain.operators import OperatorContributions, explain_operators, skip_operators
from foretell.explain.shapley import exact_shapley, sampled_shapley
from foretell.explain.trees import explain_trees

__all__ = [
    "Contributions",
    "Drop",
    "Motif",
    "Narrowing",
    "OperatorContributions",
    "bars_svg",
    "exact_shapley",
    "explain_columns",
    "explain_operators",
    "explain_trees",
    "heat_map_svg",
    "motif_differences",
    "motif_gradients",
    "motif_removals",
    "narrow",
    "sampled_shapley",
    "skip_operators",
]
