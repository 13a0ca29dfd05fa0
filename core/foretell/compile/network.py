"""A computation graph as a `torch.nn.Module` that runs, trains, and gives the same graph when it is captured again.

What a node stores (operator, shapes, window, stride, dilation, groups, bias, parameters) fixes most of a network;
paddings follow from the sizes. Not stored, and chosen here: the order of inputs beyond the first (that of the nodes),
slopes of activations, groups of a group normalisation, the dimension of a softmax, the kind of an interpolation.
Operators that stand for many different calls cannot be rebuilt, and the error names the node.
"""

from __future__ import annotations

import math
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from foretell.capture.module import capture_as_written
from foretell.compile import joins, reshapes, weighted, windows
from foretell.errors import CaptureError, InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from foretell.graph import ComputationGraph, Node, Shape

    Rebuild = Callable[[Node, Sequence[Shape]], nn.Module]

REBUILT: dict[str, Rebuild] = {
    "Conv": weighted.convolution, "Depthwise": weighted.convolution, "ConvTranspose": weighted.transposed,
    "MatMul": weighted.linear, "BatchNorm": weighted.batch_norm, "InstanceNorm": weighted.instance_norm,
    "GroupNorm": weighted.group_norm, "LayerNorm": weighted.layer_norm, "RMSNorm": weighted.rms_norm,
    "LeakyReLU": weighted.leaky_relu, "MaxPool": windows.pool, "AvgPool": windows.pool, "Mean": reshapes.mean,
    "Global": reshapes.global_max, "Slice": reshapes.part, "Pad": reshapes.pad, "Resize": reshapes.resize,
    "SpaceToDepth": reshapes.shuffle, "DepthToSpace": reshapes.shuffle, "Split": reshapes.split,
    "Zero": reshapes.zeros, "Identity": reshapes.identity, "Softmax": reshapes.softmax, "Concat": joins.concat,
    "BatchMatMul": joins.product, "Attention": joins.attention,
}  # fmt: skip
"""What rebuilds each operator; the activations and element-wise joins below are added to it."""


def _plain(kind: type[nn.Module], node: Node, inputs: Sequence[Shape]) -> nn.Module:
    """A module without settings."""
    del node, inputs
    return kind()


for _op, _kind in {
    "ReLU": nn.ReLU, "ReLU6": nn.ReLU6, "Sigmoid": nn.Sigmoid, "Tanh": nn.Tanh, "Swish": nn.SiLU, "GELU": nn.GELU,
    "HardSwish": nn.Hardswish, "HardSigmoid": nn.Hardsigmoid, "ELU": nn.ELU, "Softplus": nn.Softplus,
}.items():  # fmt: skip
    REBUILT[_op] = partial(_plain, _kind)
JOINS = ("Add", "Mul", "Sub", "Div", "Max", "Min")
REBUILT |= dict.fromkeys(JOINS, joins.elementwise)


class CompiledNetwork(nn.Module):
    """A network made of a graph by `compile_graph`.

    Tensors inside have four dimensions (batch, channels, height, width); a vector has height and width 1.

    Args:
        graph: The graph.

    Raises:
        InvalidArchitectureError: As `compile_graph`.
    """

    def __init__(self, graph: ComputationGraph) -> None:
        super().__init__()
        self.graph = graph
        nodes = graph.nodes
        self._nodes = nodes
        self._sources: list[list[int]] = [[] for _ in nodes]
        for a, b in sorted(graph.edges.tolist()):
            self._sources[b].append(a)
        self._inputs = [i for i, node in enumerate(nodes) if node.op == "Input"]
        self._outputs = [i for i, node in enumerate(nodes) if node.op == "Output"]
        self._shapes: list[list[Shape]] = []  # of each input of each node, as the node takes it
        self._chunks: dict[tuple[int, int], int] = {}  # (split, consumer) -> which part
        given = [self._parts(i, n) for i, n in enumerate(nodes)]
        turn = [0] * len(nodes)
        for i, node in enumerate(nodes):
            taken = []
            for a in self._sources[i]:
                fitting = [k for k, s in enumerate(given[a]) if math.prod(s) == math.prod(node.in_shape)]
                order = fitting or range(len(given[a]))
                self._chunks[a, i] = order[turn[a] % len(order)]
                turn[a] += len(given[a]) > 1
                taken.append(given[a][self._chunks[a, i]])
            self._shapes.append(self._as_taken(i, node, taken))
        self._last_use = {a: i for i, sources in enumerate(self._sources) for a in sources}
        self.operators = nn.ModuleDict()
        owners: dict[tuple[object, ...], nn.Module] = {}
        for i, node in enumerate(nodes):
            if node.op not in {"Input", "Output"}:
                self.operators[str(i)] = self._operator(i, node, owners)

    def _parts(self, i: int, node: Node) -> list[Shape]:
        """Shapes of what a node gives."""
        if node.op != "Split":
            return [node.out_shape]
        try:
            return reshapes.chunk_shapes(node)
        except InvalidArchitectureError as e:
            raise _cannot(i, node, str(e)) from e

    def _as_taken(self, i: int, node: Node, shapes: list[Shape]) -> list[Shape]:
        """Shapes of a node's inputs, the first one brought to `in_shape`; reorders `_sources`."""
        if node.op == "Input":
            return []
        if not shapes:
            raise _cannot(i, node, "nothing enters it: remove it, or give it an input")
        first = next((k for k, shape in enumerate(shapes) if shape == node.in_shape), None)
        if first is None:
            size = math.prod(node.in_shape)
            first = next((k for k, shape in enumerate(shapes) if math.prod(shape) == size), None)
        if first is None:
            raise _cannot(i, node, f"its input has another size ({shapes[0]}): keep the batch in the first dimension")
        sources = self._sources[i]
        self._sources[i] = [sources[first], *(a for k, a in enumerate(sources) if k != first)]
        others = [shape for k, shape in enumerate(shapes) if k != first]
        if node.op in JOINS:  # another layout of as many numbers: a view or a transpose leaves no node
            size = math.prod(node.in_shape)
            others = [node.in_shape if math.prod(s) == size and s != node.out_shape else s for s in others]
        return [node.in_shape, *others]

    def _operator(self, i: int, node: Node, owners: dict[tuple[object, ...], nn.Module]) -> nn.Module:
        rebuild = REBUILT.get(node.op)
        if rebuild is None:
            said = "it stands for many different calls" if node.op != "Unknown" else "it is outside the vocabulary"
            raise _cannot(i, node, f"{said}: write the network without it, or add a builder to compile.network.REBUILT")
        try:
            made = rebuild(node, self._shapes[i])
        except (ValueError, RuntimeError, ZeroDivisionError) as e:
            raise _cannot(i, node, str(e)) from e
        if not any(p.requires_grad for p in made.parameters()):
            return made
        key = (node.op, node.kernel, node.stride, node.dilation, node.groups, node.bias, repr(made))
        if node.params:
            owners[key] = made
            return made
        return owners.get(key) or made.requires_grad_(requires_grad=False)

    def example(self, batch: int = 2, *, device: str = "cpu", seed: int = 0) -> tuple[torch.Tensor, ...]:
        """Normally distributed inputs of the right shapes, one a network input.

        Args:
            batch: Examples; batch normalisation in training needs at least two.
            device: Where; `meta` for shapes without numbers.
            seed: Of the numbers.
        """
        shapes = [(batch, *self._nodes[i].out_shape) for i in self._inputs]
        if device == "meta":
            return tuple(torch.empty(shape, device=device) for shape in shapes)
        generator = torch.Generator().manual_seed(seed)
        return tuple(torch.randn(shape, generator=generator).to(device) for shape in shapes)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Run the network.

        Args:
            *inputs: One tensor a network input, batch first; its other dimensions may be written in any way that
                holds as many numbers.

        Returns:
            The output, batch x channels for vectors and batch x channels x height x width else; a tuple of several.
        """
        values: dict[int, torch.Tensor | tuple[torch.Tensor, ...]] = {}
        for i, x in zip(self._inputs, inputs, strict=True):
            values[i] = x.reshape(len(x), *self._nodes[i].out_shape)
        results: dict[int, torch.Tensor] = {}
        for i, sources in enumerate(self._sources):
            if not sources:
                continue
            taken = [self._taken(values[a], a, i, k) for k, a in enumerate(sources)]
            if i in self._outputs:
                last = taken[0]
                results[i] = last.flatten(1) if last.shape[2:] == (1, 1) else last
            else:
                values[i] = made = self.operators[str(i)](*taken)
                if isinstance(made, torch.Tensor) and made.shape[1:] != self._nodes[i].out_shape:
                    raise _cannot(i, self._nodes[i], f"it gives {tuple(made.shape[1:])}: correct its output's shape")
            for a in sources:
                if self._last_use[a] == i:
                    del values[a]
        ends = tuple(results[i] for i in self._outputs)
        return ends[0] if len(ends) == 1 else ends

    def _taken(self, value: torch.Tensor | tuple[torch.Tensor, ...], a: int, i: int, k: int) -> torch.Tensor:
        x = value[self._chunks[a, i]] if isinstance(value, tuple) else value
        shape = self._shapes[i][k]
        if x.shape[1:] == shape:
            return x
        if x.shape[1:] == (shape[1], shape[0], shape[2]):
            return x.transpose(1, 2)
        return x.reshape(len(x), *shape)


def compile_graph(graph: ComputationGraph) -> CompiledNetwork:
    """Make the network that a graph describes; capturing it gives the graph back.

    Weights are drawn by PyTorch's own defaults. A weighted operator without parameters is a second use of the layer of
    the same settings before it, or has frozen weights where there is none.

    Args:
        graph: Any graph of `foretell.capture`, or an edited one.

    Returns:
        The network; `CompiledNetwork.example` gives inputs.

    Raises:
        InvalidArchitectureError: If an operator cannot be rebuilt, or the network made of the graph is another one; the
            message names the node.

    >>> from foretell.capture import capture_module, nasbench201
    >>> graph = nasbench201.graph((2, 0, 4, 3, 1, 2), channels=4, cells=1)
    >>> network = compile_graph(graph)
    >>> network(*network.example()).shape, sum(p.numel() for p in network.parameters()) == graph.params
    (torch.Size([2, 10]), True)
    >>> capture_module(network, *network.example()) == graph
    True
    """
    if not any(node.op == "Output" for node in graph.nodes):
        msg = "a network needs an Output node, but the graph has none: add one behind its last operator"
        raise InvalidArchitectureError(msg)
    network = CompiledNetwork(graph)
    try:
        again = capture_as_written(network, *network.example(device="meta"))
    except CaptureError as e:
        if isinstance(e.__cause__, InvalidArchitectureError):
            raise e.__cause__ from None
        msg = f"a compiled network must run, but that of {graph!r} did not ({e}): check the shapes of its nodes"
        raise InvalidArchitectureError(msg) from e
    if again != graph:
        raise _another(graph, again)
    return network


def _another(graph: ComputationGraph, again: ComputationGraph) -> InvalidArchitectureError:
    same_size = len(graph) == len(again)
    for i, (node, now) in enumerate(zip(graph.nodes, again.nodes, strict=True) if same_size else ()):
        wrong = [f.name for f in fields(node) if getattr(node, f.name) != getattr(now, f.name)]
        if wrong:
            said = ", ".join(f"{name} {getattr(node, name)} as {getattr(now, name)}" for name in wrong)
            return _cannot(i, node, f"it came back with {said}: correct the node so that its numbers fit")
    msg = (
        f"a compiled network must give its graph back, but {len(graph)} nodes and {len(graph.edges)} edges came back "
        f"as {len(again)} and {len(again.edges)}: remove what leads to no output"
    )
    return InvalidArchitectureError(msg)


def _cannot(i: int, node: Node, why: str) -> InvalidArchitectureError:
    msg = f"node {i}, {node.op} {node.in_shape} -> {node.out_shape}, cannot be rebuilt: {why}"
    return InvalidArchitectureError(msg)
