"""The log of a search: a line of JSON a judged network, from which the same search goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from foretell.graph import ComputationGraph
    from foretell.search.pareto_front import Judged


class SearchLog:
    """Scores by digest, read from a file and appended to it.

    The first line holds the settings of the search; a line torn by an interruption is cut off.

    Args:
        path: The file; it need not be there.
        settings: JSON values that decide what the search does.

    Raises:
        InvalidDataError: If the file is of another search, or no log.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._path = path
        self.scores: dict[str, float] = {}
        head = {"search": dict(settings)}
        lines: list[Any] = []
        if path.exists():
            try:
                text = path.read_text(encoding="utf-8")
                whole = text[: text.rfind("\n") + 1]
                lines = [json.loads(line) for line in whole.splitlines()]
                self.scores = {_digest(line["digest"]): float(line["score"]) for line in lines[1:]}
                if whole != text:
                    path.write_text(whole, encoding="utf-8")
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as e:
                msg = f"a search log holds one judged network a line, but {path} does not ({e!r}): name a new folder"
                raise InvalidDataError(msg) from e
        if lines and lines[0] != json.loads(json.dumps(head)):
            msg = (
                f"a log goes on with the settings it was begun with, but {path} has {lines[0]} and now they are "
                f"{head}: name a new folder, or the same settings"
            )
            raise InvalidDataError(msg)
        if not lines:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(head) + "\n", encoding="utf-8")

    def add(self, batch: Iterable[Judged[ComputationGraph]]) -> None:
        """Write what is new."""
        rows: list[dict[str, Any]] = [
            {
                "digest": one.digest, "score": one.score, "flops": one.flops, "params": one.item.params,
                "move": one.move, "parent": one.parent,
            }
            for one in batch
            if one.digest not in self.scores
        ]  # fmt: skip
        self.scores.update({row["digest"]: row["score"] for row in rows})
        with self._path.open("a", encoding="utf-8") as file:  # one write, so that at most its end can be torn
            file.write("".join(json.dumps(row) + "\n" for row in rows))


def _digest(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError(f"a digest is a text, not {found!r}")
    return found
