"""`foretell bench sources` on a small constructed family: old studies, what is enqueued, shares and tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from foretell import CategoricalDistribution, IntDistribution, SearchSpace
from foretell.benchmarks.runner import Cell, Measurement
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.source_tasks import unrelated_problem
from foretell.benchmarks.sources_report import sources_tables
from foretell.distributions import Value
from foretell_adapters.optuna import sources_bench
from foretell_adapters.optuna.sources_bench import SourcesBench

SPACE = SearchSpace({"width": IntDistribution(0, 9), "act": CategoricalDistribution(("relu", "gelu"))})
CELLS = {"a": 4, "b": 5, "c": 5}


def _problem(family: str, task: str) -> SearchProblem:
    del family

    def value(config: Mapping[str, Value]) -> float:
        return -abs(int(config["width"] or 0) - CELLS[task]) - 3.0 * (config["act"] == "relu")

    every = [{"width": w, "act": a} for w in range(10) for a in ("relu", "gelu")]
    return SearchProblem(SPACE, value, np.sort([value(c) for c in every]))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> SourcesBench:
    monkeypatch.setattr(sources_bench, "source_problem", _problem)
    monkeypatch.setattr(sources_bench, "sources_of", lambda _, task: [t for t in CELLS if t != task])
    monkeypatch.setattr(sources_bench, "described", lambda _, task: {"cells": CELLS[task]})
    monkeypatch.setattr(sources_bench, "_OLD_TRIALS", 12)
    return SourcesBench()


def test_every_method_is_measured(bench: SourcesBench) -> None:
    for method in bench.methods:
        found = bench.measure(Cell(method, "toy", "a", 5, 0))
        assert list(found) == ["share@5"]
        assert 0 <= found["share@5"][0] <= 100


def test_real_old_studies_find_more_than_misleading_ones(bench: SourcesBench) -> None:
    real, inverted = (bench._study(f"foretell+{kind}", "toy", "a", 0, 3) for kind in ("sources", "inverted"))
    assert max(real) >= -1.0
    assert inverted[0] < real[0]


def test_old_studies_are_what_their_kind_says(bench: SourcesBench) -> None:
    real, shuffled, inverted = (bench._old_study("toy", "b", 0, kind) for kind in ("real", "shuffled", "inverted"))
    assert [t.params for t in real.trials] == [t.params for t in shuffled.trials]
    assert sorted(t.value or 0.0 for t in real.trials) == sorted(t.value or 0.0 for t in shuffled.trials)
    assert all(t.value == -_problem("toy", "b").value(t.params) for t in inverted.trials)
    assert bench._old_study("toy", "b", 0, "real") is real


def test_the_best_of_every_study_is_enqueued_first(bench: SourcesBench) -> None:
    old = [bench._old_study("toy", task, 0, "real") for task in ("b", "c")]
    best = sources_bench._best(old, _problem("toy", "a"))
    assert best[0] == old[0].best_params
    assert len(best) == len({str(c) for c in best}) <= 5


def test_an_unrelated_problem_is_one_function_and_depends_on_the_seed() -> None:
    one, again, other = (unrelated_problem(_problem("toy", "a"), seed) for seed in (0, 0, 1))
    configs = [SPACE.sample(np.random.default_rng(i)) for i in range(8)]
    assert [one.value(c) for c in configs] == [again.value(c) for c in configs] != [other.value(c) for c in configs]


def test_tables_give_mean_and_median_and_keep_the_chosen_families_apart() -> None:
    rows = [
        Measurement("sources", method, family, "a", 40, seed, "share@10", value, "%", "0")
        for family in ("fcnet", "steplaw")
        for method in ("foretell+sources", "tpe")
        for seed, value in enumerate((0.0, 1.0, 5.0))
    ]
    text = "\n".join(sources_tables(rows))
    assert "### reported: steplaw" in text
    assert "### chosen on: fcnet" in text
    assert "| steplaw | 10 | 2.00 (1.00) | 2.00 (1.00) |" in text
    assert "6 data sets and seeds" in text
