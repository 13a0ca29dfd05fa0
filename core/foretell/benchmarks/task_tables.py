"""Families whose networks were trained on, or measured for, several tasks: what `foretell bench tasks` reads.

- `transnasbench101`: all 4,096 micro cells, the four tasks that the table has; a loss is negated.
- `nasbench201`: two data sets, test accuracy after 200 epochs.
- `hwnasbench201`: latency of the same networks on six devices, the negated logarithm of milliseconds.

Of the 15,625 cells of NAS-Bench-201, 4,096 that are drawn once; for latencies, of those that all six devices could run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.benchmarks.tables import TABLES, read_parquet, some_rows
from foretell.candidate import Candidate
from foretell.capture import nasbench201, transnasbench101_tasks
from foretell.pretraining.objectives import Accuracy, AccuracyPerFlops

if TYPE_CHECKING:
    from jaxtyping import Float

    from foretell.graph import ComputationGraph
    from foretell.pretraining.objectives import Objective

_POOL, _POOL_SEED = 4096, 201
_DEVICES = ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")
_CLASSES = {"cifar10": 10, "cifar100": 100}


@dataclass(frozen=True, eq=False)
class TaskTable:
    """Networks of one family with a label of each for several tasks.

    Args:
        family: Name of the family.
        specs: Specifications of all networks.
        candidate: From a specification to network and cells, without the head of a task.
        graph: From specification and task to the network with the head of the task.
        targets: Labels by task, larger is better; accuracies in [0, 1].
        objectives: How AIO-P standardises the labels of a task.
    """

    family: str
    specs: Sequence[Any]
    candidate: Callable[[Any], Candidate]
    graph: Callable[[Any, str], ComputationGraph]
    targets: Mapping[str, Float[np.ndarray, " n"]]
    objectives: Mapping[str, Objective]

    def __len__(self) -> int:
        return len(self.specs)


def _transnas() -> TaskTable:
    table = TABLES["transnasbench101"]()
    units = {"class_scene": 100.0, "jigsaw": 100.0, "autoencoder": 1.0, "room_layout": 1.0}
    objectives: dict[str, Objective] = dict.fromkeys(units, AccuracyPerFlops())
    objectives["room_layout"] = Accuracy()
    targets = {task: table.targets[task] / unit for task, unit in units.items()}
    return TaskTable(table.family, table.specs, _candidate(table), transnasbench101_tasks.graph, targets, objectives)


def _data_sets() -> TaskTable:
    table = TABLES["nasbench201"]()
    rows = np.sort(some_rows(len(table), _POOL, _POOL_SEED))
    return TaskTable(
        "nasbench201",
        [table.specs[i] for i in rows],
        _candidate(table),
        lambda spec, task: nasbench201.graph(spec, classes=_CLASSES[task]),
        {task: table.targets[task][rows] / 100.0 for task in _CLASSES},
        dict.fromkeys(_CLASSES, AccuracyPerFlops()),
    )


def _devices() -> TaskTable:
    columns = read_parquet("hwnasbench201/hw_cifar10.parquet")
    specs = [ast.literal_eval(net) if isinstance(net, str) else tuple(net) for net in columns["net"]]
    named = {f"{device}_latency": np.array(columns[f"{device}_latency"], dtype=np.float64) for device in _DEVICES}
    ran = np.flatnonzero(np.min(list(named.values()), axis=0) > 0)  # -1 where one could not
    rows = ran[np.sort(some_rows(len(ran), _POOL, _POOL_SEED))]
    return TaskTable(
        "hwnasbench201",
        [specs[i] for i in rows],
        lambda spec: Candidate(nasbench201.graph(spec), cells=nasbench201.cells(spec)),
        lambda spec, _: nasbench201.graph(spec),
        {task: -np.log(milliseconds[rows]) for task, milliseconds in named.items()},
        dict.fromkeys(named, Accuracy()),
    )


def _candidate(table: Any) -> Callable[[Any], Candidate]:
    return lambda spec: Candidate(table.build(spec), cells=table.cells(spec))


TASK_TABLES: Mapping[str, Callable[[], TaskTable]] = MappingProxyType(
    {"transnasbench101": _transnas, "nasbench201": _data_sets, "hwnasbench201": _devices}
)
"""Loaders by family."""
