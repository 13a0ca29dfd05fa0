"""The models of `timm` for `foretell bench coverage`: every name that the library lists."""

from __future__ import annotations

import torch

from foretell.benchmarks.coverage_example import Example
from foretell.benchmarks.torchvision_stub import stub_torchvision
from foretell.errors import MissingDependencyError

QUICK = ("resnet18", "convnext_atto", "vit_tiny_patch16_224", "mobilenetv3_small_050", "swin_tiny_patch4_window7_224")
"""One of each kind."""


def names() -> list[str]:
    """All model names of the installed version.

    Raises:
        MissingDependencyError: If `timm` is not installed.
    """
    stub_torchvision()
    try:
        import timm
    except ImportError as e:
        msg = "the coverage of timm needs the package timm: pip install timm"
        raise MissingDependencyError(msg) from e
    return sorted(timm.list_models())


def build(name: str, device: str = "meta") -> Example:
    """A model without trained weights in evaluation mode, with one image of its default size."""
    stub_torchvision()
    try:
        import timm
    except ImportError as e:
        msg = "the coverage of timm needs the package timm: pip install timm"
        raise MissingDependencyError(msg) from e
    with torch.device(device):
        module = timm.create_model(name, pretrained=False).eval()
        return Example(module, (torch.zeros(1, *module.default_cfg.get("input_size", (3, 224, 224))),))
