"""What is said when NNI is absent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from foretell.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = {"nni", "pytorch_lightning", "pkg_resources"}  # the last two: undeclared needs of NNI's own


@contextmanager
def needs_nni() -> Iterator[None]:
    """Turn the absence of NNI, or of what it forgets to install, into the remedy; let other import errors be.

    Raises:
        MissingDependencyError: If an import inside the block fails for that reason.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        msg = f"the NNI adapter needs nni>=3, but {package} is not installed: pip install 'foretell[nni]'"
        raise MissingDependencyError(msg) from error
