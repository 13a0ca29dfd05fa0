"""NAS-Bench-301's trained architectures from their own folder of `results_*.json`: what its surrogates were fitted to.

Zela et al., 2022 (Siems et al., 2020), https://arxiv.org/abs/2008.09777.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from foretell.benchmarks.tables import Table
from foretell.capture import nasbench301
from foretell.errors import InvalidArchitectureError, InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PREFIX = "NetworkSelectorDatasetInfo:darts:"
_FIDELITY = (
    f"{_PREFIX}layers",
    f"{_PREFIX}init_channels",
    "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max",
)


def load_nasbench301(folder: Path) -> Table:
    """All runs below a folder, by path: `val_acc` and `test_acc` in percent after training.

    Raises:
        InvalidDataError: If it holds no such files, one of them is damaged, or they differ in layers, channels or
            epochs.
    """
    paths = sorted(folder.rglob("results_*.json"))
    specs, accuracies, fidelities = [], [], set()
    for path in tqdm(paths, desc=folder.name, disable=None):
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            config = run["optimized_hyperparamater_config"]
            specs.append(nasbench301.parse([_cell(config, kind) for kind in ("normal", "reduce")]))
            accuracies.append((float(run["info"][0]["val_accuracy"]), float(run["test_accuracy"])))
            fidelities.add(tuple(config.get(name) for name in _FIDELITY))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, InvalidArchitectureError) as e:
            msg = f"a result of NAS-Bench-301 must hold a configuration and its accuracies, but {path} does not ({e!r})"
            raise InvalidDataError(f"{msg}: get it again") from e
    if len(fidelities) != 1:
        msg = (
            "a table of NAS-Bench-301 must hold results_*.json files of one number of layers, channels and epochs, but "
            f"{folder} holds {sorted(map(str, fidelities)) or 'no such file'}: name the folder of one fidelity"
        )
        raise InvalidDataError(msg)
    columns = np.array(accuracies)
    targets = {"val_acc": columns[:, 0], "test_acc": columns[:, 1]}
    return Table("nasbench301", specs, nasbench301.graph, targets, nasbench301.cells)


def _cell(config: Mapping[str, Any], kind: str) -> list[tuple[int, str]]:
    """Inputs and operators of the four nodes; edges are numbered node by node, source by source."""
    pairs = []
    first = 0  # edge from the first source of the node
    for node in range(4):
        inputs = config[f"{_PREFIX}inputs_node_{kind}_{node + 2}"] if node else "0_1"
        pairs += [(source, config[f"{_PREFIX}edge_{kind}_{first + source}"]) for source in map(int, inputs.split("_"))]
        first += node + 2
    return pairs
