"""The network of a configuration: built by the user's function, captured once, remembered."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from foretell.errors import CaptureWarning, ForetellError, InvalidArchitectureError
from foretell.graph import ComputationGraph

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.distributions import Value


class GraphSource:
    """A function from configurations to graphs that never fails: what cannot be built is judged without its graph.

    Safe for threads; pickling leaves what was remembered behind.

    Args:
        build: From a configuration to a `torch.nn.Module`, a `ComputationGraph`, or None where there is no network.
        example_inputs: Example inputs for capturing modules, with a batch dimension.
        capacity: How many graphs are remembered.
    """

    def __init__(
        self, build: Callable[[dict[str, Value]], Any], example_inputs: Sequence[Any] = (), capacity: int = 4096
    ) -> None:
        self._build = build
        self._example_inputs = tuple(example_inputs)
        self._capacity = capacity
        self._start()

    def _start(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], ComputationGraph | None] = OrderedDict()
        self._lock = threading.Lock()
        self._warned = False

    def __call__(self, config: Mapping[str, Value]) -> ComputationGraph | None:
        """The graph of a configuration, None if there is none; the first failure warns with its reason."""
        key = tuple(sorted((name, type(v).__name__, repr(v)) for name, v in config.items()))
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        graph = self._capture(dict(config))
        with self._lock:
            self._known[key] = graph
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)
        return graph

    def _capture(self, config: dict[str, Value]) -> ComputationGraph | None:
        try:
            built = self._build(config)
            if built is None or isinstance(built, ComputationGraph):
                return built
            if not self._example_inputs:
                msg = (
                    f"a module needs example inputs to be captured, but `graph` gave {type(built).__name__} and there are "
                    "none: pass example_inputs=(torch.zeros(1, 3, 32, 32),), or return a ComputationGraph"
                )
                raise InvalidArchitectureError(msg)
            return ComputationGraph.from_module(built, *self._example_inputs)
        except InvalidArchitectureError:
            raise
        except Exception as e:  # noqa: BLE001 - the user's function may raise anything; the study must go on
            if not self._warned:
                self._warned = True
                kind = "" if isinstance(e, ForetellError) else f"{type(e).__name__}: "
                warnings.warn(
                    f"`graph` failed for {config} ({kind}{e}); such configurations are judged without their network",
                    CaptureWarning,
                    stacklevel=3,
                )
            return None

    def __getstate__(self) -> dict[str, Any]:
        return {"_build": self._build, "_example_inputs": self._example_inputs, "_capacity": self._capacity}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()
