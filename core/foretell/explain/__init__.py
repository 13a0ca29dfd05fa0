"""Explanations of predictions: columns that raise or lower them."""

from foretell.explain.columns import Contributions, explain_columns
from foretell.explain.shapley import exact_shapley, sampled_shapley
from foretell.explain.trees import explain_trees

__all__ = ["Contributions", "exact_shapley", "explain_columns", "explain_trees", "sampled_shapley"]
