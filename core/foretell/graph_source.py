"""The network of a configuration: built by the user's function, captured once, remembered."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any

from foretell.capture.capture_count import captured
from foretell.errors import (
    CaptureError,
    CaptureWarning,
    ForetellError,
    InvalidArchitectureError,
    InvalidDataError,
    TimeLimitError,
)
from foretell.graph import ComputationGraph
from foretell.read_tracking import ReadTree, TrackedConfig
from foretell.time_limit import within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.distributions import Value


_MOST_HANGS = 3
_WITHOUT = "such configurations are judged without their network"
_LAST = "such configurations are judged without their network, and proposed last"


class GraphSource:
    """A function from configurations to graphs that never fails: what cannot be built, or not in time, has no graph.

    A graph is found again by the parameters that the function read: another learning rate builds nothing. After three
    configurations that took too long the function is not called any more. Safe for threads; pickling leaves what was
    remembered behind.

    Args:
        build: From a configuration to a `torch.nn.Module`, a `ComputationGraph`, or None where there is no
            network.
        example_inputs: Example inputs for capturing modules, with a batch dimension.
        capacity: How many graphs are remembered before all are forgotten.
        timeout: Seconds that building and capturing one network may take; None for no limit.

    Raises:
        InvalidDataError: If `timeout` is not positive.
    """

    def __init__(
        self,
        build: Callable[[dict[str, Value]], Any],
        example_inputs: Sequence[Any] = (),
        capacity: int = 4096,
        timeout: float | None = 60.0,
    ) -> None:
        if timeout is not None and not timeout > 0:
            msg = f"`timeout > 0` must hold, but got {timeout=}: give seconds, or None for no limit"
            raise InvalidDataError(msg)
        self._build = build
        self._example_inputs = tuple(example_inputs)
        self._capacity = capacity
        self._timeout = timeout
        self._start()

    def _start(self) -> None:
        self._known: ReadTree[tuple[ComputationGraph | None, bool]] = ReadTree()  # and whether building failed
        self._lock = threading.Lock()
        self._warned: set[str] = set()
        self._hangs = 0
        self._captures = False

    @property
    def captures(self) -> bool:
        """Whether it captured a module so far, which takes a hundred times as long as to write a graph down."""
        return self._captures

    def __call__(self, config: Mapping[str, Value]) -> ComputationGraph | None:
        """The graph of a configuration, None if there is none; the first failure of a kind warns and says why.

        Raises:
            InvalidArchitectureError: If the function gives modules and there are no example inputs.
        """
        return self._graph(config, tried=True)[0]

    def proposed(self, config: Mapping[str, Value]) -> ComputationGraph | None:
        """The graph of a configuration that nobody has tried yet, None if there is none.

        When a parameter is there shows only in what was tried, so a proposal may lack one that its network needs:
        where the function asked for an absent one and failed, that is no mistake of the function, and nothing is said.
        """
        return self._graph(config, tried=False)[0]

    def refuses(self, config: Mapping[str, Value]) -> bool:
        """Whether the function raises an error for a configuration that nobody has tried yet.

        What gives None, takes too long or cannot be captured is not refused; neither is a proposal that lacks a
        parameter, see `proposed`.
        """
        return self._graph(config, tried=False)[1]

    def _graph(self, config: Mapping[str, Value], *, tried: bool) -> tuple[ComputationGraph | None, bool]:
        """The graph, and whether building it raised an error."""
        with self._lock:
            known, found = self._known.find(config)
        if known and found is not None:
            return found
        tracked = TrackedConfig(config)
        try:
            found = self._capture(tracked, dict(config)), False
        except _BuildError as e:
            if not tried and any(key and key not in config for key in tracked.reads):
                return None, False  # not remembered: should it be tried, it is asked again, and what it says is said
            found = None, not isinstance(e.cause, CaptureError)
            kind = "" if isinstance(e.cause, ForetellError) else f"{type(e.cause).__name__}: "
            then = _LAST if found[1] else _WITHOUT
            self._warn_once("failure", f"failed for {dict(config)} ({kind}{e.cause}); {then}")
        with self._lock:
            if self._known.size >= self._capacity:
                self._known = ReadTree()
            self._known.add(config, list(tracked.reads), found)
        return found

    def unread(self, config: Mapping[str, Value]) -> frozenset[tuple[str, str]]:
        """Parameters at which the function does not look, where the graph of a configuration is remembered.

        Names and values as they print; all of them where it is not remembered.
        """
        with self._lock:
            reads = self._known.reads(config)
        return frozenset((name, repr(value)) for name, value in config.items() if "" not in reads and name not in reads)

    def knows(self, config: Mapping[str, Value]) -> bool:
        """Whether the graph of a configuration is remembered."""
        with self._lock:
            return bool(self._known.find(config)[0])

    def _capture(self, config: TrackedConfig, shown: dict[str, Value]) -> ComputationGraph | None:
        if self._hangs >= _MOST_HANGS:
            return None
        try:
            built = within(self._timeout, lambda: self._built(config))
        except TimeLimitError:
            with self._lock:
                self._hangs += 1
            self._warn_once("hang", f"took more than {self._timeout:g} s for {shown}; {_WITHOUT}")
            if self._hangs >= _MOST_HANGS:
                self._warn_once("hangs", f"took too long {_MOST_HANGS} times; from now on no network is asked for")
            return None
        except (Exception, SystemExit) as e:
            raise _BuildError(e) from e
        if built is None or isinstance(built, ComputationGraph):
            return built
        msg = (
            f"a module needs example inputs to be captured, but `graph` gave {type(built).__name__} and "
            "there are none: pass example_inputs=(torch.zeros(1, 3, 32, 32),), or return a ComputationGraph"
        )
        raise InvalidArchitectureError(msg)

    def _built(self, config: TrackedConfig) -> Any:
        """The function's network, captured where there are example inputs."""
        before = captured()
        try:
            built = self._build(config)
            if built is None or isinstance(built, ComputationGraph) or not self._example_inputs:
                return built
            return ComputationGraph.from_module(built, *self._example_inputs)
        finally:
            self._captures = self._captures or captured() > before

    def _warn_once(self, kind: str, what: str) -> None:
        with self._lock:
            if kind in self._warned:
                return
            self._warned.add(kind)
        warnings.warn(f"`graph` {what}", CaptureWarning, stacklevel=5)

    def __getstate__(self) -> dict[str, Any]:
        names = ("_build", "_example_inputs", "_capacity", "_timeout")
        return {name: self.__dict__[name] for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()


class _BuildError(Exception):
    """What the user's function raised, kept apart from what we raise."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause
