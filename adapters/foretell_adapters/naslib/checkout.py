"""Puts a checkout of NASLib on the path, bridged to today's Python."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from foretell.errors import MissingDependencyError
from foretell_adapters.naslib import compat

if TYPE_CHECKING:
    from pathlib import Path

_PACKAGES = (
    "fvcore pytorch-msssim scikit-image transforms3d ConfigSpace nasbench_pytorch lightgbm xgboost ngboost pyro-ppl "
    "grakel emcee six seaborn"
)


def use_checkout(path: Path | None) -> None:
    """Make `import naslib` work from a folder, or from the path as it is.

    Args:
        path: Folder that holds NASLib's `setup.py` and its package; None if NASLib is importable anyhow.

    Raises:
        MissingDependencyError: If there is no NASLib, or one of its own packages is missing.
    """
    if path is not None and not (path / "naslib" / "__init__.py").is_file():
        msg = (
            f"--naslib must name a checkout of NASLib, but {path} holds no naslib/__init__.py: "
            "git clone https://github.com/automl/NASLib and name that folder"
        )
        raise MissingDependencyError(msg)
    if path is not None and str(path) not in sys.path:
        sys.path.insert(0, str(path))
    if importlib.util.find_spec("naslib") is None:
        msg = "NASLib must be importable, but it is not: name a checkout of it with --naslib"
        raise MissingDependencyError(msg)
    compat.install()
    try:
        import naslib.predictors
        import naslib.search_spaces  # noqa: F401
    except ImportError as e:
        msg = f"NASLib needs packages that it does not install, but {e}: pip install {_PACKAGES}"
        raise MissingDependencyError(msg) from e
