"""The named predictors: each a few lines over encoders and surrogates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from foretell.encoders import GraphStatistics
from foretell.predictor import Predictor
from foretell.surrogates import ExtraTrees, GaussianProcess

PRESETS: Mapping[str, Callable[[], Predictor]] = {
    "statistics-gp": lambda: Predictor((GraphStatistics(),), GaussianProcess()),
    "statistics-trees": lambda: Predictor((GraphStatistics(),), ExtraTrees()),
}
"""Predictors by name."""
