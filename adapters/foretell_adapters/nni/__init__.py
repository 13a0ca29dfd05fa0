"""NNI 3: a tuner for hyperparameters, a strategy for architecture and recipe together.

Nothing here needs NNI before an attribute is used:

    tuner: {className: foretell_adapters.nni.ForetellTuner, codeDirectory: .}   # in an experiment's YAML
    NasExperiment(space, evaluator, ForetellStrategy(example_inputs=torch.zeros(1, 3, 32, 32)))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretell_adapters.nni.strategy import ForetellStrategy
    from foretell_adapters.nni.tuner import ForetellClassArgsValidator, ForetellTuner

__all__ = ["ForetellClassArgsValidator", "ForetellStrategy", "ForetellTuner"]

_MODULES = {
    "ForetellClassArgsValidator": "foretell_adapters.nni.tuner",
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
