"""A corpus for pretraining in a folder of many files, a few of them in memory: for more networks than fit there.

The files are built in any order by any number of processes, each complete or absent, so an interrupted build goes on.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.errors import CheckpointError, InvalidDataError
from foretell.pretraining.labelled_graphs import LabelledGraphs
from foretell.pretraining.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float, Int

    from foretell.pretraining.graph_encoder import EncoderSettings

_CONFIG, _FORMAT = "corpus.json", 1
_MOST_NETWORKS = 2**40


class ShardedGraphs:
    """The networks of all files, in the order of the files.

    Args:
        folder: What `build` made.
        in_memory: Files kept in memory at a time; an epoch mixes half as many, see `ShuffledRows`.

    Raises:
        CheckpointError: If a file is missing or damaged, or the folder is none.
    """

    def __init__(self, folder: str | Path, *, in_memory: int = 8) -> None:
        self._folder = Path(folder)
        self._sizes = _sizes(self._config())
        self._ends = np.cumsum(self._sizes)
        self._read: Callable[[int], LabelledGraphs] = lru_cache(maxsize=in_memory)(self._shard)
        labels = [LabelledGraphs.load_labels(self._path(i)) for i in range(len(self._sizes))]
        if [len(accuracy) for accuracy, _ in labels] != self._sizes:
            raise self._damaged("its files have other sizes than it says")
        self.accuracy: Float[np.ndarray, " G"] = np.concatenate([accuracy for accuracy, _ in labels])
        self.gflops: Float[np.ndarray, " G"] = np.concatenate([gflops for _, gflops in labels])

    @classmethod
    def build(
        cls,
        folder: str | Path,
        networks: int,
        make: Callable[[Int[np.ndarray, " k"]], LabelledGraphs],
        settings: EncoderSettings,
        *,
        shard: int = 2**16,
        in_memory: int = 8,
        processes: Processes | None = None,
        progress: bool = False,
    ) -> ShardedGraphs:
        """Build what is missing of a corpus and open it; each process builds its share of the files.

        Args:
            folder: Where the files go.
            networks: How many there are.
            make: From positions of networks to these.
            settings: Encoder that will read them.
            shard: Networks a file.
            in_memory: See the class.
            processes: Those that build and open it together.
            progress: Whether to show a bar.

        Raises:
            CheckpointError: If the folder holds a corpus of other settings, or cannot be written.
            InvalidDataError: If there is no network, or no room for one in a file.
        """
        from tqdm.auto import tqdm

        folder, processes = Path(folder), processes or Processes()
        if not 0 < networks < _MOST_NETWORKS or shard < 1:
            msg = f"a corpus needs a network, and a file room for one, but got {networks=}, {shard=}: raise them"
            raise InvalidDataError(msg)
        config = {"format": _FORMAT, "networks": networks, "shard": shard, "encoder": settings.to_config()}
        if processes.first:
            _claim(folder, config)
        processes.wait()
        missing = [i for i in range(len(_sizes(config))) if not _file(folder, i).is_file()]
        # every process lists before any writes
        processes.wait()
        for i in tqdm(missing[processes.rank :: processes.size], disable=not progress, desc="corpus", unit="file"):
            make(np.arange(i * shard, min((i + 1) * shard, networks))).save(_file(folder, i))
        processes.wait()
        return cls(folder, in_memory=in_memory)

    @property
    def shards(self) -> tuple[Int[np.ndarray, " k"], ...]:
        """Rows of each file."""
        return tuple(np.arange(end - size, end) for size, end in zip(self._sizes, self._ends, strict=True))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def select(self, rows: Int[np.ndarray, " n"]) -> LabelledGraphs:
        """Some of the networks, in the order of `rows`."""
        rows = np.asarray(rows)
        files = np.searchsorted(self._ends, rows, side="right")
        order = np.argsort(files, kind="stable")
        parts = []
        for i in np.unique(files).tolist():
            whole, first = self._read(i), self._ends[i] - self._sizes[i]
            parts.append(whole.select(rows[files == i] - first))
        if len(parts) == 1:
            return parts[0]
        return LabelledGraphs.join(parts).select(np.argsort(order))

    def _shard(self, i: int) -> LabelledGraphs:
        found = LabelledGraphs.load(self._path(i))
        if len(found) != self._sizes[i]:
            raise self._damaged(f"file {i} has {len(found)} networks")
        return found

    def _path(self, i: int) -> Path:
        return _file(self._folder, i)

    def _config(self) -> dict[str, Any]:
        try:
            found = json.loads((self._folder / _CONFIG).read_text(encoding="utf-8"))
            numbers = [found[name] for name in ("format", "networks", "shard")]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as e:
            raise self._damaged(f"{_CONFIG}: {e!r}") from e
        if any(type(n) is not int for n in numbers) or numbers[0] != _FORMAT or not 0 < numbers[1] < _MOST_NETWORKS:
            raise self._damaged(f"{_CONFIG} holds {numbers}")
        if numbers[2] < 1 or -(-numbers[1] // numbers[2]) > 1 + sum(1 for _ in self._folder.glob("*.safetensors")):
            raise self._damaged("files are missing")
        return dict(found)

    def _damaged(self, why: str) -> CheckpointError:
        return CheckpointError(f"a corpus must be a folder of ours, but {self._folder} is not ({why}): build it again")


def _sizes(config: dict[str, Any]) -> list[int]:
    networks, shard = config["networks"], config["shard"]
    return [min(shard, networks - low) for low in range(0, networks, shard)]


def _file(folder: Path, i: int) -> Path:
    return folder / f"{i:06d}.safetensors"


def _claim(folder: Path, config: dict[str, Any]) -> None:
    """Say what the folder is for, or check that it is for that."""
    path = folder / _CONFIG
    text = json.dumps(config, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            part = path.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        found = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as e:
        msg = f"a corpus needs a folder that can be written, but {folder} cannot ({e}): choose another"
        raise CheckpointError(msg) from e
    if found != text:
        msg = f"a corpus of other settings is in {folder}: delete it or choose another folder"
        raise CheckpointError(msg)
