"""A stored predictor: a folder with `model.safetensors` (arrays) and `config.json` (settings), no pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.errors import CheckpointError
from foretell.operations import VOCABULARY_VERSION
from foretell.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT_VERSION = 1
DAMAGED = (
    KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError, MemoryError,
)  # fmt: skip
"""What making an object of settings and arrays that do not fit together may raise, besides errors of ours."""
_MODEL, _CONFIG = "model.safetensors", "config.json"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Settings and arrays.

    Args:
        config: JSON values.
        arrays: Arrays by dotted name; the part before the first dot says whose they are.
    """

    config: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    def part(self, name: str) -> dict[str, np.ndarray]:
        """The arrays whose dotted name begins with `name`, without it."""
        return {k.removeprefix(f"{name}."): a for k, a in self.arrays.items() if k.startswith(f"{name}.")}

    def write(self, folder: str | Path) -> None:
        """Write both files; a checkpoint that was there stays until both are on the disk.

        Raises:
            WriteError: If they cannot be written.
        """
        from safetensors.numpy import save

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        versions = {"format": FORMAT_VERSION, "vocabulary": VOCABULARY_VERSION}
        write_whole(
            {
                folder / _MODEL: save({k: np.ascontiguousarray(a) for k, a in self.arrays.items()}),
                folder / _CONFIG: json.dumps({**versions, **self.config}, indent=1),
            }
        )

    @classmethod
    def read(cls, folder: str | Path) -> Checkpoint:
        """Read both files.

        Raises:
            CheckpointError: If one is missing or damaged, the version is another, or a number is not finite.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        folder = Path(folder)
        try:
            config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
            arrays = load((folder / _MODEL).read_bytes())
        except (OSError, ValueError, SafetensorError, KeyError, TypeError, RecursionError) as e:
            msg = (
                f"a checkpoint is a folder with {_MODEL} and {_CONFIG}, but {folder} cannot be read "
                f"({e}): save it again"
            )
            raise CheckpointError(msg) from e
        if not isinstance(config, dict) or config.get("format") != FORMAT_VERSION:
            found = config.get("format") if isinstance(config, dict) else type(config).__name__
            msg = f"checkpoints of format {FORMAT_VERSION} can be read, but {folder} has {found!r}: save it again"
            raise CheckpointError(msg)
        if config.get("vocabulary") != VOCABULARY_VERSION:
            msg = (
                f"operator vocabulary {VOCABULARY_VERSION} is in use, but {folder} was made with "
                f"{config.get('vocabulary')!r}: fit it again"
            )
            raise CheckpointError(msg)
        broken = [k for k, a in arrays.items() if a.dtype.kind == "f" and not np.isfinite(a).all()]
        if broken:
            msg = f"stored numbers must be finite, but {folder} holds others in {broken}: save it again"
            raise CheckpointError(msg)
        return cls(config, arrays)
