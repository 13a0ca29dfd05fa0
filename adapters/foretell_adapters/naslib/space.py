"""From NASLib's architecture objects to computation graphs.

Only what names the architecture is read, through the objects' own methods; a NASLib graph's edges may be
unpopulated.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from foretell.capture import nasbench101, nasbench201, nasbench301, transnasbench101
from foretell.errors import InvalidSearchSpaceError

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def graph_of(arch: Any, ss_type: str | None) -> ComputationGraph:
    """The whole network of a NASLib architecture.

    Args:
        arch: A search-space object that has been given an architecture.
        ss_type: Name of its search space, any of `SPACES`.

    Raises:
        InvalidSearchSpaceError: If the space is not supported, or the object holds no architecture of it.
        InvalidArchitectureError: If the architecture is not one of the space.
    """
    name = canonical_name(ss_type)
    reader = {"nasbench101": "get_spec", "nasbench301": "get_compact"}.get(name, "get_op_indices")
    spec = getattr(arch, reader)() if hasattr(arch, reader) else None
    if spec is None:
        msg = (
            f"an architecture of {name} must answer {reader}(), but {type(arch).__name__} gave nothing: "
            "sample or set an architecture first, and check the name of the search space"
        )
        raise InvalidSearchSpaceError(msg)
    if name == "nasbench101":
        return nasbench101.graph(spec["matrix"], list(map(str, spec["ops"])))
    if name == "nasbench201":
        return nasbench201.graph(spec)
    if name == "nasbench301":
        return nasbench301.graph(spec)
    return transnasbench101.graph(spec)
