"""Spaces as programs: names, traces, trees, edits, grammars, ready spaces, searchers."""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from foretell.candidate import Candidate
from foretell.capture.nasbench101 import prune
from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.encoders import ENCODERS, Derivation
from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.spaces import (
    Branches,
    Chain,
    Choice,
    Grammar,
    Layer,
    Maybe,
    Repeat,
    Rule,
    Space,
    Stack,
    Symbol,
    Trace,
    Tracer,
    added,
    attended,
    multiplied,
    written,
)
from foretell.spaces.edits import cross, mutate, neighbours
from foretell.spaces.ready import (
    darts_cells,
    einspace_images,
    einspace_tokens,
    heterogeneous,
    interleavings,
    mobilenets,
    nasbench101_cells,
    nasbench201_cells,
    transnasbench101_cells,
)
from foretell.spaces.ready.einspace import TRANSFORMER
from foretell.spaces.routed import Routed
from foretell.spaces.searchers import Evolution, LocalSearch, ModelSearch, RandomSearch, TreeSearch
from foretell.spaces.tree import distribution_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from foretell.spaces.searchers import Searcher

RELU = Layer("relu", lambda shape: nn.ReLU())
TANH = Layer("tanh", lambda shape: nn.Tanh())
DENSE = Layer(
    "dense",
    lambda shape, width: nn.Linear(shape[0], width),
    {"width": IntDistribution(2, 5)},
    lambda shape, width: (width,),
)
SMALL = Space(Chain(body=Repeat(Chain(DENSE, Choice(relu=RELU, tanh=TANH)), 1, 3), end=Maybe(TANH)), (4,))
SHORT = Space(Chain(body=Repeat(Chain(DENSE, Choice(relu=RELU, tanh=TANH)), 1, 2), end=Maybe(TANH)), (4,))
PAIR = Branches(added, Symbol("M"), Symbol("M"))
RULES = {"M": {"seq": Rule(Chain(Symbol("M"), Symbol("M")), 2.0), "sum": Rule(PAIR),
               "relu": Rule(RELU), "tanh": Rule(TANH)}}  # fmt: skip
GRAMMAR = Space(Grammar(RULES, "M", 3), (4,))
READY = {
    "nasbench101": nasbench101_cells(channels=8, stacks=2, cells=1),
    "nasbench201": nasbench201_cells(channels=4, cells=1),
    "transnasbench101": transnasbench101_cells(channels=4, classes=5, size=32),
    "darts": darts_cells(channels=4, cells=3),
    "mobilenets": mobilenets((3, 8, 8), (8, 16), 2),
    "interleavings": interleavings((3, 8, 8), 8, 3),
    "heterogeneous": heterogeneous(8, 20, 8, 2),
    "einspace_images": einspace_images((1, 8, 8), 4, 3),
    "einspace_tokens": einspace_tokens(6, 9, 4, 3),
}


def draws(space: Space, n: int, seed: int = 0) -> list[Trace]:
    rng = np.random.default_rng(seed)
    return [space.draw(rng) for _ in range(n)]


def test_a_network_is_what_its_trial_says() -> None:
    config = {"body.times": 2, "body.0.0.width": 3, "body.0.1.is": "tanh", "body.1.0.width": 5, "end.on": "yes"}
    network = SMALL(Tracer(config))
    kinds = [type(m) for m in network.modules() if not isinstance(m, nn.Sequential)]
    assert kinds == [nn.Linear, nn.Tanh, nn.Linear, nn.ReLU, nn.Tanh]
    assert network(SMALL.example()).shape == (2, 5)


def test_the_order_in_which_values_are_given_does_not_matter() -> None:
    for trace in draws(SMALL, 20):
        shuffled = dict(sorted(trace.config.items(), reverse=True))
        again = SMALL.trace(shuffled)
        assert again == trace
        assert hash(again) == hash(trace)
        assert list(again.config) == list(trace.config)


def brute_force(space: Space) -> int:
    """Paths, by trying every value of every decision from the first on."""
    found = {space.trace({})}
    left = list(found)
    while left:
        trace = left.pop()
        for name, distribution in trace.distributions.items():
            for i in range(distribution.size or 0):
                value = distribution.from_unit((i + 0.5) / distribution.size)
                if (other := space.trace({**trace.config, name: value})) not in found:
                    found.add(other)
                    left.append(other)
    return len(found)


@pytest.mark.parametrize("space", [SHORT, Space(Grammar(RULES, "M", 2), (4,)), GRAMMAR], ids=["small", "flat", "deep"])
def test_sizes_count_paths(space: Space) -> None:
    assert space.size == brute_force(space)


def test_a_continuous_number_makes_a_space_infinite() -> None:
    layer = Layer("drop", lambda shape, p: nn.Dropout(p), {"p": FloatDistribution(0.0, 0.5)})
    assert Space(Maybe(layer), (4,)).size == math.inf


def test_a_stack_draws_once_and_builds_anew() -> None:
    space = Space(Stack(DENSE, 2, 2), (4,))
    network = space.build({"each.width": 3})
    assert [m.in_features for m in network.modules() if isinstance(m, nn.Linear)] == [4, 3]
    assert list(space.trace({}).config) == ["times", "each.width"]


@pytest.mark.parametrize(("join", "expected"), [(added, 3.0), (multiplied, 2.0 / (1.0 + math.exp(-1.0)))])
def test_branches_come_together(join: Callable[..., torch.Tensor], expected: float) -> None:
    assert join([torch.tensor([2.0]), torch.tensor([1.0])]).item() == pytest.approx(expected)


def test_attention_is_a_mean_of_values_weighted_by_products() -> None:
    q, k, v = (torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(i)) for i in range(3))
    expected = nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(attended([q, k, v]), expected)


def test_tokens_within_an_image_are_its_pixels() -> None:
    linear = Layer("linear", lambda shape: nn.Linear(shape[1], shape[1]))
    space = Space(Routed(linear), (3, 4, 5))
    network = space.build({})
    x = torch.randn(2, 3, 4, 5)
    weight, bias = network.inside.weight, network.inside.bias
    torch.testing.assert_close(network(x), nn.functional.conv2d(x, weight[:, :, None, None], bias))


@pytest.mark.parametrize("name", READY)
def test_ready_spaces_make_networks_that_train(name: str) -> None:
    space = READY[name]
    for trace in draws(space, 2, seed=3):
        network = space.build(trace.config)
        x = (
            torch.randint(0, 9, space.example().shape)
            if space.dtype == torch.long
            else torch.randn(space.example().shape)
        )
        network(x).square().sum().backward()
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
        graph = space.graph(trace.config)
        assert graph.params == sum(p.numel() for p in network.parameters() if p.requires_grad)


@pytest.mark.parametrize("name", [n for n in READY if "einspace" not in n])
def test_trees_hold_exactly_what_can_be_drawn(name: str) -> None:
    tree = distribution_tree(READY[name])
    rng = np.random.default_rng(0)
    for trace in draws(READY[name], 20):
        assert tree.contains(trace.config)
        config = tree.sample(rng)
        assert READY[name].trace(config).config == config


def test_a_tree_that_is_too_large_is_refused() -> None:
    with pytest.raises(InvalidSearchSpaceError, match="a tree of at most 50 parameters is needed"):
        distribution_tree(READY["einspace_images"], most=50)


def test_cells_of_nasbench101_keep_its_rules() -> None:
    for trace in draws(READY["nasbench101"], 50):
        matrix, ops = ast.literal_eval(READY["nasbench101"].plan_of(trace.config).text)
        sources, kinds = prune(matrix, ops)
        assert sum(map(len, sources)) <= 9
        assert 2 <= len(kinds) <= 7


def test_a_grammar_draws_by_its_weights() -> None:
    labels = [t.config["is"] for t in draws(GRAMMAR, 2000)]
    assert labels.count("seq") / 2000 == pytest.approx(0.4, abs=0.04)


def test_a_grammar_ends_where_its_depth_does() -> None:
    assert max(name.count(".") for t in draws(GRAMMAR, 200) for name in t.config) == 4
    assert set(Grammar(RULES, "M", 1).allowed("M", 1)) == {"relu", "tanh"}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["einspace_tokens", "heterogeneous", "mobilenets", "nasbench101"]))
def test_edits_stay_in_the_space_and_change_something(seed: int, name: str) -> None:
    space, rng = READY[name], np.random.default_rng(seed)
    one, other = space.draw(rng), space.draw(rng)
    for made in (mutate(space, one, rng), cross(space, one, other, rng)):
        assert made != one
        assert space.trace(made.config) == made


def test_crossing_a_whole_network_with_another_takes_a_part_of_it() -> None:
    one, other = written(GRAMMAR, "relu"), written(GRAMMAR, "seq(tanh, sum(relu, tanh))")
    made = {GRAMMAR.plan_of(cross(GRAMMAR, one, other, np.random.default_rng(i)).config).text for i in range(30)}
    assert made == {"tanh", "added(relu, tanh)", "tanh > added(relu, tanh)"}


def test_neighbours_differ_in_one_decision_and_what_hangs_on_it() -> None:
    trace = SMALL.trace({"body.times": 2})
    near = list(neighbours(SMALL, trace, np.random.default_rng(0)))
    kept = [sum(t.config.get(k) != v for k, v in trace.config.items()) for t in near]
    assert sorted(kept) == [1, *[1] * (len(near) - 2), 3]  # from two repeats to one a whole repeat goes
    assert len(near) == len({*near}) == 2 + 2 * (2 + 1) + 1  # times, widths of 3 on either side and activations, end


def score(trace: Trace) -> float:
    """Longer is better, as far as 8 operators, and each `sum` counts."""
    labels = list(trace.config.values())
    return -abs(len(labels) - 8) + labels.count("sum")


SEARCHERS: dict[str, Callable[[Space], Searcher]] = {
    "random": RandomSearch, "evolution": lambda s: Evolution(s, population=10), "local": LocalSearch,
    "tree": TreeSearch,
    "model": lambda s: ModelSearch(s, edits=30, draws=10, climbs=1),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHERS)
def test_searchers_find_something_new_every_time_and_repeat_themselves(name: str) -> None:
    searcher = SEARCHERS[name](READY["einspace_tokens"])
    observed: dict[Trace, float] = {}
    for _ in range(13):
        trace = searcher.suggest(observed, 3)
        assert trace not in observed
        observed[trace] = score(trace)
    again = SEARCHERS[name](READY["einspace_tokens"])
    assert again.suggest(observed, 3) == searcher.suggest(observed, 3)


def test_ours_is_ahead_of_chance_where_decisions_add_up() -> None:
    space = einspace_tokens(6, 9, 4, 4)

    def worth(name: str, seed: int) -> float:
        searcher = SEARCHERS[name](space)
        observed: dict[Trace, float] = {}
        for _ in range(22):
            trace = searcher.suggest(observed, seed)
            observed[trace] = float(sum(v in {"attend", "near"} for v in trace.config.values()))
        return max(observed.values())

    assert sum(worth("model", seed) - worth("random", seed) for seed in range(2)) >= 2


def test_seeds_are_tried_first() -> None:
    seeds = [{"is": "seq", "seq.0.is": "relu", "seq.1.is": "tanh"}, {"is": "tanh"}]
    for searcher in (Evolution(GRAMMAR, seeds), ModelSearch(GRAMMAR, seeds=seeds)):
        first = searcher.suggest({}, 0)
        assert GRAMMAR.plan_of(first.config).text == "relu > tanh"
        assert GRAMMAR.plan_of(searcher.suggest({first: 1.0}, 0).config).text == "tanh"


def test_a_known_architecture_is_written_down_and_read() -> None:
    space = einspace_tokens(6, 9, 4, 4)
    trace = written(space, TRANSFORMER)
    block = "added(attended(linear, linear, linear), identity) > added(linear > relu, identity)"
    assert space.plan_of(trace.config).text == f"embedding > {block} > {block} > head"
    cell = written(READY["nasbench201"], "none skip_connect none nor_conv_3x3 none avg_pool_3x3")
    assert READY["nasbench201"].plan_of(cell.config).text == "(1, 0, 1, 2, 1, 4)"
    assert written(SMALL, "tanh relu no").config["body.1.1.is"] == "relu"  # two repeats are the middle


def test_tree_search_goes_where_rewards_are() -> None:
    searcher = TreeSearch(Space(Choice(a=DENSE, b=RELU, c=TANH), (4,)), exploration=0.0)
    observed = {searcher.space.trace({"is": k, **more}): v for k, more, v in
                [("a", {"a.width": 2}, 3.0), ("b", {}, 1.0), ("c", {}, 0.0)]}  # fmt: skip
    assert searcher.suggest(observed, 0).config["is"] == "a"


def test_only_the_admissible_is_suggested() -> None:
    small = ModelSearch(READY["einspace_tokens"], admissible=lambda t: len(t) <= 8, edits=30, draws=10)
    observed: dict[Trace, float] = {}
    for _ in range(15):
        trace = small.suggest(observed, 0)
        observed[trace] = score(trace)
    assert max(map(len, observed)) <= 8


def test_the_derivation_encoder_counts_alike_wherever_a_decision_is() -> None:
    encoder = Derivation(32)
    one, other = ({"is": "seq", f"seq.{i}.is": "relu", f"seq.{1 - i}.is": "tanh"} for i in (0, 1))
    values = encoder.encode([Candidate(config=one), Candidate(config=other), Candidate()]).values
    assert (values[0, : 3 * 32] == values[1, : 3 * 32]).all()
    assert (values[0, 3 * 32 :] != values[1, 3 * 32 :]).any()
    assert np.isnan(values[2]).all()
    assert ENCODERS.make("derivation", encoder.to_config()) == encoder


def bad(make: Callable[[], Any], error: type[Exception], message: str) -> tuple[Any, ...]:
    return pytest.param(make, error, message, id=message[:30])  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        bad(lambda: written(GRAMMAR, "seq(relu, gelu)"), InvalidSearchSpaceError, "for 'seq.1.is', but says 'gelu'"),
        bad(lambda: written(GRAMMAR, "seq(relu)"), InvalidSearchSpaceError, "but says 'nothing'"),
        bad(lambda: written(GRAMMAR, "relu tanh"), InvalidSearchSpaceError, "tanh were not asked for: leave them out"),
        bad(Choice, InvalidSearchSpaceError, "a choice needs at least one option"),
        bad(lambda: Branches(added, RELU), InvalidSearchSpaceError, "branches need two parts or more, but got 1"),
        bad(lambda: Grammar({}, "M", 2), InvalidSearchSpaceError, r"\['M'\] have none: add them"),
        bad(lambda: Grammar(RULES, "M", 0), InvalidSearchSpaceError, "needs `depth >= 1`"),
        bad(lambda: Grammar({"M": {"seq": RULES["M"]["seq"]}}, "M", 9), InvalidSearchSpaceError, "must be able to end"),
        bad(lambda: Space(Symbol("M"), (4,)).plan_of({}), InvalidSearchSpaceError, "'M' has none: put it into"),
        bad(lambda: Space(Maybe(DENSE), (9,)).plan_of({"on": "yes"}), InvalidSearchSpaceError, "must keep the shape"),
        bad(lambda: Space(Routed(Layer("x", lambda s: RELU, out=lambda s: (1,))), (2, 2)).plan_of({}),
            InvalidSearchSpaceError, "a routed part must keep the shape"),
        bad(lambda: Space(Branches(added, DENSE, RELU), (9,)).plan_of({}), InvalidSearchSpaceError, "equal shapes"),
        bad(lambda: Evolution(SMALL, population=3), InvalidDataError, "`1 <= tournament <= population`"),
        bad(lambda: LocalSearch(SMALL, 0), InvalidDataError, "`start >= 1` must hold"),
        bad(lambda: TreeSearch(SMALL, -1.0), InvalidDataError, "`exploration >= 0` must hold"),
        bad(lambda: ModelSearch(SMALL, start=0), InvalidDataError, "must be 1 or more"),
        bad(lambda: ModelSearch(SMALL, admissible=lambda t: False).suggest({}), InvalidDataError, "loosen `adm"),
        bad(lambda: Derivation(0), InvalidDataError, "`buckets >= 1` must hold"),
        bad(lambda: RandomSearch(Space(RELU, (4,))).suggest({Space(RELU, (4,)).trace({}): 0.0}),
            InvalidSearchSpaceError, "draws gave none beside 1"),
    ],
)  # fmt: skip
def test_mistakes_are_named(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_one_name_has_one_distribution() -> None:
    tracer = Tracer({"x": 3.0})
    assert tracer.suggest_int("x", 1, 4) == 3
    assert tracer.suggest_int("x", 1, 4) == 3
    with pytest.raises(InvalidSearchSpaceError, match="a parameter must have one distribution, but 'x'"):
        tracer.suggest_int("x", 1, 5)
    assert tracer.suggest_float("y", 0.0, 1.0) == 0.5
    assert tracer.trace.distributions["x"] == IntDistribution(1, 4)
    assert CategoricalDistribution((1, 2)).contains(1)
