"""Checkpoints from the Hugging Face hub, for `Predictor.from_pretrained("hf://owner/name")`.

A name reads `hf://owner/name`, `hf://owner/name@revision`, or either with `/folder` behind it where a repository holds
several checkpoints. Only safetensors, JSON and the card are fetched: nothing that could be executed.
"""

from __future__ import annotations

import re
from pathlib import Path

from foretell.errors import CheckpointError, MissingDependencyError

PREFIX = "hf://"
"""What a name on the hub begins with."""
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = re.compile(rf"hf://(?P<repository>{_PART}/{_PART})(@(?P<revision>[\w.-]+))?(?P<folder>(/{_PART})*)/?")
_WANTED = ("*.safetensors", "*.json", "README.md")


def fetch_from_hub(name: str) -> Path:
    """Download a checkpoint, or find it in the hub's own cache, which also serves without a connection.

    Args:
        name: As above.

    Returns:
        The folder of the checkpoint.

    Raises:
        CheckpointError: If the name cannot be read, or there is no such checkpoint.
        MissingDependencyError: Without `huggingface_hub`.
    """
    read = _NAME.fullmatch(name)
    if read is None:
        msg = f"a checkpoint of the hub must read hf://owner/name, but got {name!r}: correct it"
        raise CheckpointError(msg)
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as e:
        msg = "checkpoints of the hub need huggingface_hub, but it is absent: pip install 'foretell[hub]'"
        raise MissingDependencyError(msg) from e
    try:
        found = snapshot_download(read["repository"], revision=read["revision"], allow_patterns=list(_WANTED))
    except Exception as e:
        why = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
        msg = f"a checkpoint must be on the hub or in its cache, but {name!r} is not ({why}): check name and connection"
        raise CheckpointError(msg) from e
    folder = Path(found, *read["folder"].split("/"))
    if not folder.is_dir():
        msg = f"a checkpoint of the hub must be a folder of its repository, but {name!r} is not: name another"
        raise CheckpointError(msg)
    return folder
