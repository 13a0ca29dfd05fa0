"""Explanations of predictions: columns and motifs that raise or lower them."""

from foretell.explain.columns import Contributions, explain_columns
from foretell.explain.motifs import Motif, motif_differences, motif_gradients, motif_removals
from foretell.explain.shapley import exact_shapley, sampled_shapley
from foretell.explain.trees import explain_trees

__all__ = [
    "Contributions",
    "Motif",
    "exact_shapley",
    "explain_columns",
    "explain_trees",
    "motif_differences",
    "motif_gradients",
    "motif_removals",
    "sampled_shapley",
]
