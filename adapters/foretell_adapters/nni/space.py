"""NNI's search space of a tuner, as ours, and parameters to and fro.

A nested choice becomes a categorical over its `_name`s; what lies inside an alternative is active under that
choice. Names are paths such as `model/mlp/width`, escaped as in a JSON pointer; trials see NNI's dicts.
"""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidSearchSpaceError
from foretell.search_space import Condition, SearchSpace
from foretell_adapters.nni.parameter_types import Choice, Quantile, Real, Rounded, Whole, choice, grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from foretell.distributions import Value
    from foretell_adapters.nni.parameter_types import ParameterType

_N_NUMBERS = {
    "randint": 2,
    "uniform": 2,
    "quniform": 3,
    "loguniform": 2,
    "qloguniform": 3,
    "normal": 2,
    "qnormal": 3,
    "lognormal": 2,
    "qlognormal": 3,
}
TYPES = ("choice", *_N_NUMBERS)


@dataclass(frozen=True)
class Parameter:
    """One parameter of NNI's space.

    Args:
        name: Its path through names and alternatives, as the optimizer knows it.
        keys: Where its value stands in a trial's parameters.
        type: What values it has.
        condition: The alternative that it belongs to.
    """

    name: str
    keys: tuple[str, ...]
    type: ParameterType
    condition: Condition | None = None


@dataclass(frozen=True)
class NniSpace:
    """NNI's search space with its parameters in order, a choice before what is nested in it.

    >>> space = NniSpace.parse({"lr": {"_type": "loguniform", "_value": [0.001, 0.1]}})
    >>> space.to_parameters({"lr": 0.01})
    {'lr': 0.01}
    """

    parameters: tuple[Parameter, ...]

    @classmethod
    def parse(cls, search_space: object) -> NniSpace:
        """Read the JSON of a search space.

        Raises:
            InvalidSearchSpaceError: If it is not one; the message names the parameter and what to write.
        """
        return cls(tuple(_parameters(search_space, "", (), None)))

    @property
    def search_space(self) -> SearchSpace:
        """The space that the optimizer searches."""
        return SearchSpace(
            {p.name: p.type.distribution for p in self.parameters},
            {p.name: (p.condition,) for p in self.parameters if p.condition is not None},
        )

    def to_parameters(self, config: Mapping[str, Value]) -> dict[str, Any]:
        """What a trial receives for a configuration."""
        out: dict[str, Any] = {}
        for parameter in self.parameters:
            if parameter.name not in config:
                continue
            place = out
            for key in parameter.keys[:-1]:
                place = place.setdefault(key, {})
            place[parameter.keys[-1]] = parameter.type.to_nni(config[parameter.name])
        return out

    def from_parameters(self, parameters: object) -> dict[str, Value]:
        """The configuration that a trial had; keys that the space does not know are ignored.

        Raises:
            InvalidSearchSpaceError: If an active parameter is missing or has a value outside the space.
        """
        config: dict[str, Value] = {}
        for parameter in self.parameters:
            condition = parameter.condition
            if condition is not None and config.get(condition.parent) not in condition.values:
                continue
            place = parameters
            for key in parameter.keys:
                if not isinstance(place, dict) or key not in place:
                    msg = (
                        f"a trial must give every active parameter, but {'/'.join(parameter.keys)!r} "
                        f"is missing in {parameters!r}: leave that trial out"
                    )
                    raise InvalidSearchSpaceError(msg)
                place = place[key]
            config[parameter.name] = parameter.type.from_nni(place)
        return config


def _parameters(space: object, prefix: str, keys: tuple[str, ...], condition: Condition | None) -> Iterator[Parameter]:
    if not isinstance(space, dict):
        msg = (
            f"a search space must be a mapping from names to {{_type, _value}}, but got {space!r}: "
            "write e.g. {lr: {_type: loguniform, _value: [0.0001, 0.1]}}"
        )
        raise InvalidSearchSpaceError(msg)
    for key, entry in space.items():
        if key == "_name":
            continue
        name = prefix + _escape(str(key))
        kind, values = _entry(name, entry)
        alternatives = _alternatives(name, values) if kind == "choice" else None
        if alternatives is None:
            yield Parameter(name, (*keys, key), _type(name, kind, values), condition)
            continue
        yield Parameter(name, (*keys, key, "_name"), Choice.of(alternatives), condition)
        for alternative, inside in alternatives.items():
            under = Condition(name, frozenset({alternative}))
            yield from _parameters(inside, f"{name}/{_escape(alternative)}/", (*keys, key), under)


def _entry(name: str, entry: object) -> tuple[str, list[Any]]:
    if not isinstance(entry, dict) or "_type" not in entry or "_value" not in entry:
        msg = f"a parameter must be a mapping with `_type` and `_value`, but {name!r} is {entry!r}: add both"
        raise InvalidSearchSpaceError(msg)
    kind, values = entry["_type"], entry["_value"]
    if kind not in TYPES:
        near = difflib.get_close_matches(str(kind).lower(), TYPES, n=1)
        remedy = f"write {near[0]!r}" if near else "write one of them"
        msg = f"a parameter's `_type` must be one of {', '.join(TYPES)}, but {name!r} has {kind!r}: {remedy}"
        raise InvalidSearchSpaceError(msg)
    if not isinstance(values, list | tuple) or not values:
        msg = f"a parameter's `_value` must be a list, not empty, but {name!r} has {values!r}: list values"
        raise InvalidSearchSpaceError(msg)
    return kind, list(values)


def _alternatives(name: str, values: list[Any]) -> dict[str, dict[str, Any]] | None:
    """The alternatives of a nested choice by name, None of a plain one: all of them have a `_name`."""
    if not all(isinstance(v, dict) and "_name" in v for v in values):
        return None
    names = [v["_name"] for v in values]
    if any(not isinstance(n, str) for n in names) or max(Counter(names).values()) > 1:
        msg = (
            "the alternatives of a nested choice must have different strings as `_name`, but "
            f"{name!r} has {names}: rename them"
        )
        raise InvalidSearchSpaceError(msg)
    return dict(zip(names, values, strict=True))


def _type(name: str, kind: str, values: list[Any]) -> ParameterType:
    if kind == "choice":
        return choice(values)
    a, b, q = _numbers(name, kind, values)
    if not q > 0:
        raise _broken(name, kind, values, "q > 0", "give a positive step")
    if "normal" in kind:
        if not b > 0:
            raise _broken(name, kind, values, "sigma > 0", "give [mu, sigma]")
        normal = Quantile(NormalDist(a, b), log="log" in kind)
        return Rounded(normal, q) if kind[0] == "q" else normal
    if kind == "randint":
        if not (a.is_integer() and b.is_integer() and a < b):
            raise _broken(name, kind, values, "whole numbers and low < high", "the upper bound is excluded")
        return Whole(int(a), int(b) - 1)
    if a > b:
        raise _broken(name, kind, values, "low <= high", "swap them")
    log = "log" in kind
    if log and a <= 0:
        raise _broken(name, kind, values, "low > 0", "raise low or drop the log")
    return grid(a, b, q, log) if kind[0] == "q" else Real(a, b, log)


def _numbers(name: str, kind: str, values: list[Any]) -> tuple[float, float, float]:
    """Two or three numbers; as in NNI, a string will do, since YAML reads 1e-4 as one."""
    numbers = [_parsed(v) for v in values]
    if len(values) != _N_NUMBERS[kind] or any(n is None for n in numbers):
        what = "low, high" if "normal" not in kind else "mu, sigma"
        what += ", q" if _N_NUMBERS[kind] == 3 else ""
        raise _broken(name, kind, values, f"{_N_NUMBERS[kind]} finite numbers", f"give [{what}]")
    a, b, q = (*numbers, 1.0)[:3]
    assert a is not None
    assert b is not None
    assert q is not None
    return a, b, q


def _parsed(value: Any) -> float | None:
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return number if number is not None and abs(number) < float("inf") else None


def _broken(name: str, kind: str, values: list[Any], rule: str, remedy: str) -> InvalidSearchSpaceError:
    return InvalidSearchSpaceError(f"{kind} needs {rule}, but {name!r} has {values!r}: {remedy}")


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
