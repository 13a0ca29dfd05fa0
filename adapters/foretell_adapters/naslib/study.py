"""`foretell naslib bench`: our predictors beside NASLib's own, in NASLib's evaluator, on real labels.

In the manner of NASLib's own study (White et al., 2021, "How Powerful are Performance Predictors in Neural Architecture
Search?", https://arxiv.org/abs/2104.01177): for each seed NASLib draws a test set and, after it, training
architectures, uniformly at random; smaller training sets are the beginnings of larger ones; every predictor gets the
same. Fitting, querying and all metrics are NASLib's (`PredictorEvaluator.single_evaluate`), with the hyperparameters
that its runner ships and no time for choosing others.

Times are NASLib's, wall clock on one thread, but for `prepare`: what `pre_compute` takes for an architecture, which
NASLib does not count. That is where our predictors compute their columns.
"""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from foretell.benchmarks.curves import curves_figure
from foretell.benchmarks.few_shot_report import few_shot_tables
from foretell.benchmarks.runner import Cell
from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell_adapters.naslib import dataset_api
from foretell_adapters.naslib.counting import COUNTED, Counting
from foretell_adapters.naslib.light_spaces import LIGHT, light_space
from foretell_adapters.naslib.peers import PEERS, peer
from foretell_adapters.naslib.presets import PREDICTORS, predictor_class

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from foretell.benchmarks.runner import Measurement

SIZES = (20, 50, 100, 200, 400)
_CURVES = ("baker",)  # need learning curves, which the tables have not
_KNOW = {"gennape": "nasbench101"}  # whose labels the weights learnt from
_ASKED = ("rf", "xgb", "lgb", "ngb", "gcn", "bananas", "bonas", "bohamiann", "var_sparse_gp")


@dataclass
class PredictorStudy:
    """Rank correlations of NASLib's evaluator; larger is better but for times.

    Args:
        data: Folder of benchmark tables, see `foretell_adapters.naslib.dataset_api`.
        spaces: Search spaces.
        sizes: Numbers of training architectures.
        test: Architectures to rank.

    Raises:
        InvalidSearchSpaceError: If a space is unknown.
        InvalidDataError: If a size is not positive, or fewer than two are to be ranked.
    """

    data: Path
    spaces: Sequence[str] = LIGHT
    sizes: Sequence[int] = SIZES
    test: int = 500
    name: str = "naslib"
    methods: Sequence[str] = (*(p for p in PREDICTORS if p not in _CURVES), *(f"naslib-{p}" for p in PEERS), *COUNTED)
    _apis: dict[str, dict[str, Any]] = field(default_factory=dict)
    _drawn: dict[tuple[str, int], tuple[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = sorted(set(self.spaces) - set(LIGHT))
        if wrong or not self.spaces:
            msg = f"spaces must be among {list(LIGHT)}, but got {wrong}: choose among them, separated by commas"
            raise InvalidSearchSpaceError(msg)
        if not self.sizes or min(self.sizes) < 2 or self.test < 2:
            msg = f"sizes and test set must be 2 at least, but got {list(self.sizes)} and {self.test}: take more"
            raise InvalidDataError(msg)
        self.sizes = sorted(self.sizes)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means the first size. A seed is finished before the next one begins."""
        return [
            Cell(method, space, f"test {self.test}", n, seed)
            for seed in range(seeds)
            for space in self.spaces
            for method in methods
            if _KNOW.get(method) != space
            for n in (self.sizes[:1] if quick else self.sizes)
        ]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.family is not None
        assert cell.n is not None
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():  # NASLib prints every prediction
            warnings.simplefilter("ignore")  # NASLib's, about libraries of its time
            found = self._evaluated(_predictor(cell.method, cell.family), cell.family, cell.n, cell.seed)
        return {
            "tau": (found["kendalltau"], ""),
            "rho": (found["spearman"], ""),
            "precision_20": (found["precision_20"], ""),
            "fit": (found["fit_time"], "s"),
            "query": (1e3 * found["query_time"], "ms"),
            "prepare": (1e3 * found["prepare_time"], "ms"),
        }

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """See `Reporting.report`."""
        times = {"fit": "fit, s", "query": "query, ms", "prepare": "prepare, ms"}
        return few_shot_tables(self._in_order(rows), times, "Wall clock on one thread, as NASLib takes it")

    def figure(self, rows: Sequence[Measurement]) -> Figure:
        """See `Drawing.figure`: tau against training size, and below it the time of a fit."""
        return curves_figure(self._in_order(rows), "tau", COUNTED)

    def time_figure(self, rows: Sequence[Measurement]) -> Figure:
        """Seconds of a fit against training size."""
        return curves_figure(self._in_order(rows), "fit", COUNTED, scale="log")

    def _in_order(self, rows: Sequence[Measurement]) -> list[Measurement]:
        methods, spaces = list(self.methods), list(self.spaces)
        return sorted(rows, key=lambda m: (spaces.index(m.family or ""), methods.index(m.method)))

    def _evaluated(self, predictor: Any, space: str, n: int, seed: int) -> dict[str, Any]:
        from naslib.utils import set_seed

        (train, test), evaluator = self._data(space, seed), self._evaluator(predictor, space)
        wanted = predictor.get_data_reqs()
        set_seed(seed)
        unlabelled = None
        if wanted["unlabeled"]:
            unlabelled = evaluator.load_dataset(data_size=n * wanted["unlabeled_factor"])[0][0]
        predictor.pre_process()
        known = [column[:n] for column in train]
        start = time.perf_counter()
        predictor.pre_compute(known[0], test[0], unlabelled)
        prepared = time.perf_counter() - start
        set_seed(seed)
        evaluator.single_evaluate(known, test, fidelity=1)
        return {**evaluator.results[-1], "prepare_time": prepared / (len(test[0]) + n)}

    def _data(self, space: str, seed: int) -> tuple[Any, Any]:
        """Training and test architectures with labels, drawn as `PredictorEvaluator.evaluate` does."""
        from naslib.utils import set_seed

        if (space, seed) not in self._drawn:
            self._drawn = {key: drawn for key, drawn in self._drawn.items() if key[1] == seed}
            evaluator = self._evaluator(predictor_class("foretell")(space), space)
            set_seed(seed)
            test, _ = evaluator.load_dataset(data_size=self.test)
            train, _ = evaluator.load_dataset(data_size=max(self.sizes))
            self._drawn[space, seed] = train, test
        return self._drawn[space, seed]

    def _evaluator(self, predictor: Any, space: str) -> Any:
        from fvcore.common.config import CfgNode
        from naslib.defaults.predictor_evaluator import PredictorEvaluator

        if space not in self._apis:
            self._apis[space] = getattr(dataset_api, space)(self.data)
        config = CfgNode({
            "experiment_type": "single", "search_space": space, "dataset": "cifar10", "test_size": self.test,
            "train_size_single": max(self.sizes), "train_size_list": list(self.sizes), "uniform_random": True,
            "fidelity_single": 1, "fidelity_list": [1], "max_hpo_time": 0, "save": "",
        })  # fmt: skip
        evaluator = PredictorEvaluator(predictor, config=config)
        evaluator.adapt_search_space(light_space(space), load_labeled=False, scope=[], dataset_api=self._apis[space])
        return evaluator


def _predictor(method: str, space: str) -> Any:
    if method in COUNTED:
        return Counting(method, space)
    return (
        peer(method.removeprefix("naslib-"), space) if method.startswith("naslib-") else predictor_class(method)(space)
    )


def default_methods() -> list[str]:
    """What is compared if nothing is asked for: ours, quick presets, what NASLib's users know, and counting."""
    return [
        "foretell",
        "foretell-pretrained",
        "graf",
        "gbdt-nas",
        "nas-bowl",
        *(f"naslib-{p}" for p in _ASKED),
        *COUNTED,
    ]
