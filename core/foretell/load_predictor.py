"""From what a person wrote to a fitted predictor: a folder, or the name of one that is shipped."""

from __future__ import annotations

from pathlib import Path

from foretell.errors import CheckpointError
from foretell.predictor import Predictor


def load_predictor(text: str) -> Predictor:
    """A fitted predictor.

    Args:
        text: A folder that `Predictor.save` wrote, or a name that `Predictor.from_pretrained` knows.

    Raises:
        CheckpointError: If it is neither.
    """
    if Path(text).is_dir():
        return Predictor.load(text)
    named = getattr(Predictor, "from_pretrained", None)
    if named is not None:
        found: Predictor = named(text)
        return found
    near = sorted(str(path.parent) for path in Path().glob("*/model.safetensors"))
    msg = (
        f"a predictor must be a folder that Predictor.save wrote, but {text!r} is none; this version ships none, and "
        f"here are {near or 'none'}: fit one and save it, or give labels"
    )
    raise CheckpointError(msg)
