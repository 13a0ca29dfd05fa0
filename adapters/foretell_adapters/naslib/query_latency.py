"""`foretell bench naslib-query`: how long NASLib's BANANAS and NPENAS wait for one architecture, after fitting.

They ask for one at a time. `known` architectures are those whose columns were computed before: by an earlier query, by
`pre_compute`, or together with the other candidates of a round by `ForetellSearch`, which takes `together` for each;
`fresh` ones were never seen. Labels are parameters in millions, since time does not depend on them. CPU time on one
thread, medians.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.benchmarks.runner import Cell
from foretell_adapters.naslib.presets import PREDICTORS, predictor_class
from foretell_adapters.naslib.space import family_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell_adapters.naslib.predictor import ForetellPredictor

_SPACES = ("nasbench201", "nasbench101")
_TRAIN, _ASKED = 100, 60
_SLOW = ("gennape", "baker")  # keep no columns; needs curves


class _Architecture:
    """What the predictors read of NASLib's search-space objects.

    Args:
        spec: Specification, as the family draws it.
    """

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def get_op_indices(self) -> Any:
        """Of a space of edges."""
        return self.spec

    def get_spec(self) -> dict[str, Any]:
        """Of NAS-Bench-101."""
        return {"matrix": np.array(self.spec[0]), "ops": list(self.spec[1])}


@dataclass
class QueryLatency:
    """Milliseconds a query; smaller is better."""

    name: str = "naslib-query"
    methods: Sequence[str] = tuple(name for name in PREDICTORS if name not in _SLOW)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; quick means one space."""
        spaces = _SPACES[:1] if quick else _SPACES
        return [Cell(m, space, None, _TRAIN, seed) for m in methods for space in spaces for seed in range(seeds)]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        family = family_of(cell.family)
        rng = np.random.default_rng(cell.seed)
        drawn = [_Architecture(family.sample(rng)) for _ in range(_TRAIN + 2 * _ASKED)]
        train, fresh, later = drawn[:_TRAIN], drawn[_TRAIN : _TRAIN + _ASKED], drawn[_TRAIN + _ASKED :]
        predictor = predictor_class(cell.method)(cell.family)
        predictor.fit(train, [family.graph(arch.spec).params / 1e6 for arch in train])
        predictor.query(train[:1])
        first = _median_query(predictor, fresh)
        start = time.process_time()
        predictor.prepare(later)
        together = (time.process_time() - start) / len(later)
        known = _median_query(predictor, later)
        return {"known": (1e3 * known, "ms"), "fresh": (1e3 * first, "ms"), "together": (1e3 * together, "ms")}


def _median_query(predictor: ForetellPredictor, archs: Sequence[_Architecture]) -> float:
    taken = []
    for arch in archs:
        start = time.process_time()
        predictor.query([arch])
        taken.append(time.process_time() - start)
    return statistics.median(taken)
