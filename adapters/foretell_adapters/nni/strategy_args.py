"""The arguments of our strategy as a YAML file can say them: shapes for inputs, names for functions, paths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from foretell.errors import InvalidDataError
from foretell.limit import Limit
from foretell_adapters.nni.imported_function import imported_function


def strategy_args(given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Keyword arguments of `ForetellStrategy`.

    Args:
        given: Of these, `example_inputs` may be a shape or a list of shapes, `graph` is `module:function`, `limits` has
            numbers, or `{measure: module:function, at_most: number}`, and `warm_start` is a path.
        folder: What paths are relative to.

    Raises:
        InvalidDataError: If one of those is something else.

    >>> strategy_args({"example_inputs": [1, 3, 8, 8]}, Path())["example_inputs"][0].shape
    torch.Size([1, 3, 8, 8])
    """
    args = dict(given)
    if "example_inputs" in args:
        args["example_inputs"] = _inputs(args["example_inputs"])
    if "limits" in args:
        args["limits"] = _limits(args["limits"])
    if "graph" in args:
        args["graph"] = imported_function(args["graph"], "graph")
    if isinstance(args.get("warm_start"), str):
        args["warm_start"] = folder / Path(args["warm_start"]).expanduser()
    return args


def _inputs(given: object) -> tuple[torch.Tensor, ...]:
    shapes = [given] if isinstance(given, list) and given and all(isinstance(n, int) for n in given) else given
    right = isinstance(shapes, list) and all(
        isinstance(s, list) and s and all(isinstance(n, int) and n > 0 for n in s) for s in shapes
    )
    if not right:
        msg = (
            f"example_inputs must be a shape with a batch dimension, or a list of them, but got {given!r}: write "
            "[1, 3, 32, 32]"
        )
        raise InvalidDataError(msg)
    assert isinstance(shapes, list)
    return tuple(torch.zeros(*shape) for shape in shapes)


def _limits(given: object) -> list[Limit]:
    if not isinstance(given, Mapping):
        msg = f"limits must be a mapping, but got {given!r}: write limits: {{flops: 3.0e+8}}"
        raise InvalidDataError(msg)
    found = []
    for name, value in given.items():
        if isinstance(value, Mapping):
            if set(value) != {"measure", "at_most"}:
                msg = (
                    f"a limit must have measure and at_most, but {name!r} has {sorted(value)}: write "
                    "{measure: module:function, at_most: 5.0}"
                )
                raise InvalidDataError(msg)
            found.append(Limit(imported_function(value["measure"], "a limit's measure"), _number(value["at_most"])))
        else:
            found.append(Limit(str(name), _number(value)))
    return found


def _number(value: Any) -> Any:
    """YAML reads 3e8 as a string."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
