"""The figure that every plot starts from; matplotlib is imported here alone, when a plot is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def empty_figure(width: float, height: float) -> Figure:
    """A figure of so many inches, outside of pyplot, so that nothing keeps it alive.

    Raises:
        MissingDependencyError: If matplotlib is absent.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as e:
        msg = "a plot needs matplotlib: pip install 'foretell[plot]'"
        raise MissingDependencyError(msg) from e
    return Figure(figsize=(width, height), layout="constrained")
