"""`foretell bench capture`: from a module to its graph, beside torch.export and torch.fx with shape propagation.

Each model is timed by all of them in one go, on the meta device, in evaluation mode, on one thread; the ratios are of
these times. Building the model counts for nobody. torch.fx is left out where it cannot trace the model.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

from foretell.benchmarks.coverage_timm import build
from foretell.benchmarks.runner import Cell
from foretell.capture import capture_module
from foretell.capture.silence import silence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foretell.benchmarks.runner import Measurement

_MODELS = (
    "resnet18", "resnet50", "resnext50_32x4d", "seresnet50", "vgg16_bn", "densenet121", "inception_v3",
    "mobilenetv2_100", "mobilenetv3_large_100", "efficientnet_b0", "efficientnetv2_s", "regnety_008", "ghostnet_100",
    "mnasnet_100", "convnext_tiny", "convnextv2_nano", "vit_tiny_patch16_224", "deit_small_patch16_224",
    "beit_base_patch16_224", "swin_tiny_patch4_window7_224", "mixer_s32_224", "resmlp_12_224", "gmlp_s16_224",
    "poolformer_s12", "cait_xxs24_224", "coat_tiny", "levit_128s", "pvt_v2_b0", "edgenext_small", "hrnet_w18_small",
)  # fmt: skip
_REPEATS = 3  # of ours and of fx; export takes seconds, and once


class CaptureSpeed:
    """Milliseconds and ratios; smaller is better."""

    name = "capture"
    methods: Sequence[str] = ("foretell",)

    def cells(self, methods: Sequence[str], seeds: int, *, quick: bool) -> list[Cell]:
        """See `Benchmark.cells`; a seed is a repetition."""
        models = _MODELS[::6] if quick else _MODELS
        return [Cell(m, "timm", model, None, s) for s in range(seeds) for model in models for m in methods]

    def measure(self, cell: Cell) -> Mapping[str, tuple[float, str]]:
        """See `Benchmark.measure`."""
        assert cell.task is not None
        example = build(cell.task)
        model, (image,) = example.module, example.args
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            ours = _milliseconds(lambda: capture_module(model, image), _REPEATS)
            with silence():
                export = _milliseconds(lambda: torch.export.export(model, (image,), strict=False), 1)
            found = {
                "time": (ours, "ms"), "time torch.export": (export, "ms"), "ratio to torch.export": (ours / export, ""),
            }  # fmt: skip
            try:
                fx = _milliseconds(lambda: _trace(model, image), _REPEATS)
            except Exception:  # noqa: BLE001 - symbolic tracing refuses many models, each in its own way
                return found
            return found | {"time torch.fx": (fx, "ms"), "ratio to torch.fx": (ours / fx, "")}
        finally:
            torch.set_num_threads(threads)

    def report(self, rows: Sequence[Measurement]) -> list[str]:
        """One line a model, then the medians over models."""
        metrics = list(dict.fromkeys(m.metric for m in rows))
        models = list(dict.fromkeys(m.task for m in rows))
        found: dict[tuple[str | None, str], list[float]] = {}
        for m in rows:
            found.setdefault((m.task, m.metric), []).append(m.value)
        of_model = {key: median(values) for key, values in found.items()}
        lines = [f"{'model':28}" + "".join(f"{name:>24}" for name in metrics)]
        for model in [*models, None]:
            asked = models if model is None else [model]
            values = [[of_model[m, name] for m in asked if (m, name) in of_model] for name in metrics]
            shown = (f"{median(v):24.3f}" if v else f"{'-':>24}" for v in values)
            lines.append(f"{model or f'median of {len(models)}':28}" + "".join(shown))
        return lines


def _trace(model: torch.nn.Module, image: torch.Tensor) -> Any:
    from torch.fx.passes.shape_prop import ShapeProp

    with torch.no_grad():
        traced = torch.fx.symbolic_trace(model)
        ShapeProp(traced).propagate(image)
    return traced


def _milliseconds(call: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * median(times)
