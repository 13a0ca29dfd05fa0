"""Transformer translation systems: architecture and recipe, six numbers; a fifth of the grid was never trained.

Zhang and Duh, 2020, "Reproducible and Efficient Benchmarks for Hyperparameter Optimization of Neural Machine
Translation Systems", https://doi.org/10.1162/tacl_a_00322.
"""

from __future__ import annotations

import numpy as np

from foretell.benchmarks.search_spaces.grid_problem import grid_problem
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.tables import read_parquet

_PARAMETERS = ("bpe_symbols", "num_layers", "num_embed", "ffn_hidden", "attention_heads", "initial_lr")


def nmt(corpus: str) -> SearchProblem:
    """One corpus: BLEU on the development set, 0 to 100.

    Args:
        corpus: Name of the corpus in the table, such as `ru-en`.
    """
    columns = read_parquet("nmt/nmt.parquet")
    rows = [i for i, name in enumerate(columns["corpus"]) if name == corpus]
    parameters = {name: [columns[name][i] for i in rows] for name in _PARAMETERS}
    return grid_problem(parameters, np.array([columns["dev_bleu"][i] for i in rows]))
