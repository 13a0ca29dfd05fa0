"""Networks made of `torch.nn`'s own recurrent and attention modules for `foretell bench coverage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from foretell.benchmarks.coverage_example import Example

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LENGTH = 12
_WIDTH = 16


class _Cell(nn.Module):
    """A recurrent cell applied step by step, the loop written out by the forward pass."""

    def __init__(self, cell: nn.RNNCellBase) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state: Any = None
        for step in x.unbind(1):
            state = self.cell(step, state)
        last: torch.Tensor = state[0] if isinstance(state, tuple) else state
        return last


def _encoder_layer() -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(_WIDTH, 4, 32, batch_first=True)


def _decoder_layer() -> nn.TransformerDecoderLayer:
    return nn.TransformerDecoderLayer(_WIDTH, 4, 32, batch_first=True)


MODULES: Mapping[str, tuple[Callable[[], nn.Module], int]] = {
    "RNN": (lambda: nn.RNN(_WIDTH, 24, batch_first=True), 1),
    "RNN relu, 2 layers": (lambda: nn.RNN(_WIDTH, 24, 2, nonlinearity="relu", batch_first=True), 1),
    "LSTM": (lambda: nn.LSTM(_WIDTH, 24, batch_first=True), 1),
    "LSTM bidirectional, 2 layers": (lambda: nn.LSTM(_WIDTH, 24, 2, batch_first=True, bidirectional=True), 1),
    "LSTM with projection": (lambda: nn.LSTM(_WIDTH, 24, proj_size=8, batch_first=True), 1),
    "GRU": (lambda: nn.GRU(_WIDTH, 24, batch_first=True), 1),
    "GRU bidirectional, 3 layers": (lambda: nn.GRU(_WIDTH, 24, 3, batch_first=True, bidirectional=True), 1),
    "RNNCell": (lambda: _Cell(nn.RNNCell(_WIDTH, 24)), 1),
    "LSTMCell": (lambda: _Cell(nn.LSTMCell(_WIDTH, 24)), 1),
    "GRUCell": (lambda: _Cell(nn.GRUCell(_WIDTH, 24)), 1),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(_WIDTH, 4, batch_first=True), 3),
    "TransformerEncoderLayer": (_encoder_layer, 1),
    "TransformerEncoder": (lambda: nn.TransformerEncoder(_encoder_layer(), 2, enable_nested_tensor=False), 1),
    "TransformerDecoderLayer": (_decoder_layer, 2),
    "TransformerDecoder": (lambda: nn.TransformerDecoder(_decoder_layer(), 2), 2),
    "Transformer": (lambda: nn.Transformer(_WIDTH, 4, 2, 2, 32, batch_first=True), 2),
}
"""How a module is made, and how many sequences it takes."""


def build(name: str, device: str = "meta") -> Example:
    """A module in evaluation mode with sequences of one example, the batch first."""
    make, inputs = MODULES[name]
    with torch.device(device):
        module = make().eval()
        return Example(module, tuple(torch.zeros(1, _LENGTH, _WIDTH) for _ in range(inputs)))
