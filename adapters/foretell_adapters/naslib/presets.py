"""A NASLib predictor for each preset: the same adapter, another predictor behind it.

>>> PREDICTORS["graf"]("nasbench201")
GrafPredictor(ss_type='nasbench201', hyperparams={'max_features': 1.0, 'min_samples_leaf': 1}, not fitted)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from foretell.errors import InvalidDataError
from foretell_adapters.naslib.predictor import ForetellPredictor


class ForetellPretrainedPredictor(ForetellPredictor):
    """Ours with weights from other families of networks."""

    preset = "foretell-pretrained"


class GennapePredictor(ForetellPredictor):
    """GENNAPE, trained on NAS-Bench-101, its heads tuned on the labels: not for that space, whose labels it knows."""

    preset = "gennape"


class GrafPredictor(ForetellPredictor):
    """Random forest over graph features."""

    preset = "graf"


class GbdtNasPredictor(ForetellPredictor):
    """LightGBM over one-hot cells."""

    preset = "gbdt-nas"


class NasBowlPredictor(ForetellPredictor):
    """Gaussian process over Weisfeiler-Lehman counts."""

    preset = "nas-bowl"


class NeuralPredictor(ForetellPredictor):
    """Graph convolutions both ways."""

    preset = "neural-predictor"


class FlanPredictor(ForetellPredictor):
    """Dense graph flow and attention."""

    preset = "flan"


class BrpNasPredictor(ForetellPredictor):
    """Graph convolutions that learn from pairs."""

    preset = "brp-nas"


class PathPredictor(ForetellPredictor):
    """Perceptrons over paths: our BANANAS."""

    preset = "bananas"


class BoshnasPredictor(ForetellPredictor):
    """Heteroscedastic network."""

    preset = "boshnas"


class NarsPredictor(ForetellPredictor):
    """Perceptron pretrained on the sizes of unlabelled architectures."""

    preset = "nars"


class BakerPredictor(ForetellPredictor):
    """Support vectors over the learning curve so far."""

    preset = "baker"


PREDICTORS: Mapping[str, type[ForetellPredictor]] = MappingProxyType(
    {
        cls.preset: cls
        for cls in (
            ForetellPredictor,
            ForetellPretrainedPredictor,
            GennapePredictor,
            GrafPredictor,
            GbdtNasPredictor,
            NasBowlPredictor,
            NeuralPredictor,
            FlanPredictor,
            BrpNasPredictor,
            PathPredictor,
            BoshnasPredictor,
            NarsPredictor,
            BakerPredictor,
        )
    }
)
"""Classes by preset."""


def predictor_class(preset: str) -> type[ForetellPredictor]:
    """The class of a preset.

    Raises:
        InvalidDataError: If there is none of that name.
    """
    if preset not in PREDICTORS:
        msg = f"a preset for NASLib must be one of {sorted(PREDICTORS)}, but got {preset!r}: choose one"
        raise InvalidDataError(msg)
    return PREDICTORS[preset]
