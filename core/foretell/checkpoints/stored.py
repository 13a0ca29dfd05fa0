"""Finds a checkpoint by its name or folder, and reads it as what its config says it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from foretell.errors import CheckpointError
from foretell.hub import PREFIX, fetch_from_hub

if TYPE_CHECKING:
    from foretell.aio_p.aio_p import AioP
    from foretell.predictor import Predictor
    from foretell.pretraining.gennape import Gennape

_HERE = Path(__file__).parent


def names() -> list[str]:
    """Checkpoints that come with the package.

    >>> names()  # doctest: +ELLIPSIS
    ['foretell-pretrained/nasbench101.test_acc', ..., 'gennape-nb101']
    """
    return sorted(config.parent.relative_to(_HERE).as_posix() for config in _HERE.rglob("config.json"))


def stored_checkpoint(name: str | Path) -> Predictor | Gennape | AioP:
    """Read one.

    Args:
        name: Of one that comes with the package, a folder, or one of the Hugging Face hub, see `foretell.hub`.

    Raises:
        CheckpointError: If there is none, or it is damaged.
        MissingDependencyError: For one of the hub, without its library.
    """
    if str(name).startswith(PREFIX):
        folder = fetch_from_hub(str(name))
    else:
        folder = _HERE / name if str(name) in names() else Path(name)
    path = folder / "config.json"
    inside = [known for known in names() if known.startswith(f"{name}/")]
    if inside and not path.is_file():
        msg = (
            f"a checkpoint must be one predictor, but {str(name)!r} holds several: name one of {inside}, or take all "
            "beside labels of your own by the preset of that name or `foretell finetune`"
        )
        raise CheckpointError(msg)
    if not path.is_file():
        msg = (
            f"a checkpoint must be one of {names()}, a folder with config.json, or hf://owner/name, but got "
            f"{str(name)!r}: choose one"
        )
        raise CheckpointError(msg)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        kind = config.get("kind") if isinstance(config, dict) else None
    except (OSError, ValueError, RecursionError) as e:
        msg = f"`config.json` of a checkpoint must be JSON, but {path} is not ({e}): save it again"
        raise CheckpointError(msg) from e
    if kind == "gennape":
        from foretell.pretraining.gennape import Gennape

        return Gennape.load(folder)
    if kind == "aio-p":
        from foretell.aio_p.aio_p import AioP

        return AioP.load(folder)
    if kind is not None:
        msg = f"a checkpoint must be of a kind that this version knows, but {folder} is of {kind!r}: update foretell"
        raise CheckpointError(msg)
    from foretell.predictor import Predictor

    return Predictor.load(folder)
