"""What foretell says, as pandas frames; `pip install 'foretell[pandas]'`.

One function a kind of result. The index names the rows, columns are plain numbers and strings, so that `to_csv`,
`to_parquet` and plotting work as they are. Studies have their own in Optuna: `study.trials_dataframe()`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidDataError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from foretell.benchmarks.runner import Measurement
    from foretell.explain import Contributions, Motif
    from foretell.posterior import Posterior
    from foretell.ranking import Ranked


def posterior_frame(posterior: Posterior, names: Sequence[str] | None = None, coverage: float = 0.9) -> pd.DataFrame:
    """A row a candidate: `mean`, `std`, and the ends `low` and `high` of its central interval.

    Args:
        posterior: Of n candidates.
        names: Of these, the index; 0 to n - 1 if not given.
        coverage: Probability that an interval is to hold, in (0, 1).

    Raises:
        InvalidDataError: If there is not one name a candidate, or the coverage lies outside (0, 1).
        MissingDependencyError: Without pandas.
    """
    if not 0.0 < coverage < 1.0:
        msg = f"`0 < coverage < 1` must hold, but got {coverage=}: 0.9 is usual"
        raise InvalidDataError(msg)
    mean = posterior.mean
    if names is not None and len(names) != len(mean):
        msg = f"one name a candidate is needed, but got {len(names)} for {len(mean)}: pair them"
        raise InvalidDataError(msg)
    low, high = posterior.quantile(0.5 - coverage / 2), posterior.quantile(0.5 + coverage / 2)
    index = range(len(mean)) if names is None else list(names)
    return _pandas().DataFrame({"mean": mean, "std": posterior.std, "low": low, "high": high}, index=index)


def ranking_frame(ranking: Iterable[Ranked]) -> pd.DataFrame:
    """A row a network of `foretell.ranking.rank_graphs`, best first, by name."""
    return _rows([{**asdict(row), "in_domain": row.in_domain} for row in ranking], "name")


def measurements_frame(results: str | Path | Iterable[Measurement]) -> pd.DataFrame:
    """A row a measurement of a result file of `foretell bench`, or of measurements that were read."""
    from foretell.benchmarks.runner import read

    found = read(Path(results)) if isinstance(results, str | Path) else results
    return _pandas().DataFrame([asdict(row) for row in found])


def contributions_frame(contributions: Contributions) -> pd.DataFrame:
    """A row a group of columns of `foretell.explain.explain_columns`: `contribution` and its `error`, largest first."""
    columns = {"contribution": contributions.values, "error": contributions.errors}
    frame = _pandas().DataFrame(columns, index=list(contributions.names))
    return frame.sort_values("contribution", key=abs, ascending=False, kind="stable")


def motifs_frame(motifs: Iterable[Motif]) -> pd.DataFrame:
    """A row a motif of `foretell.explain`: its effect, and in how many networks it is."""
    rows = [{"motif": m.text, "effect": m.effect, "unit": m.unit, "networks": m.networks,
             "occurrences": m.occurrences, "cell": m.cell} for m in motifs]  # fmt: skip
    return _rows(rows, "motif")


def importances_frame(effects: Mapping[str, float]) -> pd.DataFrame:
    """A row a parameter, from `ResponseSurface.total_effects` or Optuna's `get_param_importances`; largest first."""
    frame = _pandas().DataFrame({"importance": list(effects.values())}, index=list(effects))
    return frame.sort_values("importance", ascending=False, kind="stable")


def _rows(rows: Sequence[Mapping[str, Any]], index: str) -> pd.DataFrame:
    frame = _pandas().DataFrame(list(rows))
    return frame.set_index(index) if rows else frame


def _pandas() -> Any:
    try:
        import pandas as pd
    except ModuleNotFoundError as e:
        msg = "frames need pandas, but it is absent: pip install 'foretell[pandas]'"
        raise MissingDependencyError(msg) from e
    return pd
