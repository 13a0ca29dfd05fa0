"""Names the core's own measurements for `foretell bench`, through the door that every plugin uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretell_plugins.markers import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from foretell.benchmarks.runner import Benchmark


@hookimpl
def foretell_register_benchmarks(register: Callable[..., None]) -> None:
    """Name the measurements of accuracy, transfer, search, calibration, explanation and capture."""
    register("calibration", _calibration)
    register("capture", _capture)
    register("coverage", _coverage)
    register("deepening", _deepening)
    register("devices", _devices)
    register("few-shot", _few_shot)
    register("grammar", _grammar)
    register("graph-search", _graph_search)
    register("intervals", _intervals)
    register("lottery", _lottery)
    register("motifs", _motifs)
    register("narrowing", _narrowing)
    register("one-shot", _one_shot)
    register("scale", _scale)
    register("spaces", _spaces)
    register("table-search", _table_search)
    register("tasks", _tasks)
    register("transfer", _transfer)
    register("zero-shot", _zero_shot)


def _calibration() -> Benchmark:
    from foretell.benchmarks.calibration import Calibration

    return Calibration()


def _capture() -> Benchmark:
    from foretell.benchmarks.capture_speed import CaptureSpeed

    return CaptureSpeed()


def _coverage() -> Benchmark:
    from foretell.benchmarks.coverage import Coverage

    return Coverage()


def _deepening() -> Benchmark:
    from foretell.benchmarks.deepening import Deepening

    return Deepening()


def _devices() -> Benchmark:
    from foretell.benchmarks.device_latencies import DeviceLatencies

    return DeviceLatencies()


def _few_shot() -> Benchmark:
    from foretell.benchmarks.few_shot import FewShot

    return FewShot()


def _grammar() -> Benchmark:
    from foretell.benchmarks.grammar import Grammars

    return Grammars()


def _graph_search() -> Benchmark:
    from foretell.benchmarks.graph_search import GraphSearch

    return GraphSearch()


def _lottery() -> Benchmark:
    from foretell.benchmarks.lotteries import Lotteries

    return Lotteries()


def _intervals() -> Benchmark:
    from foretell.benchmarks.study_intervals import StudyIntervals

    return StudyIntervals()


def _motifs() -> Benchmark:
    from foretell.benchmarks.motif_effects import MotifEffects

    return MotifEffects()


def _narrowing() -> Benchmark:
    from foretell.benchmarks.narrowing import NarrowingLeft

    return NarrowingLeft()


def _one_shot() -> Benchmark:
    from foretell.benchmarks.one_shot import OneShot

    return OneShot()


def _scale() -> Benchmark:
    from foretell.benchmarks.scale import Scale

    return Scale()


def _spaces() -> Benchmark:
    from foretell.benchmarks.spaces import Spaces

    return Spaces()


def _table_search() -> Benchmark:
    from foretell.benchmarks.table_search import TableSearch

    return TableSearch()


def _tasks() -> Benchmark:
    from foretell.benchmarks.tasks import Tasks

    return Tasks()


def _transfer() -> Benchmark:
    from foretell.benchmarks.transfer import Transfer

    return Transfer()


def _zero_shot() -> Benchmark:
    from foretell.benchmarks.zero_shot import ZeroShot

    return ZeroShot()
