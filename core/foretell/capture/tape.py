"""The tape: follows tensors through calls and turns what happened into a computation graph.

Each route of capture feeds it the calls of one forward pass, in order; the tape knows which tensors are
activations, which are learnt, and which node made them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from foretell.capture import translation
from foretell.errors import CaptureError, CaptureWarning
from foretell.graph import ComputationGraph, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


MOST_UNKNOWN = 0.5
"""Share of `Unknown` among a network's operators above which its graph says too little of it."""
_LIKE_ANOTHER = frozenset({"type_as", "view_as", "reshape_as", "expand_as"})  # of the second, only type or shape
_PRODUCTS = frozenset({"MatMul", "BatchMatMul"})
_WIDENING = frozenset({"expand", "expand_as", "broadcast_to", "repeat", "repeat_interleave", "cat", "tile"})


@dataclass(frozen=True, slots=True)
class Activation:
    """A tensor that depends on the input: the node that made it, and where its channels are."""

    node: int
    channels_first: bool


class Tape:
    """Collects calls; `graph` ends it.

    Args:
        learnt: Name and trainable size of each parameter, by the identity of its tensor.
        batch: Size of the batch dimension of the example.
    """

    def __init__(self, learnt: Mapping[int, tuple[str, int]], batch: int) -> None:
        self._learnt = dict(learnt)
        self._weights = {key: frozenset({key}) for key in learnt}  # tensor made of parameters only -> which
        self._counted: set[int] = set()
        self._activations: dict[int, Activation] = {}
        self._stacks: dict[int, tuple[list[torch.Tensor], int]] = {}  # result of a stack -> its inputs, dimension
        self._kept: list[torch.Tensor] = []  # identities stay unique only while the tensors live
        self._nodes: list[Node] = []
        self._edges: list[tuple[int, int]] = []
        self._unknown: Counter[str] = Counter()
        self._work: dict[int, int] = {}  # FLOPs of calls on constants alone, by a key that travels as weights do
        self._spread: set[int] = set()  # constants that have the batch among their dimensions
        self._owed = 0  # of these, what met an activation where there is no node to hold it
        self._whole: dict[int, torch.Tensor] = {}  # a view -> the tensor whose memory it shows
        self._batch = batch

    def enter(self, tensors: Iterable[torch.Tensor]) -> None:
        """Add an input of the network."""
        for tensor in tensors:
            shape = translation.triple(tensor.shape, channels_first=True)
            self._bind(tensor, Activation(self._add(Node("Input", shape, shape), ()), channels_first=True))

    def call(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        """Add one call with its tensors, in the order in which they ran."""
        written = args[0] if args and isinstance(args[0], torch.Tensor) and translation.in_place(name) else None
        name = translation.normalised(name)
        outputs = list(flat(result))
        inputs = list(flat((args, tuple(kwargs.values()))))
        if name in _LIKE_ANOTHER:
            inputs = inputs[:1]
        if written is not None:
            outputs = [written, *(t for t in outputs if t is not written)]
            if name == "copy":  # what was there before is gone
                inputs = inputs[1:]
                self._activations.pop(id(written), None)
        if not outputs:
            return
        self._note(name, args, kwargs, inputs, outputs)
        if written is not None:
            self._write_through(written)
        elif inputs:
            memory = inputs[0].untyped_storage()._cdata
            for tensor in outputs:
                if tensor is not inputs[0] and tensor.untyped_storage()._cdata == memory:
                    self._whole[id(tensor)] = self._whole.get(id(inputs[0]), inputs[0])

    def _write_through(self, view: torch.Tensor) -> None:
        """After a call that changed a view in place, such as `x[:, 0].add_(y)`: so did the tensor that it shows."""
        whole = self._whole.get(id(view))
        if whole is None:
            return
        if view.numel() < whole.numel():
            self._note("setitem", (whole, None, view), {}, [whole, view], [whole])
        elif id(view) in self._activations:
            self._bind(whole, self._activations[id(view)])

    def _note(
        self,
        name: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        inputs: list[torch.Tensor],
        outputs: list[torch.Tensor],
    ) -> None:
        result = outputs[0]
        if name == "stack":
            self._stacks[id(result)] = (inputs, (translation.dimension(args, kwargs) or 0) % result.dim())
        elif name == "sum" and self._is_stack(args, kwargs):
            name, inputs = "add", self._stacks[id(args[0])][0]  # the sum of any number of tensors is one node
        active = [t for t in inputs if id(t) in self._activations]
        made_of = self._made_of(inputs)
        if not active or name in translation.FACTORIES:
            if self._spreads(name, inputs, outputs[0]):
                self._spread.update(map(id, outputs))
            if not active and translation.operator_of(name) in translation.COUNTED:
                made_of |= self._worked(name, args, kwargs, inputs, outputs[0])
            for tensor in outputs:
                self._kept.append(tensor)
                self._weights[id(tensor)] = made_of  # its size counts where an activation meets it
            return
        parents = tuple(dict.fromkeys(self._activations[id(t)].node for t in active))
        before = self._activations[id(active[0])]
        moved = translation.channels_after_move(name, args, before.channels_first)
        after = translation.channels_first(name, moved)
        if name == "getitem":
            smaller = sum(t.numel() for t in outputs) < active[0].numel()
            name = "slice" if smaller and len(active) == 1 else "view"
        op = translation.operator_of(name)
        vanishes = name in translation.LAYOUT or (op in translation.JOINS and len(parents) < 2)
        if vanishes and not (made_of - self._counted).difference(self._work):
            self._owed += self._newly_used(made_of)[1]
            produced = before.node
        else:
            weights = [
                tuple(t.shape)
                for t in inputs
                if id(t) not in self._activations and self._weights.get(id(t), frozenset()).difference(self._work)
            ]
            size, work = self._newly_used(made_of)
            made = translation.node(
                name, args, kwargs, shapes=(active[0].shape, outputs[0].shape), weights=weights, params=size,
                channels_first=after, batch=self._batch ** (1 + self._crosses(op, active, outputs[0])),
            )  # fmt: skip
            if work or self._owed:
                made, self._owed = replace(made, flops=made.flops + work + self._owed), 0
            if made.op == "Unknown":
                self._unknown[name] += 1
            produced = self._add(made, parents)
        for tensor in outputs:
            self._bind(tensor, Activation(produced, after))

    def _crosses(self, op: str | None, active: Sequence[torch.Tensor], output: torch.Tensor) -> bool:
        """Whether a product holds every example against every other, as CLIP does images and texts.

        Its work grows with the square of the batch. What the result is multiplied by (timm: `csatv2`) is not followed.
        """
        return op in _PRODUCTS and len(active) == 2 and tuple(output.shape) == (self._batch, self._batch)

    def _is_stack(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Whether a sum runs over the dimension along which its argument was stacked, and drops it."""
        if id(args[0]) not in self._stacks or kwargs.get("keepdim") or args[2:3] == (True,):
            return False
        dimension = translation.dimension(args, kwargs)
        return dimension is not None and dimension % args[0].dim() == self._stacks[id(args[0])][1]

    def _made_of(self, tensors: Iterable[Any]) -> frozenset[int]:
        """Which parameters enter tensors that are not activations."""
        return frozenset().union(*(self._weights.get(id(t), frozenset()) for t in tensors))

    def _spreads(self, name: str, inputs: Sequence[torch.Tensor], output: torch.Tensor) -> bool:
        """Whether a constant has the batch among its dimensions, such as learnt queries repeated for every example."""
        if any(id(t) in self._spread for t in inputs):
            return True
        widened = name in translation.FACTORIES or name in _WIDENING
        return widened and output.dim() > 1 and output.shape[0] == self._batch

    def _worked(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], inputs: Sequence[Any], output: torch.Tensor
    ) -> frozenset[int]:
        """Key of the FLOPs of a call on constants alone, such as the network behind a table of relative positions."""
        weights = [tuple(t.shape) for t in inputs if self._weights.get(id(t))]
        flops = translation.node(
            name, args, kwargs, shapes=(inputs[0].shape, output.shape), weights=weights, params=0,
            channels_first=False, batch=self._batch if id(output) in self._spread else 1,
        ).flops  # fmt: skip
        if not flops:
            return frozenset()
        key = -1 - len(self._work)  # identities are positive
        self._work[key] = flops
        return frozenset({key})

    def _newly_used(self, made_of: frozenset[int]) -> tuple[int, int]:
        """Trainable numbers and FLOPs in those of the parameters and constants that no node has counted yet."""
        new = made_of - self._counted
        self._counted |= new
        sizes = (self._learnt[key][1] for key in new if key in self._learnt)
        return sum(sizes), sum(self._work.get(key, 0) for key in new)

    def graph(self, outputs: Any, where: str) -> ComputationGraph:
        """End the tape at the network's outputs; what does not lead to them is dropped.

        Raises:
            CaptureError: If no output is a tensor that depends on the input, or too many operators are outside the
                vocabulary.
        """
        ends = [t for t in flat(outputs) if id(t) in self._activations]
        if not ends:
            msg = f"a network must return a tensor that depends on its input, but {where} did not: return its result"
            raise CaptureError(msg)
        for tensor in ends:
            last = self._activations[id(tensor)]
            shape = translation.triple(tensor.shape, last.channels_first)
            self._add(Node("Output", shape, shape), (last.node,))
        alive = {i for i, n in enumerate(self._nodes) if n.op in {"Output", "Input"}}
        for a, b in reversed(self._edges):  # sources precede targets, so one pass suffices
            if b in alive and self._nodes[b].op != "Input":
                alive.add(a)
        operators = [self._nodes[i].op for i in alive if self._nodes[i].op not in {"Input", "Output"}]
        outside = operators.count("Unknown")
        if outside > MOST_UNKNOWN * len(operators):
            named = ", ".join(f"{k} x{v}" for k, v in self._unknown.most_common(5))
            msg = (
                f"at most {MOST_UNKNOWN:.0%} of a network's operators may be outside the vocabulary, but {outside} of "
                f"{len(operators)} are in {where} ({named}): add them with register_operation, or write them with "
                "standard operators"
            )
            raise CaptureError(msg)
        if self._unknown:
            named = ", ".join(f"{k} x{v}" for k, v in self._unknown.most_common(5))
            warnings.warn(
                f"{sum(self._unknown.values())} calls of {where} are outside the vocabulary and became "
                "`Unknown` "
                f"({named}): register_operation can add them",
                CaptureWarning,
                stacklevel=2,
            )
        position = {old: new for new, old in enumerate(sorted(alive))}
        kept = [(position[a], position[b]) for a, b in self._edges if a in alive and b in alive]
        return ComputationGraph.from_nodes([self._nodes[i] for i in sorted(alive)], kept)

    def _add(self, node: Node, parents: Iterable[int]) -> int:
        self._nodes.append(node)
        here = len(self._nodes) - 1
        self._edges.extend((p, here) for p in parents)
        return here

    def _bind(self, tensor: torch.Tensor, activation: Activation) -> None:
        self._kept.append(tensor)
        self._activations[id(tensor)] = activation


def flat(value: Any) -> Iterator[torch.Tensor]:
    """All tensors inside nested lists, tuples, dicts and dataclass-like mappings."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from flat(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from flat(item)
