"""The network of a configuration: built by the user's function, captured once, remembered."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any

from foretell.errors import CaptureWarning, ForetellError, InvalidArchitectureError
from foretell.graph import ComputationGraph
from foretell.read_tracking import ReadTree, TrackedConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.distributions import Value


class GraphSource:
    """A function from configurations to graphs that never fails: what cannot be built has no graph.

    A graph is found again by the parameters that the function read: another learning rate builds nothing. Safe for
    threads; pickling leaves what was remembered behind.

    Args:
        build: From a configuration to a `torch.nn.Module`, a `ComputationGraph`, or None where there is no
            network.
        example_inputs: Example inputs for capturing modules, with a batch dimension.
        capacity: How many graphs are remembered before all are forgotten.
    """

    def __init__(
        self,
        build: Callable[[dict[str, Value]], Any],
        example_inputs: Sequence[Any] = (),
        capacity: int = 4096,
    ) -> None:
        self._build = build
        self._example_inputs = tuple(example_inputs)
        self._capacity = capacity
        self._start()

    def _start(self) -> None:
        self._known: ReadTree[ComputationGraph | None] = ReadTree()
        self._lock = threading.Lock()
        self._warned = False

    def __call__(self, config: Mapping[str, Value]) -> ComputationGraph | None:
        """The graph of a configuration, None if there is none; the first failure warns and says why.

        Raises:
            InvalidArchitectureError: If the function gives modules and there are no example inputs.
        """
        with self._lock:
            known, graph = self._known.find(config)
        if known:
            return graph
        tracked = TrackedConfig(config)
        graph = self._capture(tracked)
        with self._lock:
            if self._known.size >= self._capacity:
                self._known = ReadTree()
            self._known.add(config, list(tracked.reads), graph)
        return graph

    def knows(self, config: Mapping[str, Value]) -> bool:
        """Whether the graph of a configuration is remembered."""
        with self._lock:
            return bool(self._known.find(config)[0])

    def _capture(self, config: dict[str, Value]) -> ComputationGraph | None:
        try:
            built = self._build(config)
            if built is None or isinstance(built, ComputationGraph):
                return built
            if self._example_inputs:
                return ComputationGraph.from_module(built, *self._example_inputs)
        except Exception as e:  # noqa: BLE001 - the user's function may raise anything; the study must go on
            self._warn_once(config, e)
            return None
        msg = (
            f"a module needs example inputs to be captured, but `graph` gave {type(built).__name__} and "
            "there are none: pass example_inputs=(torch.zeros(1, 3, 32, 32),), or return a ComputationGraph"
        )
        raise InvalidArchitectureError(msg)

    def _warn_once(self, config: Mapping[str, Value], error: Exception) -> None:
        with self._lock:
            if self._warned:
                return
            self._warned = True
        kind = "" if isinstance(error, ForetellError) else f"{type(error).__name__}: "
        warnings.warn(
            f"`graph` failed for {dict(config)} ({kind}{error}); such configurations are judged without their network",
            CaptureWarning,
            stacklevel=4,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"_build": self._build, "_example_inputs": self._example_inputs, "_capacity": self._capacity}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()
