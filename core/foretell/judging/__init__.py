"""Judging spaces and searches: distributions of errors, comparisons, what is owed to settings."""

from foretell.judging.error_distribution import ErrorDistribution, SpaceComparison, compare_spaces
from foretell.judging.lottery import Lottery, chance_ahead, lottery
from foretell.judging.narrowed_space import NarrowedSpace

__all__ = [
    "ErrorDistribution",
    "Lottery",
    "NarrowedSpace",
    "SpaceComparison",
    "chance_ahead",
    "compare_spaces",
    "lottery",
]
