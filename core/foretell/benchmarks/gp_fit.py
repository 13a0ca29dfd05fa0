"""Time of fitting a Gaussian process and predicting 1,000 rows: ours beside scikit-learn's, the same kernel."""

from __future__ import annotations

import time
import warnings

import numpy as np

from foretell.errors import InvalidDataError
from foretell.surrogates.gaussian_process import GaussianProcess

_COLUMNS, _QUERIES = 10, 1000


def fit_milliseconds(method: str, n: int, seed: int) -> float:
    """Milliseconds to fit n rows of 10 columns, a length scale each, and predict 1,000.

    Args:
        method: `foretell` or `scikit-learn`.
        n: Rows.
        seed: Seed of the data.

    Raises:
        InvalidDataError: If the method is another.
    """
    rng = np.random.default_rng(seed)
    X, Q = rng.random((n, _COLUMNS)), rng.random((_QUERIES, _COLUMNS))
    y = np.sin(4 * X[:, 0]) + X[:, 1] + 0.05 * rng.standard_normal(n)
    y = (y - y.mean()) / y.std()
    if method == "foretell":
        start = time.perf_counter()
        GaussianProcess().fit(X, y, [str(i) for i in range(_COLUMNS)]).predict(Q)
        return 1e3 * (time.perf_counter() - start)
    if method != "scikit-learn":
        msg = f"the method must be foretell or scikit-learn, but got {method!r}: choose one"
        raise InvalidDataError(msg)
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    kernel = ConstantKernel() * Matern(np.ones(_COLUMNS), nu=2.5) + WhiteKernel(0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its advice on bounds
        start = time.perf_counter()
        GaussianProcessRegressor(kernel).fit(X, y).predict(Q, return_std=True)
        return 1e3 * (time.perf_counter() - start)
