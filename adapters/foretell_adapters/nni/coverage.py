"""`foretell bench nni-coverage`: random networks of every space of NNI's hub, captured and counted."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from numpy.random import RandomState

from foretell.benchmarks.coverage import coverage_report
from foretell.benchmarks.coverage_example import Example, measure_example
from foretell.benchmarks.runner import Cell
from foretell.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.benchmarks.runner import Measurement

SPACES = ("NasBench101", "NasBench201", "NASNet", "ENAS", "AmoebaNet", "PNAS", "DARTS", "ProxylessNAS",
          "MobileNetV3Space", "ShuffleNetSpace", "AutoFormer")  # fmt: skip
"""Every space of `nni.nas.hub.pytorch`."""
_SIDE = {"NasBench101": 32, "NasBench201": 32, "NASNet": 32, "ENAS": 32, "AmoebaNet": 32, "PNAS": 32, "DARTS": 32}
"""Side of the image; 224 for the others, which are made for ImageNet."""


class NniCoverage:
    """Shares of models; larger is better."""

    name = "nni-coverage"
    methods: Sequence[str] = ("nni",)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; a seed is a random network of each space."""
        spaces = SPACES[:2] if quick else SPACES
        return [
            Cell(method, None, space, None, seed) for method in methods for space in spaces for seed in range(seeds)
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.task is not None
        return measure_example(partial(build, cell.task, cell.seed))

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `coverage_report`."""
        return coverage_report(rows)


def build(space: str, seed: int, device: str = "meta") -> Example:
    """A random network of a space in evaluation mode, with one image.

    Raises:
        MissingDependencyError: If NNI or what its hub needs is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from nni.nas.hub import pytorch as hub
    except ImportError as e:
        msg = f"the coverage of NNI's hub needs NNI and PyTorch Lightning ({e}): pip install 'foretell[nni]' lightning"
        raise MissingDependencyError(msg) from e
    side = _SIDE.get(space, 224)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = getattr(hub, space)(**_SETTINGS.get(space, {}))  # not on meta: AutoFormer asks for numbers
        network = _sample(whole, RandomState(seed))
    return Example(network.eval().to(device), (torch.zeros(1, 3, side, side, device=device),))


def _sample(space: Any, random_state: RandomState) -> torch.nn.Module:
    """A random network, drawn again where a draw breaks a constraint of its space."""
    from nni.mutable import SampleValidationError

    for attempt in range(_ATTEMPTS):
        try:
            network: torch.nn.Module = space.random(random_state=random_state)
        except SampleValidationError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return network
    raise AssertionError


_ATTEMPTS = 500  # as many as NNI's own strategies make
_SETTINGS = {name: {"width": 16, "num_cells": 8, "dataset": "cifar"} for name in list(_SIDE)[2:]}
