"""The vocabulary: ids that never move, and what plugins may add."""

from __future__ import annotations

import pytest

from foretell.errors import InvalidArchitectureError
from foretell.graph import ComputationGraph, Node
from foretell.operations import OPERATIONS, OperationSpec, operation, register_operation, unregister_operation

# stored graphs hold these ids: a change here breaks every checkpoint
PINNED = {"Unknown": 0, "Conv": 3, "BatchNorm": 5, "Zero": 26, "Reserved31": 31, "LayerNorm": 32, "Attention": 37,
          "Rnn": 52, "Constant": 65}  # fmt: skip


@pytest.mark.parametrize(("name", "number"), PINNED.items())
def test_ids_are_pinned(name: str, number: int) -> None:
    assert operation(name).id == number
    assert operation(number).name == name


def test_ids_are_unique_and_dense() -> None:
    built_in = [spec.id for spec in OPERATIONS.values() if spec.id < 1000]
    assert sorted(built_in) == list(range(66))


def test_weighted_operators() -> None:
    weighted = {name for name, spec in OPERATIONS.items() if spec.weighted and spec.id < 1000}
    assert weighted == {"Conv", "Depthwise", "MatMul", "ConvTranspose", "Embedding", "Rnn"}


def test_a_registered_operator_can_be_used_and_taken_out() -> None:
    spec = OperationSpec(1234, "Fourier", weighted=True)
    register_operation(spec)
    try:
        register_operation(spec)  # again: allowed
        assert OPERATIONS["Fourier"] is spec
        assert ComputationGraph.from_nodes([Node("Fourier", (1, 1, 1), (1, 1, 1))], []).op.tolist() == [1234]
        with pytest.raises(InvalidArchitectureError, match=r"must be unique, but .*Wavelet.* meets .*Fourier"):
            register_operation(OperationSpec(1234, "Wavelet"))
        with pytest.raises(InvalidArchitectureError, match="must be unique"):
            register_operation(OperationSpec(1235, "Fourier"))
    finally:
        unregister_operation(spec)
    with pytest.raises(InvalidArchitectureError, match="'Fourier'.*register_operation first"):
        operation("Fourier")
    with pytest.raises(InvalidArchitectureError, match="got 1234"):
        operation(1234)


def test_built_in_operators_stay() -> None:
    with pytest.raises(InvalidArchitectureError, match="built-in operators are permanent"):
        unregister_operation(operation("Conv"))
    with pytest.raises(TypeError):
        OPERATIONS["Mine"] = operation("Conv")  # type: ignore[index]


@pytest.mark.parametrize(("number", "name"), [(-1, "A"), (2**15, "A"), (2000, "")])
def test_bad_specs_are_refused(number: int, name: str) -> None:
    with pytest.raises(InvalidArchitectureError, match=r"id in \[0, 32767\] and a name"):
        OperationSpec(number, name)
