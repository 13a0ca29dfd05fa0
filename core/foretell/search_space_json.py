"""Search spaces as JSON values, for checkpoints and study attributes; checked when read."""

from __future__ import annotations

from typing import Any

from foretell.distributions import CategoricalDistribution, Distribution, FloatDistribution, IntDistribution
from foretell.errors import InvalidSearchSpaceError
from foretell.search_space import Condition, SearchSpace

_KINDS: dict[str, type[Distribution]] = {
    "float": FloatDistribution,
    "int": IntDistribution,
    "categorical": CategoricalDistribution,
}


def space_to_json(space: SearchSpace) -> dict[str, Any]:
    """A search space as nested dicts and lists of plain values."""
    return {
        "distributions": [[name, _distribution_to_json(d)] for name, d in space.distributions.items()],
        "conditions": [
            [name, condition.parent, sorted(condition.values, key=repr)]
            for name, conditions in space.conditions.items()
            for condition in conditions
        ],
    }


def space_from_json(data: Any) -> SearchSpace:
    """Inverse of `space_to_json`.

    Raises:
        InvalidSearchSpaceError: If the data has another form.
    """
    try:
        distributions = {str(name): _distribution_from_json(d) for name, d in data["distributions"]}
        conditions: dict[str, tuple[Condition, ...]] = {}
        for name, parent, values in data["conditions"]:
            if not isinstance(name, str) or not isinstance(parent, str):
                raise TypeError(f"names must be texts, not {name!r} and {parent!r}")
            conditions[name] = (*conditions.get(name, ()), Condition(parent, frozenset(values)))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as e:
        msg = (
            "a stored search space needs `distributions` and `conditions` in foretell's form, but got "
            f"{e!r}: save it again"
        )
        raise InvalidSearchSpaceError(msg) from e
    return SearchSpace(distributions, conditions)


def _distribution_to_json(d: Distribution) -> dict[str, Any]:
    if isinstance(d, CategoricalDistribution):
        return {"kind": "categorical", "choices": list(d.choices)}
    kind = "float" if isinstance(d, FloatDistribution) else "int"
    return {"kind": kind, "low": d.low, "high": d.high, "log": d.log, "step": d.step}


def _distribution_from_json(data: dict[str, Any]) -> Distribution:
    settings = {k: v for k, v in data.items() if k != "kind"}
    if data["kind"] == "categorical":
        settings["choices"] = tuple(settings["choices"])
    elif (
        any(isinstance(settings.get(n), bool) for n in ("low", "high", "step")) or type(settings.get("log")) is not bool
    ):
        raise TypeError(f"bounds and step must be numbers and `log` true or false, not {settings}")
    return _KINDS[data["kind"]](**settings)
