"""NASLib's BANANAS and NPENAS with our predictor in place of their ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foretell.errors import MissingDependencyError
from foretell_adapters.naslib.ensemble import ForetellEnsemble

if TYPE_CHECKING:
    from foretell.known_columns import KnownColumns
    from foretell_adapters.naslib.model import Known


class ForetellSearch:
    """Mixed in before an optimiser of NASLib: `class Search(ForetellSearch, Bananas): preset = "nas-bowl"`.

    It gives the ensemble, and computes the columns of all candidates of a round at once before they are queried one by
    one; what has been seen is kept from round to round.

    Attributes:
        preset: Which predictor.
    """

    preset: str = "foretell"
    _columns: KnownColumns[Known] | None = None
    _ensemble: ForetellEnsemble | None = None

    def _get_ensemble(self) -> ForetellEnsemble:
        ss_type: str = self.ss_type  # type: ignore[attr-defined]
        self._ensemble = ForetellEnsemble(ss_type, self.preset, columns=self._columns)
        return self._ensemble

    def _get_best_candidates(self, candidates: Any, acq_fn: Any) -> Any:
        if self._ensemble is not None:
            self._ensemble.prepare([model.arch for model in candidates])
            self._columns = self._ensemble.known_columns
        return super()._get_best_candidates(candidates, acq_fn)  # type: ignore[misc]


def bananas(config: Any, preset: str = "foretell") -> Any:
    """NASLib's BANANAS (White et al., 2021) with our predictor.

    Args:
        config: As NASLib's own takes it.
        preset: Which predictor.

    Raises:
        MissingDependencyError: Without NASLib.
    """
    return _search("Bananas", config, preset)


def npenas(config: Any, preset: str = "foretell") -> Any:
    """NASLib's NPENAS (Wei et al., 2020) with our predictor; see `bananas`."""
    return _search("Npenas", config, preset)


def _search(name: str, config: Any, preset: str) -> Any:
    try:
        from naslib import optimizers
    except ImportError as e:
        msg = (
            f"NASLib's {name} needs NASLib, but {e}: put a checkout on PYTHONPATH and call "
            "foretell_adapters.naslib.compat.install() first"
        )
        raise MissingDependencyError(msg) from e
    cls = type(f"Foretell{name}", (ForetellSearch, getattr(optimizers, name)), {"preset": preset})
    return cls(config)
