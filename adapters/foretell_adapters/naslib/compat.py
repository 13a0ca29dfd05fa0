"""Make a plain NASLib checkout importable on today's Python, without touching its files.

NASLib (develop, November 2023) was written for Python 3.9 and the libraries of its time. `install` bridges
what has changed since, and only that: each bridge is put in place where the original is missing, and costs
nothing elsewhere.

======================================  ==============================================================
what NASLib expects                     bridge
======================================  ==============================================================
`collections.Iterable` and its kin      aliases of `collections.abc` (gone from Python 3.10 on)
packages `torchvision`, `tensorwatch`,  where the package is not installed, a stand-in that can be
`pybnn`                                 imported and subclassed; using one raises, naming the package
`mean_squared_error(squared=False)`     a wrapper (gone from scikit-learn 1.6 on); without it NASLib
                                        reports NaN for every metric
======================================  ==============================================================

The bridges hold for the whole process: a library that asks after `install` whether torchvision is there is
told yes, so import such libraries before.
"""

from __future__ import annotations

import collections
import collections.abc
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from foretell.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

STAND_INS = ("torchvision", "tensorwatch", "pybnn")
"""Packages that NASLib imports at its top, and needs for neither predictors nor tables."""

_ALIASES = (
    "Callable",
    "Iterable",
    "Iterator",
    "Mapping",
    "MutableMapping",
    "MutableSequence",
    "Sequence",
    "Sized",
)


def install() -> tuple[str, ...]:
    """Put every bridge in place that this environment needs; calling it again changes nothing.

    Call it before the first `import naslib`.

    Returns:
        What is bridged, for a log.
    """
    bridged = [f"collections.{name}" for name in _ALIASES if _alias(name)]
    finder = next((f for f in sys.meta_path if isinstance(f, _StandInFinder)), None)
    if finder is None:
        finder = _StandInFinder(tuple(name for name in STAND_INS if importlib.util.find_spec(name) is None))
        sys.meta_path.append(finder)  # last, so that a package installed later wins
    bridged += finder.packages
    if _wrap_mean_squared_error():
        bridged.append("sklearn.metrics.mean_squared_error")
    return tuple(bridged)


def _alias(name: str) -> bool:
    original = getattr(collections.abc, name)
    if not hasattr(collections, name):
        setattr(collections, name, original)
    return getattr(collections, name) is original


def _wrap_mean_squared_error() -> bool:
    from sklearn import metrics

    original = metrics.mean_squared_error
    if hasattr(original, "foretell_bridge"):
        return True
    if "squared" in inspect.signature(original).parameters:
        return False

    @functools.wraps(original)
    def mean_squared_error(*args: Any, squared: bool = True, **kwargs: Any) -> Any:
        return (original if squared else metrics.root_mean_squared_error)(*args, **kwargs)

    mean_squared_error.foretell_bridge = True  # type: ignore[attr-defined]
    metrics.mean_squared_error = mean_squared_error
    return True


class _StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers imports of absent packages, and of anything inside them, with an empty module."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self.packages = packages

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for names inside the packages, None for all else."""
        del path, target
        if fullname.split(".")[0] not in self.packages:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The stand-in itself."""
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing runs in a stand-in."""


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):  # Python's own questions, such as __file__, must keep their answer
            raise AttributeError(name)
        made = type(name, (_Absent,), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


class _Absent:
    """A class of a package that is not installed: it can be named and subclassed, not made."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        del args, kwargs
        _refuse(type(self))


def _refuse(wanted: type) -> NoReturn:
    owner = next(base for base in wanted.__mro__ if base.__module__.split(".")[0] in STAND_INS)
    package = owner.__module__.split(".")[0]
    msg = (
        f"{owner.__module__}.{owner.__name__} needs the package {package}, which is not installed (NASLib "
        f"runs on a stand-in): pip install {package}"
    )
    raise MissingDependencyError(msg)
