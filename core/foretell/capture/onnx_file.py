"""Capture of an ONNX file: its operators as PyTorch calls on tensors without numbers, on the tape of every capture.

Weights are never loaded, external data is never opened, and a damaged or hostile file costs bounded memory. What an
exporter did to the network stays done: a batch normalisation folded into a convolution, or an attention written as
products and a softmax, is what the graph shows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from foretell.capture.onnx_calls import RUNNING, VALUES, OnnxCall, as_torch
from foretell.capture.onnx_folds import find_folds
from foretell.capture.onnx_shapes import MALFORMED, damaged, flat_functions, shape_of, with_shapes
from foretell.capture.onnx_wire import skeleton
from foretell.capture.sums import merge_sums
from foretell.capture.tape import Tape
from foretell.errors import CaptureError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import onnx

    from foretell.graph import ComputationGraph

MOST_UNKNOWN = 0.25
"""Share of `Unknown` among a graph's operators from which it says too little of the network."""
_LARGEST_TENSOR = 2**45
_FLOATS = frozenset({1, 10, 11, 16, 17, 18, 19, 20})  # float, float16, double, bfloat16, the four float8


def read_onnx(source: str | Path | bytes, shapes: Mapping[str, Sequence[int]] | None = None) -> ComputationGraph:
    """Turn an ONNX model into a computation graph.

    Initializers of floating point numbers count as trainable parameters, except scalars, running statistics and
    states: a file does not say more.

    Args:
        source: Path of an ONNX file, or its bytes.
        shapes: Shapes of inputs, by name, where the file has symbols; a symbolic batch dimension is 1 by itself.

    Returns:
        The graph; FLOPs are for one example.

    Raises:
        CaptureError: If the file is damaged or too large, a shape cannot be inferred, or too many operators are
            outside the vocabulary.
        InvalidArchitectureError: If the operators do not form a network.
        MissingDependencyError: If `onnx` is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as e:
        msg = "reading ONNX files needs the package onnx: pip install 'foretell[onnx]'"
        raise MissingDependencyError(msg) from e
    where = "<bytes>" if isinstance(source, bytes) else str(source)
    content = skeleton(source)
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as e:
        msg = f"an ONNX model must be readable by the package onnx, but {where} is not ({e}): export it again"
        raise CaptureError(msg) from e
    model = with_shapes(flat_functions(model, where), dict(shapes or {}), where)
    graph = _Reader(model.graph, where).read()
    unknown = graph.op_counts().get("Unknown", 0)
    if unknown > MOST_UNKNOWN * len(graph):
        msg = (
            f"at most {MOST_UNKNOWN:.0%} of a network's operators may be outside the vocabulary, but {unknown} of "
            f"{len(graph)} are in {where}: add them with register_operation, or export with standard operators"
        )
        raise CaptureError(msg)
    return graph


class _Reader:
    """Walks the operators of one graph and puts them on a tape."""

    def __init__(self, graph: onnx.GraphProto, where: str) -> None:
        self._graph = graph
        self._where = where
        self._tensors: dict[str, torch.Tensor] = {}
        self._known: dict[str, float] = {}
        described = (*graph.value_info, *graph.output)
        self._shapes = {v.name: shape_of(v) for v in described if v.type.tensor_type.HasField("shape")}

    def read(self) -> ComputationGraph:
        graph = self._graph
        still = {n.input[i] for n in graph.node for i in RUNNING.get(n.op_type, ()) if i < len(n.input)}
        parameters: dict[int, tuple[str, int]] = {}
        learnt: set[str] = set()
        for item in graph.initializer:
            tensor = self._tensors[item.name] = self._empty(tuple(item.dims), item.name)
            self._remember(item.name, item)
            if item.data_type in _FLOATS and tensor.dim() and item.name not in still:
                parameters[id(tensor)] = (item.name, tensor.numel())
                learnt.add(item.name)
        entered = {v.name: self._empty(shape_of(v) or (), v.name) for v in graph.input if v.name not in self._tensors}
        self._tensors |= entered
        self._active, self._learnt = _sorts(graph.node, set(entered), learnt)
        shapes = {name: tuple(tensor.shape) for name, tensor in self._tensors.items()} | self._shapes
        folds = find_folds(graph.node, self._learnt, shapes, [o.name for o in graph.output])
        absorbed = set(folds.values())
        first = next(iter(entered.values()), None)
        tape = Tape(parameters, batch=int(first.shape[0]) if first is not None and first.dim() else 1)
        tape.enter(entered.values())
        for i, node in enumerate(graph.node):
            try:
                if i in folds:
                    self._folded(tape, node, graph.node[folds[i]])
                elif i not in absorbed:
                    self._node(tape, node)
            except CaptureError:
                raise
            except MALFORMED as e:
                raise damaged(self._where, f"{node.op_type} {node.name!r}", e) from e
        try:
            ends = [self._tensors[o.name] for o in graph.output if o.name in self._active]
            return merge_sums(tape.graph(ends, self._where))
        except (OverflowError, LookupError) as e:
            raise damaged(self._where, "its sizes", e) from e

    def _node(self, tape: Tape, node: onnx.NodeProto) -> None:
        import onnx

        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute if a.type not in {5, 10}}
        inputs = [self._tensors[name] if name else None for name in node.input]
        known = [self._known.get(name) for name in node.input]
        self._follow(node, attributes, known)
        outputs = [self._result(name) for name in node.output if name]
        if not outputs:
            return
        op = node.op_type if node.domain in {"", "ai.onnx"} else f"{node.domain}_{node.op_type}"
        learnt = [name in self._learnt for name in node.input]
        if op in {"LSTM", "GRU", "RNN"}:
            self._recurrent(tape, op, attributes, inputs, outputs)
            return
        name, args = as_torch(OnnxCall(op, attributes, inputs, known, outputs[0], learnt))
        tape.call(name, args, {}, outputs if len(outputs) > 1 else outputs[0])

    def _recurrent(
        self,
        tape: Tape,
        op: str,
        attributes: Mapping[str, Any],
        inputs: Sequence[torch.Tensor | None],
        outputs: Sequence[torch.Tensor],
    ) -> None:
        """One recurrent layer with the batch first and its weights as matrices, as PyTorch has them."""
        source, *weights = inputs
        if source is None:
            msg = "a recurrent layer needs an input"
            raise ValueError(msg)
        steps, batch, features = source.shape
        if attributes.get("layout"):
            steps, batch = batch, steps
        directions, hidden = 2 if attributes.get("direction") == b"bidirectional" else 1, outputs[0].shape[-1]
        rows = {"LSTM": 4, "GRU": 3, "RNN": 1}[op] * directions * hidden
        turned, merged = (self._empty((batch, steps, n), op) for n in (features, directions * hidden))
        matrices = [self._empty((rows, n), op) for n in (features, hidden)]
        tape.call("view", (source,), {}, turned)
        for weight, matrix in zip(weights, matrices, strict=False):
            tape.call("view", (weight,), {}, matrix)
        tape.call("rnn_tanh" if op == "RNN" else op.lower(), (turned, (), [*matrices, *weights[2:3]]), {}, merged)
        for output in outputs:
            tape.call("view", (merged,), {}, output)

    def _folded(self, tape: Tape, last: onnx.NodeProto, before: onnx.NodeProto) -> None:
        """Two operators that one PyTorch call makes, see `find_folds`."""
        source = self._tensors[before.input[0]]
        output = self._result(last.output[0])
        if before.op_type == "MatMul":
            bias = next(name for name in last.input if name != before.output[0])
            tape.call("linear", (source, self._tensors[before.input[1]], self._tensors[bias]), {}, output)
        else:
            name = "silu" if before.op_type == "Sigmoid" else "adaptive_avg_pool2d"
            tape.call(name, (source,), {}, output)

    def _result(self, name: str) -> torch.Tensor:
        shape = self._shapes.get(name)
        if shape is None and name in self._active:
            msg = (
                f"the shape of every value must follow from the inputs, but that of {name!r} in {self._where} does "
                "not: run onnx.shape_inference or the exporter's optimizer on it, or export with fixed shapes"
            )
            raise CaptureError(msg)
        self._tensors[name] = self._empty(shape or (), name)
        return self._tensors[name]

    def _empty(self, shape: tuple[int, ...], name: str) -> torch.Tensor:
        if any(not 0 <= d < 2**31 for d in shape) or math.prod(shape) > _LARGEST_TENSOR or len(shape) > 16:
            msg = (
                f"a tensor may have 16 dimensions and 2^45 numbers, but {name!r} of {self._where} has {shape}: export "
                "it again"
            )
            raise CaptureError(msg)
        return torch.empty(shape, device="meta")

    def _remember(self, name: str, constant: onnx.TensorProto) -> None:
        from onnx import numpy_helper

        if math.prod(constant.dims) == 1:
            try:
                self._known[name] = float(numpy_helper.to_array(constant).item())
            except MALFORMED:
                return  # a number that cannot be read is a number that is not known

    def _follow(self, node: onnx.NodeProto, attributes: Mapping[str, Any], known: Sequence[float | None]) -> None:
        if node.op_type == "Constant":
            for a in node.attribute:
                if a.name == "value":
                    self._remember(node.output[0], a.t)
                elif a.name in {"value_float", "value_int"}:
                    self._known[node.output[0]] = float(attributes[a.name])
        elif node.op_type in VALUES and known and known[0] is not None:
            self._known[node.output[0]] = known[0]


def _sorts(nodes: Iterable[onnx.NodeProto], active: set[str], learnt: set[str]) -> tuple[set[str], set[str]]:
    """Values that depend on an input of the network, and values made of trainable numbers alone."""
    for node in nodes:
        names = [name for name in node.input[: 1 if node.op_type == "CastLike" else None] if name]
        if node.op_type in {"Shape", "Size"}:
            continue
        if active.intersection(names):
            active.update(node.output)
        elif learnt.intersection(names):
            learnt.update(node.output)
    return active, learnt
