"""FCNet's tables: architecture and recipe of a two-layer perceptron, nine parameters.

Klein and Hutter, 2019, "Tabular Benchmarks for Joint Architecture and Hyperparameter Optimization",
https://arxiv.org/abs/1905.04970.
"""

from __future__ import annotations

import numpy as np

from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.tables import read_parquet

_SEEDS = 4


def fcnet(task: str) -> SearchProblem:
    """One data set: minus the validation error at epoch 100 as a mean squared error, mean of four seeds.

    Args:
        task: Name of the file, such as `protein_structure`.
    """
    columns = read_parquet(f"fcnet/{task}.parquet")
    errors = np.mean([columns[f"valid_mse_seed{seed}"] for seed in range(_SEEDS)], axis=0)
    parameters = {name: c for name, c in columns.items() if not name.startswith(("valid_mse", "runtime"))}
    return grid_problem(parameters, -errors)
