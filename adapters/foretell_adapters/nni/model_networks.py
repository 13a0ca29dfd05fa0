"""The network of a model of NNI's space: from the user's function, or from the frozen model itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from nni.mutable import SampleValidationError

from foretell.graph import ComputationGraph
from foretell.graph_source import GraphSource
from foretell_adapters.nni.mutables import MutableSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.distributions import Value


class ModelNetworks:
    """Graphs by configuration, each captured once; the recipe makes no other network.

    Args:
        model_space: NNI's, with the evaluator's mutables.
        space: The same as a space of ours.
        example_inputs: For capturing what is built.
        graph: From a sample to a graph, or to a module and its example inputs; None builds the frozen model.
    """

    def __init__(
        self,
        model_space: Any,
        space: MutableSpace,
        example_inputs: Sequence[Any],
        graph: Callable[[dict[str, Any]], Any] | None,
    ) -> None:
        self._model_space = model_space
        self._space = space
        self._function = graph
        self._architecture = MutableSpace.parse(_model_mutables(model_space)).search_space.names
        self._fixed = space.search_space.sample(np.random.default_rng(0))
        self._source = GraphSource(self._build, example_inputs)

    def __call__(self, config: Mapping[str, Value]) -> ComputationGraph | None:
        """The network of a configuration, None where there is none."""
        return self._source({name: config[name] for name in self._architecture})

    def knows(self, config: Mapping[str, Value]) -> bool:
        """Whether the network of a configuration was captured before."""
        return self._source.knows({name: config[name] for name in self._architecture})

    def _build(self, architecture: Mapping[str, Value]) -> Any:
        sample = self._space.to_sample({**self._fixed, **architecture})
        if self._function is not None:
            built = self._function(sample)
            return ComputationGraph.from_module(*built) if isinstance(built, tuple) else built
        try:
            frozen = self._model_space.freeze(sample)
        except SampleValidationError:
            return None  # never submitted either
        with torch.random.fork_rng(devices=[]):  # initial weights must not draw from the user's generator
            return frozen.executable_model()


def _model_mutables(model_space: Any) -> Mapping[str, Any]:
    """What belongs to the model; with a format that does not tell it apart, the evaluator's mutables too."""
    for attribute in ("mutables", "model_space"):  # of the simplified and the raw format
        part = getattr(model_space, attribute, None)
        if part is not None:
            return part.simplify()  # type: ignore[no-any-return]
    return model_space.simplify()  # type: ignore[no-any-return]
