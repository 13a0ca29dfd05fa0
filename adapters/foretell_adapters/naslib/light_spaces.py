"""NASLib's search spaces without the networks, which a table of results does not need."""

from __future__ import annotations

import copy
from typing import Any

from foretell.errors import InvalidSearchSpaceError

LIGHT = ("nasbench201", "nasbench101")
"""Spaces whose tables hold all architectures, so that any that NASLib draws has its label."""


def light_space(name: str) -> Any:
    """A search space whose clones share everything but the name of their architecture.

    NASLib copies the whole graph of NAS-Bench-201 for every architecture, which takes a tenth of a second; a network
    that is never built does not need one of its own.

    Raises:
        InvalidSearchSpaceError: If the space is not one of `LIGHT`.
    """
    if name not in LIGHT:
        msg = f"spaces must be among {list(LIGHT)}, but got {name!r}: choose among them"
        raise InvalidSearchSpaceError(msg)
    from naslib.search_spaces import NasBench101SearchSpace, NasBench201SearchSpace

    cls = {"nasbench101": NasBench101SearchSpace, "nasbench201": NasBench201SearchSpace}[name]
    space = type(f"Light{cls.__name__}", (cls,), {"clone": copy.copy})()
    space.instantiate_model = False
    return space
