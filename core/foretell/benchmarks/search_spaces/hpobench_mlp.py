"""HPOBench's tables of multi-layer perceptrons: five numbers.

Eggensperger et al., 2021, "HPOBench: A Collection of Reproducible Multi-Fidelity Benchmark Problems for HPO",
https://arxiv.org/abs/2109.06716.
"""

from __future__ import annotations

import numpy as np

from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.tables import read_parquet

_PARAMETERS = ("alpha", "batch_size", "depth", "learning_rate_init", "width")


def hpobench_mlp(task: str) -> SearchProblem:
    """One data set: balanced accuracy as a fraction, mean of five seeds.

    Args:
        task: Name of the file, such as `car`.
    """
    columns = read_parquet(f"hpobench_mlp/{task}.parquet")
    return grid_problem({name: columns[name] for name in _PARAMETERS}, np.array(columns["bal_acc"], dtype=np.float64))
