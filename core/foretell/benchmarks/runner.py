"""Runs measurements one by one, writes each as a line of JSON, and goes on where it stopped.

A line reads `{"bench", "method", "family", "task", "n", "seed", "metric", "value", "unit", "version"}`; `null` where a
key does not apply.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to be measured.

    Attributes:
        method: What is measured: ours or a peer.
        family: Setting, such as a kind of space.
        task: Data set or target, None where it does not apply.
        n: Size, None where it does not apply.
        seed: Seed.
    """

    method: str
    family: str | None = None
    task: str | None = None
    n: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of a result file; the first fields are those of its `Cell`."""

    bench: str
    method: str
    family: str | None
    task: str | None
    n: int | None
    seed: int
    metric: str
    value: float
    unit: str
    version: str

    @property
    def cell(self) -> Cell:
        """What was measured."""
        return Cell(self.method, self.family, self.task, self.n, self.seed)


class Benchmark(Protocol):
    """A set of measurements with a name."""

    name: str
    methods: Sequence[str]

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """Everything to be measured; `quick` asks for the small part that takes a minute or two."""
        ...

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """Measure one thing: metric -> (value, unit)."""
        ...


@runtime_checkable
class Reporting(Protocol):
    """A benchmark that words its own results, in place of a table of medians and a plot."""

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """Lines to show."""
        ...


@runtime_checkable
class Drawing(Protocol):
    """A benchmark that draws its own plot."""

    def figure(self, rows: Sequence[Measurement]) -> Figure:
        """The plot; raises `MissingDependencyError` without matplotlib."""
        ...


def run(benchmark: Benchmark, cells: Sequence[Cell], out: Path) -> Iterator[Cell]:
    """Measure every cell that the file does not have yet; yields each one when it is written."""
    done = {m.cell for m in read(out) if m.bench == benchmark.name}
    version = importlib.metadata.version("foretell")
    out.parent.mkdir(parents=True, exist_ok=True)
    for cell in cells:
        if cell not in done:
            found = benchmark.measure(cell)
            rows = [
                Measurement(benchmark.name, **asdict(cell), metric=metric, value=value, unit=unit, version=version)
                for metric, (value, unit) in found.items()
            ]
            with out.open("a", encoding="utf-8") as file:  # one write a cell: it is there whole, or torn at the end
                file.write("".join(f"{json.dumps(asdict(row))}\n" for row in rows))
        yield cell


def read(out: Path) -> list[Measurement]:
    """All measurements of a file; none if it is absent. A last line torn by an interruption is cut off.

    Raises:
        InvalidDataError: If another line is no measurement.
    """
    if not out.exists():
        return []
    try:
        text = out.read_text(encoding="utf-8")
    except ValueError as e:
        msg = f"a result file is text in UTF-8, but {out} is not ({e}): name a new file with --out"
        raise InvalidDataError(msg) from e
    if text and not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        with out.open("r+b") as file:  # cut, not written anew: a full disk would take all of it
            file.truncate(len(text.encode("utf-8")))
    try:
        return [_measurement(json.loads(line)) for line in text.splitlines() if line.strip()]
    except (TypeError, ValueError, RecursionError) as e:
        msg = f"a result file holds one measurement a line, but {out} has another ({e}): name a new file with --out"
        raise InvalidDataError(msg) from e


def _measurement(row: Any) -> Measurement:
    """A row whose fields have the types that they should have; the number may be an infinite one, or `nan`."""
    found = Measurement(**row)
    texts = (found.bench, found.method, found.metric, found.unit, found.version)
    open_texts, whole = (found.family, found.task), (found.n, found.seed)
    sound = all(isinstance(t, str) for t in texts) and all(t is None or isinstance(t, str) for t in open_texts)
    sound = sound and type(found.value) in (int, float) and all(n is None or type(n) is int for n in whole)
    if not sound or found.seed is None:
        raise ValueError(f"a field has another type in {str(row)[:200]}")
    return found


@runtime_checkable
class Averaging(Protocol):
    """A benchmark whose seeds are not summed up by their median."""

    def average(self, values: Sequence[float]) -> float:
        """One value for those of all seeds."""
        ...


def medians(
    measurements: Sequence[Measurement], average: Callable[[Sequence[float]], float] | None = None
) -> list[tuple[Cell, str, float, str]]:
    """Median, or other average, over seeds of every metric: cell (with seed 0), metric, value, unit."""
    groups: dict[tuple[str, str | None, str | None, int | None, str, str], list[float]] = {}
    for m in measurements:
        groups.setdefault((m.method, m.family, m.task, m.n, m.metric, m.unit), []).append(m.value)
    return [
        (Cell(method, family, task, n), metric, float((average or np.median)(values)), unit)
        for (method, family, task, n, metric, unit), values in groups.items()
    ]
