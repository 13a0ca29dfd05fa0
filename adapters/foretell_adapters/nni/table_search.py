"""`foretell bench nni-search`: NNI's own strategies and ours on NAS-Bench-201, through NNI, with real labels.

Cell, format and engine are NNI's (`NasBench201Cell` of its hub, `simplified`, `sequential`); the evaluator looks the
test accuracy after 200 epochs up, so that the network around the cell is left out. `regret` is what the best of the
models so far lacks to the table's best, in percent.

NNI's `TPE` minimises as it is shipped, although its strategies maximise: here it is told to maximise. `evolution` is
`RegularizedEvolution` with its own population of 100, which this budget only fills, with models drawn at random;
`evolution-20` has a population of 20 and tournaments of 5.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from torch import nn

from foretell.benchmarks.runner import Cell
from foretell.benchmarks.tables import TABLES
from foretell.capture import nasbench201
from foretell.errors import MissingDependencyError

if TYPE_CHECKING:
    from foretell.benchmarks.tables import Table

BUDGET = 100
_REPORTED = (20, 50, 100)
_OPERATIONS = {"conv_3x3": "nor_conv_3x3", "conv_1x1": "nor_conv_1x1"}
"""The names that NNI's hub gives otherwise."""


@dataclass
class NniSearch:
    """Regret; smaller is better."""

    name: str = "nni-search"
    methods: Sequence[str] = ("foretell", "evolution", "evolution-20", "tpe", "random")
    _tables: dict[str, Table] = field(default_factory=dict)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one task."""
        tasks = ("cifar10",) if quick else ("cifar10", "cifar100")
        return [Cell(m, "nasbench201", task, None, s) for task in tasks for m in methods for s in range(seeds)]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`; `own_time` is a strategy's own time for each model, in milliseconds."""
        assert cell.task is not None
        accuracy = self._accuracy(cell.task)
        asked: list[float] = []
        start = time.process_time()
        search(cell.method, cell.seed, accuracy, asked, BUDGET)
        own_time = (time.process_time() - start) / BUDGET * 1e3
        found = list(accumulate(asked, max))
        regret = {f"regret@{k}": (max(accuracy.values()) - found[min(k, len(found)) - 1], "%") for k in _REPORTED}
        return regret | {"own_time": (own_time, "ms")}

    def _accuracy(self, task: str) -> dict[tuple[int, ...], float]:
        table = self._table
        return dict(zip(map(nasbench201.parse, table.specs), table.targets[task].tolist(), strict=True))

    @cached_property
    def _table(self) -> Table:
        return TABLES["nasbench201"]()


def search(method: str, seed: int, accuracy: Mapping[tuple[int, ...], float], asked: list[float], budget: int) -> None:
    """One search through NNI; what it asks for is appended to `asked`.

    Raises:
        MissingDependencyError: If NNI or what its strategies need is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import nni
            from nni.nas.evaluator import FunctionalEvaluator
            from nni.nas.execution import SequentialExecutionEngine
            from nni.nas.hub.pytorch.modules import NasBench201Cell
            from nni.nas.hub.pytorch.nasbench201 import PRIMITIVES
            from nni.nas.nn.pytorch import ModelSpace
            from nni.nas.space import SimplifiedModelSpace
            from nni.nas.strategy import hpo
    except ImportError as e:
        msg = f"a search through NNI needs NNI and PyTorch Lightning ({e}): pip install 'foretell[nni]'"
        raise MissingDependencyError(msg) from e

    def look_up(model: Any) -> None:
        del model
        asked.append(accuracy[cell_of(nni.get_current_parameter().sample)])
        nni.report_final_result(asked[-1])

    class CellAlone(ModelSpace):  # type: ignore[misc]
        """All choices of NNI's `NasBench201`; every model is built, and none trained."""

        def __init__(self) -> None:
            super().__init__()
            self.cell = NasBench201Cell({name: lambda *_: nn.Identity() for name in PRIMITIVES}, 1, 1, label="cell")

    space = SimplifiedModelSpace.from_model(CellAlone(), FunctionalEvaluator(look_up))
    with patch.object(hpo, "time", SimpleNamespace(sleep=lambda _: None)):  # TPE sleeps a second for each model
        _strategy(method, seed)(space, SequentialExecutionEngine(max_model_count=budget))


def cell_of(sample: Mapping[str, str]) -> tuple[int, ...]:
    """The specification of a sample of NNI's `NasBench201`.

    >>> cell_of({f"cell/{a}_{b}": "conv_3x3" for a, b in nasbench201.EDGES})
    (2, 2, 2, 2, 2, 2)
    """
    chosen = (sample[f"cell/{a}_{b}"] for a, b in nasbench201.EDGES)
    return tuple(nasbench201.OPERATIONS.index(_OPERATIONS.get(name, name)) for name in chosen)


def _strategy(method: str, seed: int) -> Any:
    from nni.nas.strategy import TPE, Random, RegularizedEvolution

    from foretell_adapters.nni.strategy import ForetellStrategy

    made: dict[str, Callable[[], Any]] = {
        "foretell": lambda: ForetellStrategy(seed=seed, graph=lambda sample: nasbench201.graph(cell_of(sample))),
        "evolution": lambda: RegularizedEvolution(seed=seed),
        "evolution-20": lambda: RegularizedEvolution(population_size=20, sample_size=5, seed=seed),
        "tpe": lambda: TPE(optimize_mode="maximize", seed=seed),
        "random": lambda: Random(seed=seed),
    }
    return made[method]()
