"""Learning rate and batch size of language models, a grid for each size of model and amount of data.

Li et al., 2025, "Predictable Scale: Part I, Step Law", https://arxiv.org/abs/2503.04715.
"""

from __future__ import annotations

import numpy as np

from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.tables import read_parquet


def steplaw(task: str) -> SearchProblem:
    """One model on one amount of data: minus the smoothed final loss in nats a token.

    Args:
        task: Parameters and tokens in thousands of millions, rounded to two digits, such as `0.43-8`.
    """
    columns = read_parquet("steplaw/dense_lr_bs_loss.parquet")
    rows = [i for i, (n, d) in enumerate(zip(columns["N"], columns["D"], strict=True)) if steplaw_task(n, d) == task]
    parameters = {name: [columns[name][i] for i in rows] for name in ("lr", "bs")}
    return grid_problem(parameters, -np.array([columns["smooth loss"][i] for i in rows]))


def steplaw_task(parameters: float, tokens: float) -> str:
    """The name of a model and an amount of data.

    >>> steplaw_task(429_260_800, 8_000_000_000)
    '0.43-8'
    """
    return f"{parameters / 1e9:.2g}-{tokens / 1e9:.2g}"
