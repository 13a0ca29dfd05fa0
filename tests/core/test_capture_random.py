"""Random networks: what must not change a graph changes nothing, what must change it does."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from foretell.capture import capture_module
from foretell.capture.exported import export
from foretell.capture.meta_copy import meta_copy
from foretell.capture.module import capture_as_written
from foretell.compile import compile_graph

CHANNELS = 4
MADE = {
    "conv3": lambda: nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
    "conv1": lambda: nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False),
    "depthwise": lambda: nn.Conv2d(CHANNELS, CHANNELS, 5, padding=2, groups=CHANNELS),
    "norm": lambda: nn.BatchNorm2d(CHANNELS),
    "pool": lambda: nn.MaxPool2d(3, stride=1, padding=1),
    "concat": lambda: nn.Conv2d(2 * CHANNELS, CHANNELS, 1),
    "attention": lambda: nn.MultiheadAttention(CHANNELS, 2, batch_first=True),
}
OPS = (*MADE, "relu", "hardswish", "sigmoid", "add", "mul")
TWO = {"add", "mul", "concat"}


@dataclass(frozen=True)
class Plan:
    """A random network: each step is an operator and the earlier results that it takes; 0 is the input."""

    steps: tuple[tuple[str, tuple[int, ...]], ...]

    def order(self, seed: int) -> list[int]:
        """A random order in which every step comes after those that it takes."""
        rng, done, order = random.Random(seed), {0}, []
        while len(order) < len(self.steps):
            ready = [i for i, (_, a) in enumerate(self.steps, 1) if i not in done and set(a) <= done]
            order.append(rng.choice(ready))
            done.add(order[-1])
        return order


class Net(nn.Module):
    """A plan as a module: its steps in some order, its layers under some names."""

    def __init__(self, plan: Plan, seed: int = 0, in_place: bool = False) -> None:
        super().__init__()
        self.plan, self.order, self.in_place = plan, plan.order(seed), in_place
        rng = random.Random(seed)
        self.names = {i: f"{rng.choice('abcdef')}{rng.randrange(10**6)}_{i}" for i in range(1, len(plan.steps) + 1)}
        layers = [(self.names[i], MADE[op]()) for i, (op, _) in enumerate(plan.steps, 1) if op in MADE]
        rng.shuffle(layers)
        self.layers = nn.ModuleDict(dict(layers))
        used = [a for _, arguments in plan.steps for a in arguments]
        self.single = {i for i in range(1, len(plan.steps) + 1) if used.count(i) == 1}
        self.ends = [i for i in range(1, len(plan.steps) + 1) if i not in used]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {0: x}
        for i in self.order:
            op, arguments = self.plan.steps[i - 1]
            values[i] = self.step(i, op, arguments, values)
        total = values[self.ends[0]]
        for end in self.ends[1:]:
            total = torch.cat([total, values[end]], 1)
        return total.mean((2, 3))

    def step(self, i: int, op: str, arguments: tuple[int, ...], values: dict[int, torch.Tensor]) -> torch.Tensor:
        a, *rest = (values[k] for k in arguments)
        free = self.in_place and arguments[0] in self.single  # nobody else looks at it
        if op == "attention":
            flat = a.flatten(2).transpose(1, 2)
            out, _ = self.layers[self.names[i]](flat, flat, flat, need_weights=False)
            return out.transpose(1, 2).reshape(a.shape)
        if op == "concat":
            return self.layers[self.names[i]](torch.cat([a, *rest], 1))
        if op in MADE:
            return self.layers[self.names[i]](a)
        if op == "relu":
            return a.relu_() if free else F.relu(a)
        if op == "hardswish":
            return F.hardswish(a, inplace=free)
        if op == "sigmoid":
            return a.sigmoid_() if free else torch.sigmoid(a)
        if op == "add":
            return a.add_(rest[0]) if free and len(set(arguments)) == 2 else a + rest[0]
        return a.mul_(rest[0]) if free and len(set(arguments)) == 2 else torch.mul(a, rest[0])


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """2 to 9 steps, each fed by earlier ones; the first two cannot be the same tensor twice in a join."""
    steps = []
    for i in range(1, draw(st.integers(3, 10))):
        op = draw(st.sampled_from(OPS))
        if op in TWO and i < 2:
            op = "conv3"
        if op in TWO:
            a = draw(st.integers(0, i - 1))
            arguments = (a, draw(st.integers(0, i - 1).filter(lambda b, a=a: b != a)))
        else:
            arguments = (draw(st.integers(0, i - 1)),)
        steps.append((op, arguments))
    return Plan(tuple(steps))


IMAGE = torch.zeros(1, CHANNELS, 6, 5)


@settings(max_examples=60, deadline=None)
@given(plans(), st.integers(1, 10**6))
def test_order_and_names_change_nothing(plan: Plan, seed: int) -> None:
    assert capture_module(Net(plan), IMAGE) == capture_module(Net(plan, seed), IMAGE)


@settings(max_examples=60, deadline=None)
@given(plans())
def test_in_place_equals_functional(plan: Plan) -> None:
    assert capture_module(Net(plan, in_place=True), IMAGE) == capture_module(Net(plan), IMAGE)


@settings(max_examples=40, deadline=None)
@given(plans(), st.sampled_from([1, 2, 3, 7, 64]), st.sampled_from([torch.float64, torch.float16, torch.bfloat16]))
def test_batch_size_and_type_change_nothing(plan: Plan, batch: int, kind: torch.dtype) -> None:
    plain = capture_module(Net(plan), IMAGE)
    assert capture_module(Net(plan), IMAGE.expand(batch, -1, -1, -1)) == plain
    assert capture_module(Net(plan).to(kind), IMAGE.to(kind)) == plain


@settings(max_examples=8, deadline=None)
@given(plans())
def test_both_routes_agree(plan: Plan) -> None:
    net = Net(plan).eval()
    assert export(meta_copy(net), (IMAGE.expand(2, -1, -1, -1),), {}, "Net") == capture_as_written(net, IMAGE)


@settings(max_examples=60, deadline=None)
@given(plans(), st.data())
def test_another_operator_gives_another_graph(plan: Plan, data: st.DataObject) -> None:
    single = [i for i, (op, _) in enumerate(plan.steps) if op not in TWO]
    at = data.draw(st.sampled_from(single))
    op, arguments = plan.steps[at]
    other = data.draw(st.sampled_from([o for o in OPS if o not in TWO and o != op]))
    changed = Plan((*plan.steps[:at], (other, arguments), *plan.steps[at + 1 :]))
    assert capture_module(Net(changed), IMAGE) != capture_module(Net(plan), IMAGE)


@settings(max_examples=40, deadline=None)
@given(plans())
def test_parameters_are_those_of_the_module(plan: Plan) -> None:
    net = Net(plan)
    assert capture_module(net, IMAGE).params == sum(p.numel() for p in net.parameters())


@settings(max_examples=15, deadline=None)
@given(plans())
def test_compiling_is_the_inverse_of_capture(plan: Plan) -> None:
    graph = capture_module(Net(Plan(tuple((op if op != "attention" else "relu", a) for op, a in plan.steps))), IMAGE)
    network = compile_graph(graph)
    assert capture_module(network, *network.example()) == graph
    if graph.params:
        network(*network.example()).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_a_stack_that_is_summed_is_one_sum() -> None:
    class Sum(nn.Module):
        def __init__(self, axis: int, keep: bool = False, other: int | None = None) -> None:
            super().__init__()
            self.axis, self.keep, self.other = axis, keep, axis if other is None else other

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            parts = [F.relu(x), torch.sigmoid(x), torch.tanh(x)]
            return torch.stack(parts, self.axis).sum(self.other, keepdim=self.keep)

    for axis in (0, 2, -1):
        net = Sum(axis)
        graph = capture_module(net, IMAGE)
        assert graph.op_counts() == {"Add": 1, "Input": 1, "Output": 1, "ReLU": 1, "Sigmoid": 1, "Tanh": 1}
        assert next(n for n in graph.nodes if n.op == "Add").in_shape == (CHANNELS, 6, 5)
        assert export(meta_copy(net), (IMAGE.expand(2, -1, -1, -1),), {}, "Sum") == graph
    for net in (Sum(2, keep=True), Sum(2, other=1)):
        assert capture_module(net, IMAGE).op_counts()["Concat"] == 1


class Sums(nn.Module):
    """A sum of four in some bracketing, its terms in some order."""

    def __init__(self, brackets: str, order: tuple[int, ...]) -> None:
        super().__init__()
        self.terms = nn.ModuleList([nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.GELU()])
        self.brackets, self.order = brackets, order

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b, c, d = (self.terms[i](x) for i in self.order)
        return {
            "left": lambda: ((a + b) + c) + d, "right": lambda: a + (b + (c + d)), "pairs": lambda: (a + b) + (c + d),
            "stack": lambda: torch.stack([a, b, c, d]).sum(0), "middle": lambda: a + ((b + c) + d),
        }[self.brackets]()  # fmt: skip


@given(st.sampled_from(["left", "right", "pairs", "stack", "middle"]), st.permutations(range(4)))
def test_brackets_and_order_of_a_sum_change_nothing(brackets: str, order: list[int]) -> None:
    plain = capture_module(Sums("left", (0, 1, 2, 3)), IMAGE)
    assert plain.op_counts()["Add"] == 1
    assert capture_module(Sums(brackets, tuple(order)), IMAGE) == plain
    written = capture_as_written(Sums(brackets, tuple(order)), IMAGE)
    assert written.op_counts()["Add"] == (1 if brackets == "stack" else 3)


def test_a_sum_that_others_need_or_that_broadcasts_stays() -> None:
    class Kept(nn.Module):
        def __init__(self, kind: str) -> None:
            super().__init__()
            self.kind = kind

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            inner = x.relu() + x.tanh()
            if self.kind == "needed":
                return (inner + x.sigmoid()) * inner
            return inner.mean((2, 3), keepdim=True) + (x.mean((2, 3), keepdim=True) + x)

    for kind in ("needed", "broadcasts"):
        assert capture_module(Kept(kind), IMAGE).op_counts()["Add"] == (2 if kind == "needed" else 3)
