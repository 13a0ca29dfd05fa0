"""Where a training is, on disk: weights, Adam's moments, the log, and how far the epoch under way has come."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from foretell.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a training has come.

    Args:
        log: A line for each epoch that is over.
        step: Batches of the next epoch that are done.
        total: Sum over these of loss times rows.
    """

    log: list[dict[str, float]] = field(default_factory=list)
    step: int = 0
    total: float = 0.0


def keep_state(folder: Path, module: nn.Module, adam: torch.optim.Adam, position: Position) -> None:
    """Write `state.safetensors`, complete or not at all, and `log.jsonl`, which is for people.

    Raises:
        CheckpointError: If they cannot be written.
    """
    from safetensors.torch import save

    arrays = {f"module.{name}": value.detach().cpu().clone() for name, value in module.state_dict().items()}
    for i, weight in enumerate(_weights(adam)):
        for name in ("step", *_MOMENTS):
            arrays[f"adam.{i}.{name}"] = adam.state[weight][name].detach().cpu().contiguous()
    told = {"log": position.log, "step": position.step, "total": position.total}
    part = folder / "state.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(save(arrays, {"position": json.dumps(told)}))  # one file: never weights without their place
        part.replace(folder / "state.safetensors")
        lines = "".join(json.dumps(line) + "\n" for line in position.log)
        (folder / "log.jsonl").write_text(lines, encoding="utf-8")
    except OSError as e:
        msg = f"a training needs a folder that can be written, but {folder} cannot ({e}): make room and run it again"
        raise CheckpointError(msg) from e


def restore_state(folder: Path, module: nn.Module, adam: torch.optim.Adam) -> Position:
    """Fill module and optimiser with what `keep_state` wrote; where nothing was written, both stay as they are.

    Raises:
        CheckpointError: If the file is damaged or of another module.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / "state.safetensors"
    if not path.is_file():
        return Position()
    try:
        with safe_open(path, "pt") as stored:  # type: ignore[no-untyped-call]
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
            position = _position(json.loads((stored.metadata() or {})["position"]))
        if not all(bool(torch.isfinite(a).all()) for a in arrays.values()):
            raise ValueError("a number is not finite")
        module.load_state_dict({k.removeprefix("module."): v for k, v in arrays.items() if k.startswith("module.")})
        for i, weight in enumerate(_weights(adam)):
            moments = {name: arrays[f"adam.{i}.{name}"].to(weight.device) for name in _MOMENTS}
            if any(m.shape != weight.shape or m.dtype != weight.dtype for m in moments.values()):
                raise ValueError(f"moments of weight {i} have another shape")
            if bool((moments["exp_avg_sq"] < 0).any()):
                raise ValueError(f"a mean of squares of weight {i} is negative")
            step = arrays[f"adam.{i}.step"]
            if step.shape != () or step.dtype != torch.float32 or step < 0:
                raise ValueError(f"weight {i} has taken {step} steps")
            adam.state[weight] = {"step": step, **moments}
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, SafetensorError) as e:
        msg = f"an interrupted run must be of the same settings, but {path} is not ({e}): choose another folder"
        raise CheckpointError(msg) from e
    return position


def _position(told: Any) -> Position:
    log, step, total = told["log"], told["step"], told["total"]
    sound = isinstance(log, list) and all(isinstance(line, dict) for line in log)
    if not sound or type(step) is not int or step < 0 or type(total) is not float:
        raise ValueError("its place in the training is none")
    return Position(log, step, total)


def _weights(adam: torch.optim.Adam) -> list[torch.nn.Parameter]:
    return [weight for group in adam.param_groups for weight in group["params"]]
