"""`foretell naslib search`: NASLib's BANANAS and NPENAS with our predictor and with NASLib's ensembles, on real labels.

The optimisers are NASLib's, with the settings of the script that made its own experiments
(`scripts/create_configs.py`): ten architectures at random, then rounds of ten, chosen among two hundred mutants of the
best five. Only the ensemble differs: ours; `bananas`, that script's, three perceptrons over paths; `var_sparse_gp`,
that of the configurations beside NASLib's runners.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from foretell.benchmarks.runner import Cell
from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell_adapters.naslib import dataset_api
from foretell_adapters.naslib.light_spaces import LIGHT, light_space
from foretell_adapters.naslib.peers import PEERS
from foretell_adapters.naslib.presets import PREDICTORS
from foretell_adapters.naslib.searches import bananas, npenas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_OPTIMISERS = ("bananas", "npenas")
_NASLIB = "naslib-"
_OURS = tuple(name for name in PREDICTORS if name != "baker")  # which needs curves
DEFAULT_METHODS = tuple(
    f"{search}/{ensemble}"
    for search in _OPTIMISERS
    for ensemble in ("foretell", "naslib-var_sparse_gp", "naslib-bananas")
)
"""What is compared if nothing is asked for."""
_SETTINGS = {
    "checkpoint_freq": 1000, "fidelity": -1, "num_init": 10, "k": 10, "num_ensemble": 3, "acq_fn_type": "its",
    "acq_fn_optimization": "mutation", "encoding_type": "path", "num_arches_to_mutate": 5,
    "max_mutations": 1, "num_candidates": 200,
}  # fmt: skip


@dataclass
class SearchStudy:
    """Regrets, in points of accuracy, after a third, two thirds and all of the evaluations; smaller is better.

    Args:
        data: Folder of benchmark tables, see `foretell_adapters.naslib.dataset_api`.
        space: Search space.
        evaluations: Architectures that are trained.

    Raises:
        InvalidSearchSpaceError: If the space is unknown.
        InvalidDataError: If there are fewer evaluations than three rounds.
    """

    data: Path
    space: str = "nasbench201"
    evaluations: int = 100
    name: str = "naslib-search"
    methods: Sequence[str] = tuple(
        f"{search}/{ensemble}" for search in _OPTIMISERS for ensemble in (*_OURS, *(f"{_NASLIB}{p}" for p in PEERS))
    )
    _api: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.space not in LIGHT:
            msg = f"the space must be one of {list(LIGHT)}, but got {self.space!r}: choose one"
            raise InvalidSearchSpaceError(msg)
        if self.evaluations < 30:
            msg = (
                f"a search needs 30 evaluations at least, ten of them at random, but got {self.evaluations}: take more"
            )
            raise InvalidDataError(msg)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means 30 evaluations."""
        n = 30 if quick else self.evaluations
        return [Cell(method, self.space, "cifar10", n, seed) for seed in range(seeds) for method in methods]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.n is not None
        self._api = self._api or getattr(dataset_api, self.space)(self.data)
        search, ensemble = cell.method.split("/")
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():  # its Gaussian processes print
            warnings.simplefilter("ignore")  # NASLib's, about libraries of its time
            found = self._accuracies(search, ensemble, cell.n, cell.seed)
        seconds = time.perf_counter() - start
        best = dataset_api.best(self._api, self.space)
        marks = {f"regret_{k}": (best - max(found[:k]), "points") for k in (cell.n // 3, 2 * cell.n // 3, cell.n)}
        return {**marks, "time": (seconds, "s")}

    def average(self, values: Sequence[float]) -> float:
        """Mean: a search that stays behind must count."""
        return statistics.fmean(values)

    def _accuracies(self, search: str, ensemble: str, evaluations: int, seed: int) -> list[float]:
        """Accuracies in the order in which NASLib's optimiser asked for them."""
        from naslib import optimizers
        from naslib.utils import set_seed

        ours = not ensemble.startswith(_NASLIB)
        config = _config(self.space, evaluations, seed, "bananas" if ours else ensemble.removeprefix(_NASLIB))
        made: Callable[..., Any] = {"bananas": bananas, "npenas": npenas}[search]
        own = {"bananas": optimizers.Bananas, "npenas": optimizers.Npenas}[search]
        optimiser = made(config, ensemble) if ours else own(config)
        optimiser.adapt_search_space(light_space(self.space), dataset_api=self._api)
        set_seed(seed)
        for epoch in range(evaluations):
            optimiser.new_epoch(epoch)
        return [float(model.accuracy) for model in optimiser.train_data]


def _config(space: str, evaluations: int, seed: int, predictor_type: str) -> Any:
    from fvcore.common.config import CfgNode

    search = {**_SETTINGS, "seed": seed, "epochs": evaluations, "predictor_type": predictor_type}
    return CfgNode({"seed": seed, "search_space": space, "dataset": "cifar10", "save": "", "search": search})
