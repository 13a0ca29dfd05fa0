"""Weights that come with the package, a folder each: `model.safetensors`, `config.json` and a card, `README.md`."""

from foretell.checkpoints.stored import names, stored_checkpoint

__all__ = ["names", "stored_checkpoint"]
