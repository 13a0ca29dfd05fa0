"""Capture of modules: two routes agree, sums against PyTorch's own, and the user's module is left as it was."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from foretell.capture import capture_module
from foretell.capture.exported import export
from foretell.capture.meta_copy import meta_copy
from foretell.capture.recording import record
from foretell.errors import CaptureError, CaptureWarning
from foretell.graph import ComputationGraph


class Residual(nn.Module):
    """Convolutions, normalisation, an in-place addition, a depthwise one, pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 5, padding=4, dilation=2, groups=8)
        self.point = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norm(self.stem(x)))
        y = self.point(F.hardswish(self.depthwise(x)))
        y += x
        return self.head(F.adaptive_avg_pool2d(F.max_pool2d(y, 2), 1).flatten(1))


class ConvNeXt(nn.Module):
    """Channels last in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 6, 4, stride=4), nn.LayerNorm(6)
        self.wide, self.narrow = nn.Linear(6, 24), nn.Linear(24, 6)
        self.scale = nn.Parameter(torch.ones(6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        y = self.norm(x.permute(0, 2, 3, 1))
        y = self.scale * self.narrow(F.gelu(self.wide(y)))
        return (x + y.permute(0, 3, 1, 2)).mean((2, 3))


class Transformer(nn.Module):
    """Patches, a class token, positions, attention written out."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, stride=4)
        self.token, self.position = nn.Parameter(torch.zeros(1, 1, 16)), nn.Parameter(torch.zeros(1, 5, 16))
        self.norm, self.qkv, self.out = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)
        self.head = nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.position
        q, k, v = self.qkv(self.norm(x)).view(len(x), 5, 3, 4, 4).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(len(x), 5, 16)
        return self.head((x + self.out(y))[:, 0])


class Attention(nn.Module):
    """PyTorch's own multi-head attention."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(16, 4, batch_first=True), nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.attention(x, x, x, need_weights=False)[0])


class Language(nn.Module):
    """Embedding, recurrence, and an output matrix shared with the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.rnn = nn.Embedding(30, 8), nn.GRU(8, 8, batch_first=True)
        self.head = nn.Linear(8, 30)
        self.head.weight = self.embed.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(self.embed(x))[0])


class Upsampling(nn.Module):
    """Grouped, transposed and one-dimensional convolutions, and a concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.line = nn.Conv1d(8, 2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.cat((x, self.up(F.silu(self.down(x)))), 1)
        return self.line(y.mean(3))


IMAGE = (2, 3, 8, 8)
NETWORKS = {
    "residual": (Residual, torch.zeros(IMAGE)),
    "convnext": (ConvNeXt, torch.zeros(IMAGE)),
    "transformer": (Transformer, torch.zeros(IMAGE)),
    "attention": (Attention, torch.zeros(2, 7, 16)),
    "encoder": (lambda: nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), torch.zeros(2, 7, 16)),
    "language": (Language, torch.zeros(2, 6, dtype=torch.long)),
    "upsampling": (Upsampling, torch.zeros(2, 4, 8, 8)),
    "mlp": (lambda: nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Dropout(), nn.Linear(7, 2)), torch.zeros(2, 5)),
}
GRU_EXPORT = pytest.mark.filterwarnings("ignore:The tensor attributes .* were assigned during export")
EACH = pytest.mark.parametrize(("build", "example"), NETWORKS.values(), ids=list(NETWORKS))


def ops(graph: ComputationGraph) -> list[str]:
    return [n.op for n in graph.nodes]


# second routes


@EACH
def test_parameters_equal_the_sum_over_the_module(build: type[nn.Module], example: torch.Tensor) -> None:
    module = build()
    assert capture_module(module, example).params == sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("name", sorted(NETWORKS.keys() - {"language"}))
def test_flops_equal_torchs_counter(name: str) -> None:
    build, example = NETWORKS[name]
    module = build().eval()
    # gradients and the plain kernel keep PyTorch off its fused roads, which the counter does not see
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        module(example)
    assert capture_module(module, example).flops == counter.get_total_flops() // len(example)


def counted(module: nn.Module, *inputs: torch.Tensor) -> int:
    """FLOPs of one example as PyTorch counts them; on meta, since the CPU's fused recurrence is not in its table."""
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        copy.deepcopy(module).to("meta").requires_grad_(requires_grad=False)(*(x.to("meta") for x in inputs))
    return counter.get_total_flops()


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.RNN(4, 8, batch_first=True),
        lambda: nn.LSTM(4, 8, 2, batch_first=True, bidirectional=True),
        lambda: nn.LSTM(4, 8, batch_first=True, proj_size=3),
        lambda: nn.GRU(4, 8, 3, batch_first=True, bidirectional=True),
    ],
    ids=["RNN", "LSTM, two layers, both directions", "LSTM with projection", "GRU, three layers, both directions"],
)
def test_flops_of_a_recurrence_are_pytorchs_own(build: Callable[[], nn.Module]) -> None:
    module, x = build(), torch.zeros(1, 6, 4)
    graph = capture_module(module, x)
    assert graph.flops == counted(module, x) > 0
    assert graph.params == sum(p.numel() for p in module.parameters())
    assert graph.op_counts()["Rnn"] == 1


class Relative(nn.Module):
    """A network on constants, such as a table of positions: once for all, or once for every example."""

    def __init__(self, repeated: bool) -> None:
        super().__init__()
        self.repeated, self.table = repeated, nn.Linear(3, 4)
        self.register_buffer("places", torch.zeros(1, 5, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = self.places.expand(len(x), -1, -1) if self.repeated else self.places
        return torch.relu(x + self.table(places).transpose(0, 1).transpose(0, 1))


@pytest.mark.parametrize("repeated", [False, True])
def test_work_on_constants_is_counted_where_it_meets_the_input(repeated: bool) -> None:
    module, x = Relative(repeated), torch.zeros(1, 5, 4)
    graph = capture_module(module, x)
    assert graph.flops == counted(module, x) == 2 * 5 * 3 * 4
    assert [(n.op, n.flops, n.params) for n in graph.nodes if n.op == "Add"] == [("Add", 120, 16)]


def test_a_parameter_in_the_type_of_an_input_is_still_a_parameter() -> None:
    class Typed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x * self.scale.type_as(x))

    graph = capture_module(Typed(), torch.zeros(1, 4))
    assert [(n.op, n.params) for n in graph.nodes[1:-1]] == [("Mul", 4), ("ReLU", 0)]


def test_work_on_buffers_alone_adds_flops_but_no_node() -> None:
    class Rotary(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("frequencies", torch.zeros(1, 4, 1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            angles = (self.frequencies @ torch.arange(5.0)[None, None]).transpose(1, 2)
            return torch.relu(x * angles.cos())

    graph = capture_module(Rotary(), torch.zeros(1, 5, 4))
    assert graph.flops == counted(Rotary(), torch.zeros(1, 5, 4)) == 40
    assert ops(graph) == ["Input", "ReLU", "Output"]


def test_einsum_with_dots_counts_what_they_stand_for() -> None:
    class Dots(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return torch.einsum("...qd,...kd->...qk", x, y)

    inputs = torch.zeros(1, 3, 4, 5), torch.zeros(1, 3, 6, 5)
    assert capture_module(Dots(), *inputs).flops == counted(Dots(), *inputs) == 2 * 3 * 4 * 6 * 5


@pytest.mark.parametrize(
    ("call", "op"),
    [
        (lambda x: x.ne(0).long() * x, "Compare"),
        (lambda x: torch.addcmul(x, x.abs(), x), "Add"),
        (lambda x: F.glu(x), "Sigmoid"),
        (lambda x: F.unfold(x[:, None], (2, 2)), "SpaceToDepth"),
        (lambda x: x.unfold(1, 2, 1), "SpaceToDepth"),
        (lambda x: x.topk(2).values, "Reduce"),
        (lambda x: x.sort().values, "Scan"),
        (lambda x: x // x.abs(), "Div"),
    ],
)
def test_a_call_has_its_operator(call: Callable[[torch.Tensor], torch.Tensor], op: str) -> None:
    class One(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return call(x)

    counts = capture_module(One(), torch.zeros(1, 4, 4)).op_counts()
    assert op in counts
    assert "Unknown" not in counts


@EACH
@GRU_EXPORT
def test_recording_equals_export(build: type[nn.Module], example: torch.Tensor) -> None:
    module = build()
    recorded = record(meta_copy(module), (example,), {}, "module")
    exported = export(meta_copy(module), (example,), {}, "module")
    assert (recorded.params, recorded.flops) == (exported.params, exported.flops)
    weighted = ("Conv", "Depthwise", "ConvTranspose", "MatMul", "Attention", "Embedding", "Rnn", "Output")
    for field in ("op", "out_shape", "kernel", "stride", "groups", "params", "flops"):
        a, b = ([getattr(n, field) for n in g.nodes if n.op in weighted] for g in (recorded, exported))
        assert a == b, field


@EACH
@GRU_EXPORT
def test_recording_equals_export_node_by_node(build: type[nn.Module], example: torch.Tensor) -> None:
    module = build()
    recorded = record(meta_copy(module), (example,), {}, "module")
    exported = export(meta_copy(module), (example,), {}, "module")
    assert ops(recorded) == ops(exported)
    assert recorded == exported


@EACH
def test_the_batch_size_of_the_example_changes_nothing(build: type[nn.Module], example: torch.Tensor) -> None:
    module = build()
    one, many = capture_module(module, example[:1]), capture_module(module, torch.cat([example] * 8))
    assert one.nodes == many.nodes
    assert one == many


@EACH
def test_every_node_is_reached_from_the_input(build: type[nn.Module], example: torch.Tensor) -> None:
    graph = capture_module(build(), example)
    targets, sources = set(graph.edges[:, 1].tolist()), set(graph.edges[:, 0].tolist())
    assert [n.op for i, n in enumerate(graph.nodes) if i not in targets] == ["Input"]
    assert [n.op for i, n in enumerate(graph.nodes) if i not in sources] == ["Output"]


# by hand


def test_residual_by_hand() -> None:
    graph = capture_module(Residual(), torch.zeros(IMAGE))
    assert ops(graph) == ["Input", "Conv", "BatchNorm", "ReLU", "Depthwise", "HardSwish", "Conv", "Add", "MaxPool",
                          "Mean", "MatMul", "Output"]  # fmt: skip
    assert graph.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 4], [3, 7], [4, 5], [5, 6], [6, 7], [7, 8], [8, 9],
                                    [9, 10], [10, 11]]  # fmt: skip
    stem, depthwise, pool = graph.nodes[1], graph.nodes[4], graph.nodes[8]
    assert (stem.in_shape, stem.out_shape, stem.kernel, stem.bias) == ((3, 8, 8), (8, 8, 8), (3, 3), False)
    assert (stem.params, stem.flops) == (216, 2 * 216 * 64)
    assert (depthwise.kernel, depthwise.dilation, depthwise.groups, depthwise.bias) == ((5, 5), (2, 2), 8, True)
    assert (pool.kernel, pool.stride, pool.out_shape) == ((2, 2), (2, 2), (8, 4, 4))


def test_shapes_keep_their_channels_when_these_go_last_and_come_back() -> None:
    graph = capture_module(ConvNeXt(), torch.zeros(2, 3, 16, 24))
    shapes = {n.op: (n.in_shape, n.out_shape) for n in graph.nodes}
    assert shapes["LayerNorm"] == ((6, 4, 6), (6, 4, 6))
    assert shapes["GELU"] == ((24, 4, 6), (24, 4, 6))
    assert shapes["Add"] == ((6, 4, 6), (6, 4, 6))
    assert shapes["MatMul"] == ((24, 4, 6), (6, 4, 6))


def test_sequences_have_their_length_as_height() -> None:
    nodes = capture_module(Transformer(), torch.zeros(IMAGE)).nodes
    assert {n.out_shape for n in nodes if n.op in {"Concat", "LayerNorm"}} == {(16, 5, 1)}
    assert [n.out_shape for n in nodes if n.op == "Add"] == [(16, 5, 1), (16, 5, 1)]


def test_transposed_and_grouped_convolutions_by_hand() -> None:
    nodes = {n.op: n for n in capture_module(Upsampling(), torch.zeros(2, 4, 8, 8)).nodes}
    up = nodes["ConvTranspose"]
    assert (up.in_shape, up.out_shape, up.kernel, up.stride) == ((8, 4, 4), (4, 8, 8), (2, 2), (2, 2))
    assert (up.params, up.flops) == (4 * 8 * 4 + 4, 2 * 4 * 8 * 4 * 16)
    (down, line) = [n for n in capture_module(Upsampling(), torch.zeros(2, 4, 8, 8)).nodes if n.op == "Conv"]
    assert (down.groups, down.params) == (2, 8 * 2 * 9 + 8)
    assert (line.kernel, line.out_shape) == ((3, 1), (2, 6, 1))


def test_shared_weights_count_once() -> None:
    layer = nn.Linear(6, 6)
    graph = capture_module(nn.Sequential(layer, nn.ReLU(), layer), torch.zeros(1, 6))
    assert [n.params for n in graph.nodes if n.op == "MatMul"] == [42, 0]
    assert graph.flops == 2 * 2 * 36


def test_frozen_parameters_do_not_count() -> None:
    module = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 2))
    module[0].requires_grad_(False)
    assert capture_module(module, torch.zeros(1, 6)).params == 14


def test_dead_code_is_dropped() -> None:
    class Dead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(4, 4), nn.Linear(4, 9)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.unused(x)
            return self.used(x)

    assert capture_module(Dead(), torch.zeros(1, 4)).params == 20


def test_several_inputs_outputs_and_keywords() -> None:
    class Two(nn.Module):
        def forward(self, a: torch.Tensor, *, rest: dict) -> dict:
            return {"sum": a + rest["b"], "relu": F.relu(a)}

    graph = capture_module(Two(), torch.zeros(2, 4), rest={"b": torch.zeros(2, 4)})
    assert sorted(ops(graph)) == ["Add", "Input", "Input", "Output", "Output", "ReLU"]


def test_a_fixed_filter_is_a_convolution_without_parameters() -> None:
    class Blur(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("filter", torch.ones(3, 1, 3, 3) / 9)
            self.register_buffer("matrix", torch.ones(5, 10))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.linear(F.conv2d(x, self.filter, groups=3).flatten(1)[:, :10], self.matrix)

    graph = capture_module(Blur(), torch.zeros(2, 3, 8, 8))
    assert graph.params == 0
    assert graph.nodes[1].op == "Depthwise"
    assert graph.nodes[1].kernel == (3, 3)
    assert graph.flops == 2 * 9 * 3 * 36 + 2 * 10 * 5


def test_weights_made_of_parameters_count_where_they_are_used() -> None:
    module = torch.nn.utils.parametrizations.weight_norm(nn.Linear(6, 3))
    graph = capture_module(module, torch.zeros(1, 6))
    assert graph.params == sum(p.numel() for p in module.parameters()) == 18 + 3 + 3
    assert ops(graph) == ["Input", "MatMul", "Output"]


def test_arithmetic_with_constants_is_no_join() -> None:
    class Scaled(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.relu(2 * x + 1) / torch.full_like(x, 3)

    assert ops(capture_module(Scaled(), torch.zeros(1, 4))) == ["Input", "ReLU", "Output"]


def test_products_with_a_bias_by_hand() -> None:
    class Products(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.zeros(5, 3)), nn.Parameter(torch.zeros(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.addmm(self.bias, x, self.weight)
            return torch.einsum("bi,oi->bo", x, self.weight)

    first, second = [n for n in capture_module(Products(), torch.zeros(2, 5)).nodes if n.flops]
    assert (first.op, first.bias, first.params, first.flops) == ("MatMul", True, 18, 2 * 5 * 3)
    assert (second.params, second.flops) == (0, 2 * 5 * 3)


def test_control_flow_on_shapes_is_followed() -> None:
    class Branching(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(x.shape[1]):
                x = F.relu(x)
            return x

    assert ops(capture_module(Branching(), torch.zeros(1, 3))).count("ReLU") == 3


def test_a_number_taken_out_of_a_tensor_needs_export() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x) * x.sum().item()

    with pytest.raises(RuntimeError, match="item"):
        record(meta_copy(Scaled()), (torch.zeros(2, 4),), {}, "Scaled")
    assert capture_module(Scaled(), torch.zeros(2, 4)).params == 20


def test_unknown_calls_are_named_once() -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(torch.erfinv(torch.relu(torch.erfinv(x))))

    with pytest.warns(CaptureWarning, match=r"2 calls of Odd are outside the vocabulary .*\(erfinv x2\).*can add them"):
        graph = capture_module(Odd(), torch.zeros(1, 4))
    assert ops(graph) == ["Input", "Unknown", "ReLU", "Unknown", "ReLU", "Output"]


def test_a_network_mostly_of_unknown_calls_is_refused() -> None:
    class Stranger(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.erfinv(torch.relu(torch.erfinv(x)))

    with pytest.raises(CaptureError, match=r"at most 50%.* but 2 of 3 are in Stranger \(erfinv x2\): add them with"):
        capture_module(Stranger(), torch.zeros(1, 4))


# the user's module


def state(module: nn.Module) -> tuple:
    """Identity, contents and mode of all that a module holds."""
    return (
        {
            name: (id(t), t.clone(), t.device, t.grad, t.requires_grad)
            for name, t in module.state_dict(keep_vars=True).items()
        },
        [m.training for m in module.modules()],
        [id(m) for m in module.modules()],
    )


@pytest.mark.parametrize("training", [True, False])
def test_the_module_is_left_as_it_was(training: bool) -> None:
    module = Residual().train(training)
    module.norm.eval()  # a mode of its own
    module(torch.randn(IMAGE)).sum().backward()
    before, random = state(module), torch.random.get_rng_state()
    capture_module(module, torch.zeros(IMAGE))
    after = state(module)
    assert before[1:] == after[1:]
    assert before[0].keys() == after[0].keys()
    for old, new in zip(before[0].values(), after[0].values(), strict=True):
        assert old[0] == new[0]
        assert old[3] is new[3]
        assert torch.equal(old[1], new[1])
        assert old[2:5:2] == new[2:5:2]
    assert torch.equal(random, torch.random.get_rng_state())
    assert torch.get_default_dtype() == torch.float32
    assert torch.zeros(1).device.type == "cpu"


def test_random_layers_draw_nothing() -> None:
    module = nn.Sequential(nn.Dropout(0.5), nn.RReLU())
    random = torch.random.get_rng_state()
    capture_module(module, torch.zeros(1, 4))
    assert torch.equal(random, torch.random.get_rng_state())


def test_a_module_too_large_for_any_memory() -> None:
    module = nn.Sequential(nn.Linear(10**5, 10**6, bias=False, device="meta"), nn.ReLU())
    graph = capture_module(module, torch.zeros(1, 10**5, device="meta"))
    assert (graph.params, graph.flops) == (10**11, 2 * 10**11)


def test_no_weight_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real tensors of the module must never be cloned; the memo of the copy stands in for them."""
    module = Residual()
    module.cache = {"last": torch.ones(3), "list": 1}
    module.loose = torch.ones(5)
    module.result = torch.ones(2, requires_grad=True) * 2  # not a leaf, which deepcopy would refuse

    def refuse(self: torch.Tensor, memo: dict) -> torch.Tensor:
        if id(self) in memo:
            return memo[id(self)]
        raise AssertionError("a tensor was copied")

    monkeypatch.setattr(torch.Tensor, "__deepcopy__", refuse)
    monkeypatch.setattr(nn.Parameter, "__deepcopy__", refuse)
    twin = meta_copy(module)
    tensors = [*twin.parameters(), *twin.buffers(), twin.loose, twin.cache["last"], twin.result]
    assert all(t.is_meta for t in tensors)
    assert not twin.training
    assert twin.cache["list"] == 1


def test_the_copy_keeps_sharing_and_kinds() -> None:
    twin = meta_copy(Language())
    assert twin.head.weight is twin.embed.weight
    assert isinstance(twin.head.weight, nn.Parameter)
    assert twin.head.weight.requires_grad


def test_capture_is_repeatable() -> None:
    module = Residual()
    assert capture_module(module, torch.zeros(IMAGE)) == capture_module(copy.deepcopy(module), torch.ones(IMAGE))


class Pooled(nn.Module):
    """Attention of one learnt query to a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.project = nn.Parameter(torch.zeros(1, 1, 8)), nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q = self.project(self.query.expand(len(x), -1, -1))
        return F.scaled_dot_product_attention(q, x, x)[:, 0]


def test_attention_of_a_learnt_query_counts_its_own_length() -> None:
    g = capture_module(Pooled(), torch.zeros(1, 50, 8))
    assert g.flops == 2 * 8 * 8 + 2 * 50 * 8 * 2
    assert g.params == 8 + 8 * 8 + 8


def test_a_sum_with_something_learnt_keeps_it() -> None:
    class Biased(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale, self.shift = nn.Parameter(torch.ones(4, 1, 1)), nn.Parameter(torch.zeros(4, 1, 1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + torch.addcmul(self.shift, self.scale, x * x.mean((2, 3), keepdim=True))

    assert capture_module(Biased(), torch.zeros(1, 4, 6, 6)).params == 8


@pytest.mark.parametrize(
    "write",
    [
        lambda whole, part: whole[:, 0].copy_(part),
        lambda whole, part: whole[:, 0].add_(part),
        lambda whole, part: whole.unbind(1)[0].unsqueeze(1)[:, 0].mul_(part),
        lambda whole, part: whole[:, 0].__setitem__(slice(None), part),
        lambda whole, part: whole.view(-1, 4)[:2].copy_(part),
    ],
)
@pytest.mark.parametrize("route", [record, export])
def test_what_is_written_into_a_view_is_in_the_tensor(
    route: Callable[..., ComputationGraph], write: Callable[[torch.Tensor, torch.Tensor], object]
) -> None:
    class Scan(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.outer = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            states = torch.zeros_like(x)
            write(states, self.inner(x[:, 0]))
            return self.outer(states)

    g = route(meta_copy(Scan()), (torch.zeros(2, 3, 4),), {}, "Scan")
    assert g.params == 2 * (4 * 4 + 4)
    assert g.flops == 2 * 4 * 4 * (1 + 3)


def test_a_step_by_step_recurrence_keeps_every_step() -> None:
    class Scan(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            states, state = torch.zeros_like(x), torch.zeros_like(x[:, 0])
            for t in range(x.shape[1]):
                state = torch.tanh(state + x[:, t])
                states[:, t].copy_(state)
            return states

    counts = capture_module(Scan(), torch.zeros(1, 3, 4)).op_counts()
    assert (counts["Tanh"], counts["Where"]) == (3, 2)  # the first write goes into nothing but zeros


def test_what_overwrites_a_tensor_makes_it_anew() -> None:
    class Overwritten(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = x.exp()
            y.copy_(x.tanh())
            z = y.flatten(1)
            z.sigmoid_()
            return y

    assert capture_module(Overwritten(), torch.zeros(1, 3, 4)).op_counts() == {
        "Input": 1, "Tanh": 1, "Sigmoid": 1, "Output": 1,
    }  # fmt: skip


@pytest.mark.parametrize("batch", [1, 3])
def test_a_product_of_all_examples_counts_for_one(batch: int) -> None:
    class Towers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = nn.Linear(5, 8), nn.Linear(7, 8)

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return self.left(x) @ self.right(y).t()

    g = capture_module(Towers(), torch.zeros(batch, 5), torch.zeros(batch, 7))
    with FlopCounterMode(display=False) as counter:
        Towers()(torch.zeros(1, 5), torch.zeros(1, 7))
    assert g.flops == counter.get_total_flops()


class Unchanged(torch.autograd.Function):
    """An identity, as quantisers use it to scale a gradient."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        del ctx
        return x


def test_what_a_function_of_autograd_hands_on_is_still_a_parameter() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.linear = nn.Parameter(torch.zeros(4, 4)), nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return Unchanged.apply(self.linear(Unchanged.apply(x))) @ Unchanged.apply(self.weight)

    g = capture_module(Scaled(), torch.zeros(1, 4))
    assert (g.params, g.flops) == (4 * 4 + 4 + 4 * 4, 2 * 2 * 4 * 4)
    assert g.op_counts()["MatMul"] == 2
