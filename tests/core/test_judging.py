"""Judging spaces and searches: closed forms, coverage, and the benches that use them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from foretell.benchmarks import small_tasks
from foretell.benchmarks.grammar import Grammars
from foretell.benchmarks.lotteries import Lotteries
from foretell.benchmarks.runner import Cell, Measurement
from foretell.benchmarks.search_spaces.problem import SearchProblem
from foretell.benchmarks.small_spaces import SPACES
from foretell.benchmarks.spaces import Spaces, _band
from foretell.errors import InvalidDataError
from foretell.judging import ErrorDistribution, NarrowedSpace, chance_ahead, compare_spaces, lottery
from foretell.posterior import GaussianPosterior
from foretell.search_space import SearchSpace
from foretell.spaces.ready import nasbench201_cells
from foretell.spaces.searchers import ModelSearch


def test_the_share_below_counts_ties() -> None:
    found = ErrorDistribution.of([0.3, 0.1, 0.3, 0.9], np.array([0.0, 0.1, 0.3, 0.8, 0.9]))
    assert found.share.tolist() == [0.0, 0.25, 0.75, 0.75, 1.0]
    assert (np.diff(found.low) >= 0).all()
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()


def test_bands_hold_the_truth_as_often_as_they_say() -> None:
    at = np.array([0.2, 0.5, 0.8])
    rng = np.random.default_rng(0)
    held = [
        (found.low <= at) & (at <= found.high)
        for k in range(150)
        for found in [ErrorDistribution.of(rng.random(60), at, seed=k)]
    ]
    assert np.mean(held) == pytest.approx(0.9, abs=0.05)


def test_the_bootstrap_band_has_the_binomial_s_width() -> None:
    e = np.repeat([0.0, 1.0], 200)
    found = ErrorDistribution.of(e, np.array([0.5]))
    assert found.high[0] - found.low[0] == pytest.approx(2 * 1.645 * np.sqrt(0.25 / 400), rel=0.1)


def test_a_prediction_counts_what_is_not_known_of_each_network() -> None:
    rng = np.random.default_rng(1)
    mean = 0.7 + 0.1 * rng.standard_normal(800)
    belief = GaussianPosterior(mean, np.full(800, 0.1))
    at = np.linspace(0.1, 0.5, 9)
    found = ErrorDistribution.predicted(belief, at)
    truth = ErrorDistribution.of(1.0 - mean - 0.1 * rng.standard_normal(800), at)
    assert found.within(truth).all()
    of_means = ErrorDistribution.of(1.0 - mean, at)
    assert not of_means.within(truth).all()


def test_comparing_equal_spaces_is_undecided_and_apart_ones_is_not() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.random(80), rng.random(80)
    assert compare_spaces(a, b).verdict == "undecided"
    assert compare_spaces(a, b + 0.3).verdict == "first"
    found = compare_spaces(b + 0.3, a)
    assert found.verdict == "second"
    assert found.ahead == pytest.approx(1.0 - compare_spaces(a, b + 0.3).ahead)
    assert compare_spaces(a, a + 0.2).gap == pytest.approx(0.2)


def test_a_lottery_tells_settings_from_chance() -> None:
    rng = np.random.default_rng(3)
    noise = {str(k): rng.standard_normal(30).tolist() for k in range(6)}
    assert lottery(noise).share < 0.1
    apart = {k: [v + 3 * int(k) for v in values] for k, values in noise.items()}
    found = lottery(apart)
    assert found.share > 0.9
    assert found.winner == "0"
    assert found.best < found.median < found.worst
    assert lottery({"a": [1.0, 1.0], "b": [1.0, 1.0]}).share == 0.0
    assert chance_ahead(noise, apart) > 0.8


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda: ErrorDistribution.of([]), "errors without nan and `0 < level < 1` are needed, but got 0"),
        (lambda: ErrorDistribution.of([np.nan]), "errors without nan"),
        (lambda: ErrorDistribution.of([0.1], level=1.0), "level=1.0: correct them"),
        (lambda: lottery({"a": [1.0, 2.0]}), "two settings and two seeds each are needed"),
        (lambda: lottery({"a": [1.0, 2.0], "b": [1.0]}), "as many for all"),
        (lambda: ErrorDistribution.of([0.1]).within(ErrorDistribution.of([0.2])), "at the same errors only"),
    ],
)
def test_mistakes_are_named(broken: object, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        broken()  # type: ignore[operator]


def test_narrowing_drops_the_choice_that_harms() -> None:
    pytest.importorskip("lightgbm")
    space = nasbench201_cells()
    rng = np.random.default_rng(0)
    observed = {}
    for _ in range(120):
        trace = space.draw(rng)
        values = list(trace.config.values())
        observed[trace] = values.count("nor_conv_3x3") - 3.0 * values.count("none") + 0.1 * rng.standard_normal()
    found = NarrowedSpace.after(space, observed, share=0.2)
    assert {drop.feature.partition("=")[2] for drop in found.narrowing.dropped[:3]} == {"none"}
    assert found.narrowing.share >= 0.2
    assert "none" in str(found)
    kept = [t for t in observed if found.keeps(t)]
    assert np.mean([observed[t] for t in kept]) > np.mean(list(observed.values()))
    search = ModelSearch(space, admissible=found.keeps, edits=30, draws=30)
    assert found.keeps(search.suggest(observed, 0))


def test_small_trainings_learn_and_repeat_themselves() -> None:
    space = SPACES["normed"]()
    config = {"stem.width": 12, "body.times": 1, "body.0.0.1.kernel": 3, "body.0.0.2.is": "relu"}
    first, again = (small_tasks.trained(space, config, small_tasks.digits(), seed=1) for _ in range(2))
    assert first == again
    assert first[1] > 0.6
    assert len(small_tasks.digits().inputs) + len(small_tasks.digits().held_inputs) <= 1797


def test_directions_differ_in_order_alone() -> None:
    task = small_tasks.direction()
    assert task.inputs.shape == (1200, small_tasks.TOKENS)
    assert sorted(set(task.labels.tolist())) == [0, 1]
    text = "".join(small_tasks.LETTERS[i] for row in task.inputs[::2][:200].tolist() for i in row)
    assert text.count("th") > 2 * text.count("ht")  # forwards


def test_trainings_that_diverge_count_as_guessing() -> None:
    task = small_tasks.SmallTask(torch.ones(64, 2), torch.arange(64) % 2, torch.ones(2, 2), torch.arange(2), epochs=1)
    network = torch.nn.Linear(2, 2)
    torch.nn.init.constant_(network.weight, torch.inf)
    assert task.train(network) == (pytest.approx(np.log(2)), 0.0)


def test_the_grammar_bench_trains_each_network_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    def trained(space: object, config: object, task: object) -> tuple[float, float]:
        calls.append(config)
        return 1.0 / len(calls), 0.0

    monkeypatch.setattr(small_tasks, "trained", trained)
    bench = Grammars()
    found = bench.measure(Cell("random", "einspace", "digits", 25, 0))
    assert found["best@25"][0] == pytest.approx(1.0 / len(calls))
    assert len(calls) <= 25
    again = bench.measure(Cell("random", "einspace", "digits", 25, 0))
    assert again["best@25"] == found["best@25"]
    assert len({c.method for c in bench.cells(bench.methods, 2, quick=True)}) == 5
    rows = [
        Measurement("grammar", m, "einspace", "digits", 100, s, k, v + s, "nats", "0")
        for s in range(2)
        for m, v in (("foretell", 0.1), ("random", 0.3))
        for k in ("best@50", "best@100")
    ]
    assert "2 of 2" in bench.report(rows)[-1]


def test_the_spaces_bench_reports_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_tasks, "trained", lambda space, config, task, seed: (0.0, seed % 100 / 100))
    bench = Spaces()
    rows = []
    for cell in (c for c in bench.cells(bench.methods, 1, quick=True) if c.family == "digits"):
        rows += [
            Measurement(
                "spaces", cell.method, "digits", "error", cell.n, 0, k, v / (1 + ("normed" in cell.method)), u, "0"
            )
            for k, (v, u) in bench.measure(cell).items()
        ]
    assert len(rows) == 100
    assert bench.report(rows)[-1].startswith("50 others of each: 20 of 20 with the same verdict, 20")


def test_the_lottery_bench_counts_different_cells() -> None:
    problem = SearchProblem(SearchSpace({}), lambda c: float(list(c.values()).count("none")), np.arange(7.0))
    bench = Lotteries(_problem=[problem])
    rows = []
    for method in ("local: start 3", "local: start 10", "mcts: exploration 0.0", "mcts: exploration 1.0"):
        for seed in range(2):
            found = bench.measure(Cell(method, "nasbench201", "cifar10", 25, seed))["regret"]
            assert 0.0 <= found[0] <= 5.0
            rows.append(Measurement("lottery", method, "nasbench201", "cifar10", 25, seed, "regret", *found, "0"))
    assert [line.split()[:2] for line in bench.report(rows)[1:3]] == [["local", "2"], ["mcts", "2"]]
    assert "of mcts" in bench.report(rows)[3]
    assert not [c for c in bench.cells(bench.methods, 1, quick=True) if c.method.startswith("foretell")]


def test_an_even_sample_stands_for_the_truth() -> None:
    errors = np.random.default_rng(0).random(5000)
    at = np.quantile(errors, np.linspace(0.1, 0.9, 9))
    assert np.abs(_band(errors, at, 50, 0).share - np.linspace(0.1, 0.9, 9)).max() <= 0.03
