"""NNI 3: a tuner for hyperparameters, an assessor that stops trials, a strategy for architecture and recipe together.

Nothing here needs NNI before an attribute is used:

    tuner: {className: foretell_adapters.nni.ForetellTuner, codeDirectory: .}   # in an experiment's YAML
    NasExperiment(space, evaluator, ForetellStrategy(example_inputs=torch.zeros(1, 3, 32, 32)))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretell_adapters.nni.assessor import ForetellAssessor
    from foretell_adapters.nni.by_name import ForetellClassArgsValidator
    from foretell_adapters.nni.strategy import ForetellStrategy
    from foretell_adapters.nni.tuner import ForetellTuner

__all__ = ["ForetellAssessor", "ForetellClassArgsValidator", "ForetellStrategy", "ForetellTuner"]

_MODULES = {
    "ForetellAssessor": "foretell_adapters.nni.assessor",
    "ForetellClassArgsValidator": "foretell_adapters.nni.by_name",
    "ForetellStrategy": "foretell_adapters.nni.strategy",
    "ForetellTuner": "foretell_adapters.nni.tuner",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from foretell_adapters.nni.installation import needs_nni

    with needs_nni():
        return getattr(importlib.import_module(_MODULES[name]), name)
