"""From NASLib's architecture objects to candidates.

Only what names the architecture is read, through the objects' own methods; a NASLib graph's edges may be
unpopulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.candidate import Candidate
from foretell.capture.families import FAMILIES
from foretell.errors import InvalidSearchSpaceError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from foretell.capture.families import Family
    from foretell.graph import ComputationGraph

SPACES: Mapping[str, str] = MappingProxyType(
    {
        "nasbench101": "nasbench101",
        "nasbench201": "nasbench201",
        "nasbench301": "nasbench301",
        "darts": "nasbench301",
        "transbench101": "transbench101_micro",
        "transbench101_micro": "transbench101_micro",
        "transnasbench101": "transbench101_micro",
        "transnasbench101_micro": "transbench101_micro",
    }
)
"""NASLib's names of supported search spaces (configuration, evaluator and `get_type` differ), to ours."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """How an architecture of a space is read.

    Attributes:
        family: Our name of the family of networks.
        method: The search-space object's method that names the architecture.
        frozen: What that gives, as a value that can be a key and that the family reads.
    """

    family: str
    method: str
    frozen: Callable[[Any], Hashable]


def _frozen_cell(spec: Mapping[str, Any]) -> Hashable:
    return tuple(map(tuple, np.asarray(spec["matrix"]).tolist())), tuple(map(str, spec["ops"]))


def _frozen_pair(compact: Any) -> Hashable:
    return tuple(tuple((int(source), int(op)) for source, op in cell) for cell in compact)


_READINGS: Mapping[str, _Reading] = MappingProxyType(
    {
        "nasbench101": _Reading("nasbench101", "get_spec", _frozen_cell),
        "nasbench201": _Reading("nasbench201", "get_op_indices", tuple),
        "nasbench301": _Reading("nasbench301", "get_compact", _frozen_pair),
        "transbench101_micro": _Reading("transnasbench101", "get_op_indices", tuple),
    }
)


def canonical_name(ss_type: str | None) -> str:
    """Our name of a NASLib search space.

    Raises:
        InvalidSearchSpaceError: If it is not supported.

    >>> canonical_name("darts")
    'nasbench301'
    """
    name = SPACES.get(ss_type.lower()) if isinstance(ss_type, str) else None
    if name is None:
        msg = (
            f"the search space must be one of {sorted(SPACES)}, but got {ss_type!r}: pass one of these to "
            "set_ss_type, as PredictorEvaluator.adapt_search_space does"
        )
        raise InvalidSearchSpaceError(msg)
    return name


def family_of(ss_type: str | None) -> Family:
    """The family of networks of a NASLib search space.

    Raises:
        InvalidSearchSpaceError: If it is not supported.

    >>> family_of("transbench101").name
    'transnasbench101'
    """
    return FAMILIES[_READINGS[canonical_name(ss_type)].family]


def specification_of(arch: Any, ss_type: str | None) -> Hashable:
    """What names a NASLib architecture, equal for equal ones.

    Args:
        arch: A search-space object that has been given an architecture.
        ss_type: Name of its search space, any of `SPACES`.

    Raises:
        InvalidSearchSpaceError: If the space is not supported, or the object holds no architecture of it.
    """
    name = canonical_name(ss_type)
    reading = _READINGS[name]
    spec = getattr(arch, reading.method)() if hasattr(arch, reading.method) else None
    if spec is None:
        msg = (
            f"an architecture of {name} must answer {reading.method}(), but {type(arch).__name__} gave nothing: "
            "sample or set an architecture first, and check the name of the search space"
        )
        raise InvalidSearchSpaceError(msg)
    return reading.frozen(spec)


def candidate_of(spec: Hashable, family: Family) -> Candidate:
    """The whole network that a specification of `specification_of` names, with its cells.

    Raises:
        InvalidArchitectureError: If the architecture is not one of the family.
    """
    return Candidate(family.graph(spec), cells=family.cells(spec) if family.cells else ())


def graph_of(arch: Any, ss_type: str | None) -> ComputationGraph:
    """The whole network of a NASLib architecture.

    Args:
        arch: A search-space object that has been given an architecture.
        ss_type: Name of its search space, any of `SPACES`.

    Raises:
        InvalidSearchSpaceError: If the space is not supported, or the object holds no architecture of it.
        InvalidArchitectureError: If the architecture is not one of the space.
    """
    return family_of(ss_type).graph(specification_of(arch, ss_type))
