"""NASLib's own predictors as its runner makes them, by the names that it gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

_ONE_HOT = {"encoding_type": "ADJACENCY_ONE_HOT"}

_MADE: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "rf": ("RandomForestPredictor", {**_ONE_HOT, "hpo_wrapper": False}),
        "xgb": ("XGBoost", {**_ONE_HOT, "hpo_wrapper": False}),
        "lgb": ("LGBoost", {**_ONE_HOT, "hpo_wrapper": False}),
        "ngb": ("NGBoost", {**_ONE_HOT, "hpo_wrapper": False}),
        "gcn": ("GCNPredictor", {"encoding_type": "GCN", "hpo_wrapper": True}),
        "bananas": ("Ensemble", {"predictor_type": "bananas", "num_ensemble": 3, "hpo_wrapper": True}),
        "bonas": ("BonasPredictor", {"encoding_type": "BONAS", "hpo_wrapper": True}),
        "bohamiann": ("BOHAMIANN", _ONE_HOT),
        "var_sparse_gp": ("VarSparseGPPredictor", {**_ONE_HOT, "optimize_gp_hyper": True}),
        "sparse_gp": ("SparseGPPredictor", {**_ONE_HOT, "optimize_gp_hyper": True}),
        "gp": ("GPPredictor", _ONE_HOT),
        "gpwl": ("GPWLPredictor", {"kernel_type": "wloa", "optimize_gp_hyper": True, "h": "auto"}),
        "mlp": ("MLPPredictor", {**_ONE_HOT, "hpo_wrapper": False}),
        "bayes_lin_reg": ("BayesianLinearRegression", _ONE_HOT),
        "dngo": ("DNGOPredictor", _ONE_HOT),
        "nao": ("SemiNASPredictor", {"encoding_type": "SEMINAS", "semi": False, "hpo_wrapper": False}),
        "seminas": ("SemiNASPredictor", {"encoding_type": "SEMINAS", "semi": True, "hpo_wrapper": False}),
    }
)
PEERS = tuple(_MADE)
"""Names of NASLib's model-based predictors."""


def peer(name: str, ss_type: str) -> Any:
    """A fresh predictor of NASLib with the settings that its runner ships.

    Args:
        name: One of `PEERS`.
        ss_type: Name of the search space.
    """
    from naslib import predictors
    from naslib.utils.encodings import EncodingType

    cls, options = _MADE[name]
    settings = dict(options)
    if "encoding_type" in settings:
        settings["encoding_type"] = EncodingType[settings["encoding_type"]]
    make: Callable[..., Any] = getattr(predictors, cls)
    return make(ss_type=ss_type, **settings)
