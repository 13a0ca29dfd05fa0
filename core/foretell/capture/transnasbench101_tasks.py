"""The networks of TransNAS-Bench-101 (Duan et al., 2021, https://arxiv.org/abs/2105.11871) with the head of each task.

The benchmark trains one body on seven tasks. Classification and regression of a room's layout: global pooling and a
linear layer. Jigsaw: nine tiles through the same body, side by side, pooling, a linear layer over the permutations.
Autoencoder and surface normals: fourteen 3x3 convolutions, five of them transposed with stride 2, back to the image.
Segmentation: eight of them. As in the benchmark's code, https://github.com/yawen-d/TransNASBench, whose discriminator,
a network of its own for training, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from foretell.capture import transnasbench101
from foretell.capture.builder import GraphBuilder
from foretell.errors import InvalidArchitectureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.graph import ComputationGraph

_TILES, _TILE, _PERMUTATIONS = 9, 64, 1000
_IMAGE = ((1024, 1), (1024, 1), (512, 1), (512, 1), (256, 2), (128, 1), (64, 2), (64, 1), (32, 2), (32, 1), (16, 2),
          (32, 1), (16, 2))  # fmt: skip
_SEGMENTS = ((1024, 1), (512, 1), (256, 2), (128, 2), (64, 2), (32, 2), (32, 2))
_CLASSES = 17


def graph(spec: str | Sequence[int], task: str) -> ComputationGraph:
    """The network of one micro cell with the head of a task.

    Args:
        spec: See `foretell.capture.transnasbench101.graph`.
        task: Of `TASKS`.

    Returns:
        The graph; for jigsaw, the body is there once, with the FLOPs of one tile of 64 x 64.

    Raises:
        InvalidArchitectureError: If the task is unknown or the specification is not of a known form.

    >>> graph("64-41414-3_33_333", "class_object") == transnasbench101.graph("64-41414-3_33_333")
    True
    >>> [graph((0, 3, 0, 2, 0, 1), task).op_counts().get("ConvTranspose", 0) for task in TASKS]
    [0, 0, 0, 0, 5, 5, 5]
    """
    if task not in TASKS:
        msg = f"a task of TransNAS-Bench-101 must be one of {sorted(TASKS)}, but got {task!r}: choose one"
        raise InvalidArchitectureError(msg)
    net = GraphBuilder()
    features = transnasbench101.body(net, spec, size=_TILE if task == "jigsaw" else 256)
    return net.graph(TASKS[task](net, features))


def _linear(outputs: int) -> Callable[[GraphBuilder, int], int]:
    return lambda net, x: net.linear(net.mean(x), outputs)


def _permutation(net: GraphBuilder, x: int) -> int:
    return net.linear(net.mean(net.beside_others(x, _TILES)), _PERMUTATIONS)


def _image(net: GraphBuilder, x: int) -> int:
    return net.tanh(net.conv(_upwards(net, x, _IMAGE), 3, 3, bias=True))


def _segments(net: GraphBuilder, x: int) -> int:
    return net.conv(_upwards(net, x, _SEGMENTS), _CLASSES, 3, bias=True)


def _upwards(net: GraphBuilder, x: int, layers: Sequence[tuple[int, int]]) -> int:
    for channels, stride in layers:
        x = net.conv(x, channels, 3, bias=True) if stride == 1 else net.conv_transpose(x, channels, 3, stride=stride)
        x = net.leaky_relu(net.batch_norm(x))
    return x


TASKS: Mapping[str, Callable[[GraphBuilder, int], int]] = MappingProxyType(
    {
        "class_scene": _linear(47),
        "class_object": _linear(75),
        "jigsaw": _permutation,
        "room_layout": _linear(9),
        "autoencoder": _image,
        "normal": _image,
        "segmentsemantic": _segments,
    }
)
"""What writes the head of each task."""
