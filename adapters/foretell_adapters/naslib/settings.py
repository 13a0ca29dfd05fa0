"""The hyperparameters of presets that NASLib may choose by its cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from foretell.distributions import FloatDistribution, IntDistribution
from foretell.errors import InvalidDataError
from foretell.search_space import SearchSpace

if TYPE_CHECKING:
    from foretell.surrogates import Surrogate

_RATE = SearchSpace({"learning_rate": FloatDistribution(1e-4, 3e-2, log=True)})
_TEMPERATURE = SearchSpace({"temperature": FloatDistribution(0.05, 1.0, log=True)})
_NOTHING = SearchSpace({})

TUNABLE: Mapping[str, SearchSpace] = MappingProxyType(
    {
        "foretell": _TEMPERATURE,
        "foretell-pretrained": _TEMPERATURE,
        "graf": SearchSpace({"max_features": FloatDistribution(0.1, 1.0), "min_samples_leaf": IntDistribution(1, 5)}),
        "gbdt-nas": SearchSpace(
            {"learning_rate": FloatDistribution(0.02, 0.2, log=True), "n_leaves": IntDistribution(8, 63, log=True)}
        ),
        "nas-bowl": SearchSpace({"length_scale": FloatDistribution(0.5, 5.0, log=True)}),
        **dict.fromkeys(("flan", "brp-nas", "bananas", "boshnas", "nars"), _RATE),
    }
)
"""Fields of a preset's surrogate, or of the first one inside it that has them."""


def tunable(preset: str) -> SearchSpace:
    """What may be chosen for a preset; nothing for one that is not listed.

    >>> tunable("nas-bowl").names
    ('length_scale',)
    """
    return TUNABLE.get(preset, _NOTHING)


def settings_of(surrogate: Surrogate, names: tuple[str, ...]) -> dict[str, Any]:
    """The present values of some fields.

    >>> from foretell.presets import PRESETS
    >>> settings_of(PRESETS["foretell"]().surrogate, ("temperature",))
    {'temperature': 0.2}
    """
    holder: Any = surrogate
    while not set(names) <= _names(holder):
        holder = holder.surrogate
    return {name: getattr(holder, name) for name in names}


def with_settings(surrogate: Surrogate, settings: Mapping[str, Any]) -> Surrogate:
    """The surrogate with other values of some fields.

    Raises:
        InvalidDataError: If neither it nor one inside it has these fields.
    """
    if set(settings) <= _names(surrogate):
        return replace(surrogate, **settings) if settings else surrogate  # type: ignore[type-var]
    if not hasattr(surrogate, "surrogate"):
        msg = f"settings must be fields of the surrogate, but {surrogate.name} has no {sorted(settings)}: drop them"
        raise InvalidDataError(msg)
    inner = with_settings(surrogate.surrogate, settings)
    return replace(surrogate, surrogate=inner)  # type: ignore[type-var, no-any-return]


def _names(surrogate: Any) -> set[str]:
    return {field.name for field in fields(surrogate)}
