"""The operator vocabulary: what a node of a computation graph may be.

Ids 0 to 31 are the 32 operators of GENNAPE (Mills et al., 2023, "GENNAPE: Towards Generalized Neural
Architecture Performance Estimators", https://arxiv.org/abs/2211.17226); later ids are ours. Ids are
append-only: a stored graph keeps its meaning. `weighted` operators carry a kernel or matrix that is learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Mapping

VOCABULARY_VERSION = 2

_V1 = (
    "Unknown", "Input", "Output", "Conv", "Depthwise", "BatchNorm", "ReLU", "ReLU6", "MatMul", "Add", "Mul",
    "Concat", "MaxPool", "AvgPool", "Sigmoid", "Tanh", "Swish", "GELU", "Pad", "Mean", "SpaceToBatch",
    "BatchToSpace", "SpaceToDepth", "DepthToSpace", "Global", "Identity", "Zero", "Reserved27",
    "Reserved28", "Reserved29", "Reserved30", "Reserved31",
)  # fmt: skip
_V2 = (
    "LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm", "Softmax", "Attention", "BatchMatMul", "Embedding",
    "ConvTranspose", "Resize", "Sub", "Div", "Exp", "Pow", "Slice", "Split", "Transpose", "Gather",
    "Reduce", "Scan", "Rnn", "HardSwish", "HardSigmoid", "LeakyReLU", "ELU", "Softplus", "Log", "Sqrt",
    "Compare", "Where", "Max", "Min", "Elementwise", "Constant",
)  # fmt: skip
_WEIGHTED = frozenset({"Conv", "Depthwise", "MatMul", "ConvTranspose", "Embedding", "Rnn"})


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One operator: its stable id, its name, and whether it carries learnt weights.

    Raises:
        InvalidArchitectureError: If the id is outside 0 to 32767, or the name is empty.
    """

    id: int
    name: str
    weighted: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.id < 2**15 or not self.name:
            msg = f"an operation needs an id in [0, 32767] and a name, but got {self.id=}, {self.name=}: choose both"
            raise InvalidArchitectureError(msg)


_by_name = {name: OperationSpec(i, name, name in _WEIGHTED) for i, name in enumerate(_V1 + _V2)}
_by_id = {spec.id: spec for spec in _by_name.values()}

OPERATIONS: Mapping[str, OperationSpec] = MappingProxyType(_by_name)
"""All known operators by name, third-party ones included."""


def operation(key: str | int) -> OperationSpec:
    """Look an operator up by name or id.

    Raises:
        InvalidArchitectureError: If it is unknown.

    >>> operation("Conv").id, operation(6).name
    (3, 'ReLU')
    """
    found = _by_name.get(key) if isinstance(key, str) else _by_id.get(int(key))
    if found is None:
        msg = f"an operator must be in the vocabulary, but got {key!r}: use `Unknown` or register_operation first"
        raise InvalidArchitectureError(msg)
    return found


def register_operation(spec: OperationSpec) -> None:
    """Add a third-party operator; ids from 1000 on are free for that. The same one twice is allowed.

    Raises:
        InvalidArchitectureError: If the name or the id already belongs to another operator.
    """
    taken = _by_name.get(spec.name) or _by_id.get(spec.id)
    if taken is not None and taken != spec:
        msg = f"an operator's name and id must be unique, but {spec} meets {taken}: choose another id from 1000 on"
        raise InvalidArchitectureError(msg)
    _by_name[spec.name] = spec
    _by_id[spec.id] = spec


def unregister_operation(spec: OperationSpec) -> None:
    """Take a third-party operator out again; the built-in ones stay.

    Raises:
        InvalidArchitectureError: If it is a built-in one.
    """
    if spec.id < len(_V1) + len(_V2):
        msg = f"built-in operators are permanent, but got {spec}: only a registered one can be taken out"
        raise InvalidArchitectureError(msg)
    _by_name.pop(spec.name, None)
    _by_id.pop(spec.id, None)
