"""One file of a graph store: many graphs as joined arrays in safetensors form, named by the hash of its bytes."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import numpy as np

from foretell.errors import CheckpointError, ForetellError
from foretell.graph import ComputationGraph
from foretell.operations import VOCABULARY_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FORMAT_VERSION = 1
LARGEST_SHARD = 2**30
_ROWS = ("nodes", "links")  # how many nodes and edges each graph has


def encode(graphs: Sequence[ComputationGraph]) -> bytes:
    """The file's bytes for graphs in their order."""
    from safetensors.numpy import save

    parts = [graph.to_arrays() for graph in graphs]
    arrays = {name: np.ascontiguousarray(np.concatenate([p[name] for p in parts])) for name in parts[0]}
    arrays["nodes"] = np.array([len(graph) for graph in graphs], dtype=np.int64)
    arrays["links"] = np.array([len(graph.edges) for graph in graphs], dtype=np.int64)
    arrays["digests"] = np.frombuffer(b"".join(bytes.fromhex(g.digest) for g in graphs), np.uint8).reshape(-1, 16)
    versions = {"format": str(FORMAT_VERSION), "vocabulary": str(VOCABULARY_VERSION)}
    return save(arrays, metadata=versions)


def file_name(number: int, content: bytes) -> str:
    """Name of a file: its place in the store, then the hash of its bytes.

    >>> file_name(7, b"")
    '000007-cae66941d9efbd404e4d88758ea67670.safetensors'
    """
    return f"{number:06d}-{hashlib.blake2b(content, digest_size=16).hexdigest()}.safetensors"


class Shard:
    """The graphs of one file, unpacked one at a time.

    Args:
        path: The file.

    Raises:
        CheckpointError: If it is damaged, of another version or larger than any shard; the message names it.
    """

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        self._path = path
        try:
            if path.stat().st_size > LARGEST_SHARD:
                raise self._damaged(f"it is larger than {LARGEST_SHARD} bytes")
            content = path.read_bytes()
        except OSError as e:
            raise self._damaged(str(e)) from e
        if file_name(0, content)[7:] != path.name[7:]:
            raise self._damaged("its bytes do not have the hash in its name")
        try:
            length = int.from_bytes(content[:8], "little")
            versions = json.loads(content[8 : 8 + length]).get("__metadata__", {})
            found = load(content)
        except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
            raise self._damaged(str(e)) from e
        expected = {"format": str(FORMAT_VERSION), "vocabulary": str(VOCABULARY_VERSION)}
        if versions != expected:
            raise self._damaged(f"it has the versions {versions}, and {expected} can be read")
        rows = [found.pop(name, np.zeros(0)) for name in _ROWS]
        digests = found.pop("digests", np.zeros((0, 16), np.uint8))
        sound = all(r.dtype == np.int64 and r.shape == (len(digests),) and (r >= 0).all() for r in rows)
        if (
            not sound
            or digests.dtype != np.uint8
            or digests.shape[1:] != (16,)
            or any(a.ndim < 1 for a in found.values())
        ):
            raise self._damaged("its table of graphs is wrong")
        self._rows = {bytes(digest): row for row, digest in enumerate(digests)}
        self._ends = [np.cumsum(np.minimum(r, LARGEST_SHARD)) for r in rows]
        for name, array in found.items():
            total = self._ends[name == "edges"]
            if len(array) != (total[-1] if len(total) else 0):
                raise self._damaged(f"`{name}` has {len(array)} rows")
        self._arrays = found

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[bytes]:
        """Digests in the order of the graphs."""
        return iter(self._rows)

    def __contains__(self, digest: object) -> bool:
        return digest in self._rows

    def __getitem__(self, digest: bytes) -> ComputationGraph:
        row = self._rows[digest]
        spans = [slice(int(ends[row - 1]) if row else 0, int(ends[row])) for ends in self._ends]
        try:  # copies: a view would keep the whole file in memory
            return ComputationGraph.from_arrays({k: a[spans[k == "edges"]].copy() for k, a in self._arrays.items()})
        except (ForetellError, ValueError, TypeError) as e:
            raise self._damaged(f"graph {row}: {e}") from e

    def _damaged(self, why: str) -> CheckpointError:
        return CheckpointError(
            f"a file of a graph store must be whole, but {self._path} is not ({why}): restore it, or delete it with "
            "index.jsonl and built.jsonl and build its graphs again"
        )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it is there in full or not at all."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
