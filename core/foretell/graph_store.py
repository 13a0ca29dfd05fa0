"""A folder of computation graphs, each kept once, found by its digest and read one after another."""

from __future__ import annotations

import json
import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from foretell.errors import CheckpointError
from foretell.graph import ComputationGraph
from foretell.graph_shard import Shard, encode, file_name, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_INDEX, _BUILT = "index.jsonl", "built.jsonl"
_LONGEST_LINE = 2**26


class GraphStore:
    """Graphs on disk, without duplicates, in files of at most `shard_size` graphs.

    A file is complete or absent, so that a process that dies while it writes loses nothing that `add` has returned
    for; the next one that opens the folder clears the rest away. The index is a copy of what the files say and is
    written again where it is missing. Graphs are never pickled. One process writes at a time.

    Args:
        folder: Made where it is missing.
        shard_size: Graphs a file; as many are in memory at a time.

    Raises:
        CheckpointError: If a file is damaged or missing; the message names it.

    >>> import tempfile
    >>> from foretell.capture import nasbench201
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = GraphStore(folder)
    ...     store.add([nasbench201.graph((0, 0, 0, 0, 0, k)) for k in (0, 2, 0)])
    ...     (len(store), [graph.params for graph in GraphStore(folder)])
    2
    (2, [73306, 316346])
    """

    def __init__(self, folder: str | Path, *, shard_size: int = 1024) -> None:
        if shard_size < 1:
            msg = f"a file holds at least one graph, but got {shard_size=}: the default is 1024"
            raise CheckpointError(msg)
        self._folder = Path(folder)
        self._shard_size = shard_size
        self._files: list[str] = []
        self._places: dict[bytes, int] = {}  # digest -> file
        self._built: dict[bytes, bytes] = {}
        self._last: tuple[int, Shard] | None = None
        self._open()

    def _open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for part in self._folder.glob("*.part"):
                part.unlink()
            present = sorted(p.name for p in self._folder.glob("*.safetensors"))
        except OSError as e:
            msg = f"a graph store needs a folder that can be written, but {self._folder} cannot ({e}): choose another"
            raise CheckpointError(msg) from e
        for line in self._lines(_INDEX):
            name, digests = line.get("file"), line.get("digests")
            if not isinstance(name, str) or not isinstance(digests, list) or name in self._files:
                raise self._wrong(_INDEX)
            if name not in present:
                msg = f"a graph store needs all its files, but {self._folder / name} is missing: restore it"
                raise CheckpointError(msg)
            self._note(name, [self._digest(d, _INDEX) for d in digests])
        for name in sorted(set(present) - set(self._files)):  # finished just before a crash
            digests = list(Shard(self._folder / name))
            self._note(name, digests)
            self._append(_INDEX, {"file": name, "digests": [d.hex() for d in digests]})
        for line in self._lines(_BUILT):
            for key, digest in line.items():
                made = self._digest(digest, _BUILT)
                if made in self._places:
                    self._built[self._digest(key, _BUILT)] = made

    def add(self, graphs: Iterable[ComputationGraph]) -> int:
        """Write graphs that are not here yet; when the call returns, they are on disk.

        Returns:
            How many were new.
        """
        added, stream = 0, iter(graphs)
        while batch := list(islice(stream, self._shard_size)):
            new = {bytes.fromhex(g.digest): g for g in reversed(batch)}
            fresh = [new[d] for d in dict.fromkeys(bytes.fromhex(g.digest) for g in batch) if d not in self._places]
            if not fresh:
                continue
            content = encode(fresh)
            name = file_name(len(self._files), content)
            try:
                write_whole(self._folder / name, content)
            except OSError as e:
                msg = f"a graph store needs a folder that can be written, but {self._folder} cannot ({e}): make room"
                raise CheckpointError(msg) from e
            digests = [bytes.fromhex(g.digest) for g in fresh]
            self._note(name, digests)
            self._append(_INDEX, {"file": name, "digests": [d.hex() for d in digests]})
            added += len(fresh)
        return added

    def get(self, digest: str) -> ComputationGraph:
        """The graph of a digest.

        Raises:
            KeyError: If it is not here.
            CheckpointError: If its file is damaged.
        """
        wanted = bytes.fromhex(digest)
        file = self._places[wanted]
        if self._last is None or self._last[0] != file:
            self._last = (file, Shard(self._folder / self._files[file]))
        return self._from(self._last[1], wanted)

    def digests(self) -> list[str]:
        """Digests of all graphs, in the order of iteration."""
        return [digest.hex() for digest in self._places]

    def __iter__(self) -> Iterator[ComputationGraph]:
        """All graphs in the order in which they came; one file is in memory at a time."""
        shard, opened = None, -1
        for digest, file in list(self._places.items()):  # in the order of the files
            if shard is None or opened != file:
                shard, opened = Shard(self._folder / self._files[file]), file
            yield self._from(shard, digest)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, item: object) -> bool:
        if isinstance(item, ComputationGraph):
            item = item.digest
        try:
            return isinstance(item, str) and bytes.fromhex(item) in self._places
        except ValueError:
            return False

    def __repr__(self) -> str:
        return f"GraphStore({str(self._folder)!r}, graphs={len(self)}, files={len(self._files)})"

    def built(self, key: bytes) -> str | None:
        """Digest of the graph that `build_corpus` made of a specification with this key, None if it did not yet."""
        found = self._built.get(key)
        return None if found is None else found.hex()

    def note_built(self, made: Mapping[bytes, str]) -> None:
        """Remember the graphs of specifications; the graphs are here already."""
        if made:
            self._built |= {key: bytes.fromhex(digest) for key, digest in made.items()}
            self._append(_BUILT, {key.hex(): digest for key, digest in made.items()})

    def _from(self, shard: Shard, digest: bytes) -> ComputationGraph:
        if digest not in shard:
            raise self._wrong(_INDEX)
        return shard[digest]

    def _note(self, name: str, digests: Iterable[bytes]) -> None:
        for digest in digests:
            self._places.setdefault(digest, len(self._files))
        self._files.append(name)

    def _append(self, name: str, line: Mapping[str, object]) -> None:
        with (self._folder / name).open("a", encoding="ascii") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _lines(self, name: str) -> Iterator[dict[str, object]]:
        """The lines of a log; one that was cut off at the end is cut away."""
        path = self._folder / name
        if not path.exists():
            return
        whole = 0
        with path.open("rb") as file:
            while text := file.readline(_LONGEST_LINE):
                if not text.endswith(b"\n"):
                    break
                whole += len(text)
                try:
                    line = json.loads(text)
                except (ValueError, RecursionError) as e:
                    raise self._wrong(name) from e
                if not isinstance(line, dict):
                    raise self._wrong(name)
                yield line
        if whole < path.stat().st_size:
            os.truncate(path, whole)

    def _digest(self, text: object, name: str) -> bytes:
        try:
            digest = bytes.fromhex(text) if isinstance(text, str) else b""
        except ValueError:
            digest = b""
        if len(digest) != 16:
            raise self._wrong(name)
        return digest

    def _wrong(self, name: str) -> CheckpointError:
        return CheckpointError(
            f"the log of a graph store must agree with its files, but {self._folder / name} does not: delete that "
            "log: what it says is found out again"
        )
