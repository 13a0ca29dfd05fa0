"""From small training runs to one that is too large to be tried: which settings, which loss, and how sure."""

from foretell.scale.power_law import PowerLaw
from foretell.scale.recommendation import Recommendation
from foretell.scale.scaled_run import ScaledRun
from foretell.scale.scaling_surrogate import LANGUAGE_MODELS, ScalingSurrogate

__all__ = ["LANGUAGE_MODELS", "PowerLaw", "Recommendation", "ScaledRun", "ScalingSurrogate"]
