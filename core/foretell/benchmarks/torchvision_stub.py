"""Lets torchvision be imported where its compiled operators are missing, as with some CPU builds of PyTorch.

For the coverage benchmark alone: libraries import torchvision for its transforms, and no network here calls its
operators.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable


@lru_cache(maxsize=1)
def stub_torchvision() -> None:
    """Import torchvision, if it is installed, without the shape functions of operators that are not there."""
    original = torch.library.register_fake

    def register(name: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(name, str) and name.startswith("torchvision::"):
            return _unchanged
        return original(name, *args, **kwargs)

    torch.library.register_fake = register
    try:
        import torchvision  # noqa: F401 - the import is all that is wanted
    except (ImportError, RuntimeError):
        return  # the libraries that need it say so themselves
    finally:
        torch.library.register_fake = original


def _unchanged(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
