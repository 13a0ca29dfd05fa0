"""Families of networks by name: how to read one of their specifications, draw one, and make its graph.

`foretell show NAME:SPECIFICATION` reads this table. A family is one value; a plugin adds it through the hook
`foretell_register_families`, a program with `register_family`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from foretell.capture import (
    nasbench101,
    nasbench201,
    nasbench301,
    nasbench_macro,
    ofa_mobilenetv3,
    transnasbench101,
)
from foretell.errors import ForetellError, InvalidArchitectureError, PluginError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.graph import ComputationGraph

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Family:
    """Networks that differ only in a short specification.

    Args:
        name: A letter, then letters, digits and underscores.
        graph: Makes the graph of a specification.
        parse: Reads a specification from text; `parse_json` serves where its text is JSON.
        sample: Draws a valid specification, in the form that `parse` gives: a string, or a value that JSON
            holds but for tuples in place of lists.
        size: How many architectures the family's paper counts; None where that is unknown.
        cells: Makes the cells of a specification alone, see `foretell.capture.cell_graph`; None where networks
            are not made of cells.

    Raises:
        PluginError: If the name is of another form, or the size is below 1.

    >>> from foretell.capture.builder import GraphBuilder
    >>> def plain(depth):
    ...     net = GraphBuilder()
    ...     x = net.input((3, 32, 32))
    ...     for _ in range(depth):
    ...         x = net.conv_bn_relu(x, 16, 3)
    ...     return net.graph(net.linear(net.mean(x), 10))
    >>> family = Family("plain", plain, parse=int, sample=lambda rng: int(rng.integers(1, 9)), size=8)
    >>> family.read("3").op_counts()["Conv"]
    3
    >>> family.parse(family.text(5))
    5
    """

    name: str
    graph: Callable[[Any], ComputationGraph]
    parse: Callable[[str], Any]
    sample: Callable[[np.random.Generator], Any]
    size: int | None = None
    cells: Callable[[Any], tuple[ComputationGraph, ...]] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z]\w*", self.name):
            msg = f"a family's name must be a letter, then letters, digits and `_`, but got {self.name!r}: rename it"
            raise PluginError(msg)
        if self.size is not None and self.size < 1:
            msg = f"a family's size must be at least 1, but got {self.size} for {self.name!r}: use None if unknown"
            raise PluginError(msg)

    def read(self, text: str) -> ComputationGraph:
        """The graph of a specification as a person writes it.

        Raises:
            InvalidArchitectureError: If the text is no specification of this family.
        """
        return self._made(self.graph, text)

    def read_cells(self, text: str) -> tuple[ComputationGraph, ...]:
        """The cells of a specification as a person writes it; none where networks are not made of cells.

        Raises:
            InvalidArchitectureError: If the text is no specification of this family.
        """
        return self._made(self.cells, text) if self.cells else ()

    def _made(self, make: Callable[[Any], T], text: str) -> T:
        try:
            return make(self.parse(text))
        except ForetellError:
            raise
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError) as e:
            example = self.text(self.sample(np.random.default_rng(0)))
            msg = (
                f"`{self.name}` needs one of its specifications, such as {example}, but got {text[:200]!r} ({e}): "
                "write it in that form"
            )
            raise InvalidArchitectureError(msg) from e

    def text(self, spec: Any) -> str:
        """A specification as `parse` reads it: a string as it is, anything else as JSON."""
        return spec if isinstance(spec, str) else json.dumps(spec, separators=(",", ":"))


def parse_json(parse: Callable[[Any], Any], text: str) -> Any:
    """Read text that begins with a bracket as JSON first; `partial(parse_json, parse)` makes a family's parser.

    Args:
        parse: Makes a specification of the text, or of what it holds as JSON.
        text: What a person wrote.

    Raises:
        InvalidArchitectureError: If it begins with a bracket and is not JSON.

    >>> parse_json(nasbench_macro.parse, "[0,2,0,1,2,1,0,0]") == parse_json(nasbench_macro.parse, "02012100")
    True
    """
    if not text.lstrip().startswith(("[", "{")):
        return parse(text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as e:
        msg = f"a specification in brackets must be JSON, but got {text[:200]!r} ({e}): correct it"
        raise InvalidArchitectureError(msg) from e
    return parse(value)


def _nasbench101_graph(spec: tuple[list[list[int]], list[str]]) -> ComputationGraph:
    return nasbench101.graph(*spec)


def _ofa_size(resolutions: Sequence[int]) -> int:
    """Kernels and expansions of two to four blocks in each of five stages, at each resolution."""
    stage: int = sum(9**depth for depth in ofa_mobilenetv3.DEPTHS)
    return len(resolutions) * stage**5


_OFA_WIDE = range(160, 225, 4)  # the supernet of width 1.2 was trained on larger images only
_BUILT_IN = (
    Family(
        "nasbench101",
        _nasbench101_graph,
        partial(parse_json, nasbench101.parse),
        nasbench101.sample,
        size=423_624,
        cells=nasbench101.cells,
    ),
    Family(
        "nasbench201",
        nasbench201.graph,
        partial(parse_json, nasbench201.parse),
        nasbench201.sample,
        size=len(nasbench201.OPERATIONS) ** len(nasbench201.EDGES),
        cells=nasbench201.cells,
    ),
    Family(
        "nasbench301",
        nasbench301.graph,
        partial(parse_json, nasbench301.parse),
        nasbench301.sample,
        # two cells; in each the four nodes choose 2 of 2, 3, 4 and 5 inputs, and eight operators
        size=(1 * 3 * 6 * 10 * len(nasbench301.OPERATIONS) ** 8) ** 2,
        cells=nasbench301.cells,
    ),
    Family(
        "transnasbench101",
        transnasbench101.graph,
        partial(parse_json, transnasbench101.parse),
        transnasbench101.sample,
        size=len(transnasbench101.OPERATIONS) ** len(transnasbench101.EDGES),
        cells=transnasbench101.cells,
    ),
    Family(
        "nasbench_macro",
        nasbench_macro.graph,
        partial(parse_json, nasbench_macro.parse),
        nasbench_macro.sample,
        size=len(nasbench_macro.OPERATIONS) ** sum(nasbench_macro.STAGES),
    ),
    Family(
        "ofa_mobilenetv3",
        ofa_mobilenetv3.graph,
        partial(parse_json, ofa_mobilenetv3.parse),
        ofa_mobilenetv3.sample,
        size=_ofa_size(ofa_mobilenetv3.RESOLUTIONS),
    ),
    Family(
        "ofa_mobilenetv3_w12",
        partial(ofa_mobilenetv3.graph, width=1.2),
        partial(parse_json, ofa_mobilenetv3.parse),
        partial(ofa_mobilenetv3.sample, resolutions=_OFA_WIDE),
        size=_ofa_size(_OFA_WIDE),
    ),
)
_families = {family.name: family for family in _BUILT_IN}

FAMILIES: Mapping[str, Family] = MappingProxyType(_families)
"""All known families by name, third-party ones included."""


def register_family(family: Family) -> None:
    """Add a family; the same one twice is allowed.

    Raises:
        PluginError: If the name is taken by another family.
    """
    if _families.setdefault(family.name, family) != family:
        msg = f"family names must be unique, but {family.name!r} is taken: prefix it with your package's name"
        raise PluginError(msg)
