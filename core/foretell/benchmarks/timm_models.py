"""timm's models on the meta device: shapes without weights, for the measurements of capture."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from foretell.errors import MissingDependencyError


@cache
def import_timm() -> Any:
    """The package `timm`, also where torchvision's compiled operators do not fit this build of torch.

    timm needs of torchvision only what is written in Python; importing torchvision registers shapes for its compiled
    operators, which fails where these are missing. Those registrations are left out here, and nowhere else.

    Raises:
        MissingDependencyError: Without timm.
    """
    register = torch.library.register_fake

    def lenient(op: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(op, str) and op.startswith("torchvision::"):
            return lambda function: function
        return register(op, *args, **kwargs)

    torch.library.register_fake = lenient  # type: ignore[assignment]
    try:
        import timm
    except ImportError as e:
        msg = "this measurement takes its models from timm: pip install timm"
        raise MissingDependencyError(msg) from e
    finally:
        torch.library.register_fake = register
    return timm


def build_on_meta(name: str) -> tuple[torch.nn.Module, torch.Tensor]:
    """A model of timm in evaluation mode and an example image, neither with numbers."""
    with torch.device("meta"):
        model: torch.nn.Module = import_timm().create_model(name, pretrained=False)
    size = model.default_cfg.get("input_size", (3, 224, 224))  # type: ignore[union-attr, operator]
    return model.eval(), torch.zeros(1, *size, device="meta")
