"""The one loop of pretraining: epochs of minibatches, a record after each, and on again where it was interrupted.

After each epoch the folder holds `state.safetensors` (weights and Adam's moments) and `log.jsonl` (a line an epoch).
The order of rows and dropout depend on seed and epoch alone, so a resumed run gives the same weights as a whole one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from foretell.errors import CheckpointError

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import nn

Loss = Callable[[np.ndarray, torch.Generator], torch.Tensor]
"""Loss of a batch of rows; the generator is for dropout and draws."""


@dataclass(frozen=True)
class EpochLoop:
    """Adam with a cosine from `learning_rate` to `floor`, after a linear rise over the first `warmup` of the steps.

    Args:
        epochs: Passes over the rows.
        batch: Rows a step.
        learning_rate: Largest learning rate.
        warmup: Share of the steps in which it rises.
        floor: Last learning rate; equal to `learning_rate` it stays, as in the released code of GENNAPE.
        clip: Largest norm of a gradient.
        seed: Seed of order and dropout.
    """

    epochs: int
    batch: int = 256
    learning_rate: float = 1e-3
    warmup: float = 0.03
    floor: float = 0.0
    clip: float = 5.0
    seed: int = 0

    def run(
        self,
        module: nn.Module,
        rows: Int[np.ndarray, " n"],
        loss: Loss,
        folder: Path,
        *,
        judge: Callable[[], Mapping[str, float]] = dict,
        progress: bool = False,
    ) -> list[dict[str, float]]:
        """Train a module in place.

        Args:
            module: What has the weights.
            rows: Rows to train on.
            loss: Of a batch.
            folder: Where state and log are kept; what is there is gone on with.
            judge: Measures after an epoch, for the log.
            progress: Whether to show a bar.

        Returns:
            The log: epoch, loss, and what `judge` gave.

        Raises:
            CheckpointError: If the folder holds the state of another module.
        """
        from tqdm.auto import tqdm

        weights = [p for p in module.parameters() if p.requires_grad]
        adam = torch.optim.Adam(weights, lr=self.learning_rate)
        log = _restore(folder, module, adam, weights)
        steps = math.ceil(len(rows) / self.batch)
        with tqdm(total=self.epochs * steps, initial=len(log) * steps, disable=not progress, desc=folder.name) as bar:
            for epoch in range(len(log), self.epochs):
                order = np.random.default_rng([self.seed, epoch]).permutation(rows)
                generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
                module.train()
                total = 0.0
                for step, batch in enumerate(np.array_split(order, steps)):
                    for group in adam.param_groups:
                        group["lr"] = self._rate(epoch * steps + step, self.epochs * steps)
                    adam.zero_grad()
                    value = loss(batch, generator)
                    value.backward()  # type: ignore[no-untyped-call]
                    torch.nn.utils.clip_grad_norm_(weights, self.clip)
                    adam.step()
                    total += float(value.detach()) * len(batch)
                    bar.update()
                module.eval()
                log.append({"epoch": epoch, "loss": total / len(rows), **judge()})
                _keep(folder, module, adam, weights, log)
                bar.set_postfix({k: f"{v:.4f}" for k, v in log[-1].items() if k != "epoch"})
        module.eval()
        return log

    def _rate(self, step: int, steps: int) -> float:
        rise = min(1.0, (step + 1) / max(self.warmup * steps, 1.0))
        fall = 0.5 * (1.0 + math.cos(math.pi * step / steps))
        return rise * (self.floor + (self.learning_rate - self.floor) * fall)


def _keep(
    folder: Path, module: nn.Module, adam: torch.optim.Adam, weights: list[nn.Parameter], log: list[dict[str, float]]
) -> None:
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    arrays = {f"module.{name}": value.detach().cpu().clone() for name, value in module.state_dict().items()}
    for i, weight in enumerate(weights):
        for name in ("step", "exp_avg", "exp_avg_sq"):
            arrays[f"adam.{i}.{name}"] = adam.state[weight][name].detach().cpu().contiguous()
    part = folder / "state.part"
    part.write_bytes(save(arrays, {"log": json.dumps(log)}))  # state and log in one file: never one without the other
    part.replace(folder / "state.safetensors")
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log), encoding="utf-8")


def _restore(
    folder: Path, module: nn.Module, adam: torch.optim.Adam, weights: list[nn.Parameter]
) -> list[dict[str, float]]:
    from safetensors import SafetensorError, safe_open

    path = folder / "state.safetensors"
    if not path.is_file():
        return []
    try:
        with safe_open(path, "pt") as stored:  # type: ignore[no-untyped-call]
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
            log: list[dict[str, float]] = json.loads(stored.metadata()["log"])
        module.load_state_dict({k.removeprefix("module."): v for k, v in arrays.items() if k.startswith("module.")})
        for i, weight in enumerate(weights):
            moments = {n: arrays[f"adam.{i}.{n}"].to(weight.device) for n in ("exp_avg", "exp_avg_sq")}
            adam.state[weight] = {"step": arrays[f"adam.{i}.step"], **moments}
    except (OSError, KeyError, RuntimeError, ValueError, SafetensorError) as e:
        msg = f"an interrupted run must be of the same settings, but {path} is not ({e}): choose another folder"
        raise CheckpointError(msg) from e
    return log
