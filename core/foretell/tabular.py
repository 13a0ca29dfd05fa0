"""The surrogate for plain columns, where no network is in view."""

from __future__ import annotations

from foretell.surrogates import Calibrated, CrossFitted, ExtraTrees, GaussianProcess, Stack, Surrogate

_TRUST = 40.0  # as in the preset `foretell`


def tabular_surrogate() -> Surrogate:
    """A Gaussian process and trees, weighted by leave-one-out rank agreement, with calibrated intervals."""
    members = (GaussianProcess(fit_rows=500), CrossFitted(ExtraTrees(n_trees=10)))
    return Calibrated(Stack(members, temperature=0.2), _TRUST)
