"""Searching with cheap, biased results beside dear ones: how far the cheap ones are believed is learnt on the way."""

from foretell.cross_fidelity.cross_fidelity_search import CrossFidelitySearch
from foretell.cross_fidelity.fidelity_trial import FidelityJob, FidelityTrial

__all__ = ["CrossFidelitySearch", "FidelityJob", "FidelityTrial"]
