"""Searches three spaces of NNI's hub under a limit on FLOPs, in a process of its own, and prints what was tried.

Small versions of the spaces, trained for a few steps on real digits; one search is interrupted and resumed.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import nni
import torch
from click.testing import CliRunner
from sklearn.datasets import load_digits
from torch import nn

from foretell_adapters.nni.commands import nni_group
from foretell_adapters.nni.experiment_file import ExperimentFile
from foretell_adapters.nni.run_experiment import run_experiment

SPACES: dict[str, tuple[dict[str, Any], float, str]] = {  # limits that a good half of the networks break
    "NasBench201": ({"stem_out_channels": 4, "num_modules_per_stack": 1}, 2.0e6, "simplified"),
    "DARTS": ({"width": 4, "num_cells": 3, "dataset": "cifar"}, 3.9e6, "raw"),
    "MobileNetV3Space": (
        {"num_labels": 10, "base_widths": [16, 8, 8, 16, 16, 24, 32, 32, 64], "bn_eps": 1e-3},
        2.6e6,
        "simplified",
    ),
}
interrupt_at: list[int] = []


def train(model: nn.Module, learning_rate: float) -> None:
    """A few steps, then the accuracy on others; the search is interrupted where it is told to be."""
    if interrupt_at and not interrupt_at[0]:
        interrupt_at.clear()
        raise KeyboardInterrupt
    interrupt_at[:] = [n - 1 for n in interrupt_at]
    X, y = (torch.as_tensor(a) for a in load_digits(return_X_y=True))
    X = nn.functional.interpolate(X.float().reshape(-1, 1, 8, 8) / 16, scale_factor=4).expand(-1, 3, -1, -1)
    step = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for batch in torch.arange(192).split(32):
        step.zero_grad()
        out = model(X[batch])
        nn.functional.cross_entropy(out[0] if isinstance(out, tuple) else out, y[batch]).backward()
        step.step()
    model.eval()
    with torch.no_grad():
        out = model(X[1600:])
    nni.report_final_result((out.argmax(1) == y[1600:]).float().mean().item())


def search(name: str, folder: Path) -> dict[str, Any]:
    """One search of four models; that of the first space is interrupted at its third."""
    space_args, limit, form = SPACES[name]
    n_startup = 4 if name == "NasBench201" else 8  # a network of the others takes half a second to capture
    args = {"seed": 0, "n_startup": n_startup, "example_inputs": [1, 3, 32, 32], "limits": {"flops": limit}}
    file = ExperimentFile.parse(
        {
            "space": name,
            "spaceArgs": space_args,
            "evaluator": "nni_hub:train",
            "evaluatorArgs": {"learning_rate": {"_type": "loguniform", "_value": [0.001, 0.05]}},
            "strategy": {"name": "Foretell", "args": args},
            "format": form,
            "maxTrialNumber": 4,
            "experimentWorkingDirectory": str(folder / "experiments"),
        }
    )
    interrupted = name == "NasBench201"
    here = sys.modules["nni_hub"]
    here.interrupt_at[:] = [2] if interrupted else []
    out = folder / f"{name}.json"
    outcome = run_experiment(file, Path(__file__).parent, out=out)
    before = [m["sample"] for m in outcome.models]
    if interrupted:
        assert outcome.interrupted
        outcome = run_experiment(file, Path(__file__).parent, out=out, resume=outcome.experiment_id)
    assert not outcome.interrupted
    return {"models": list(outcome.models), "before": before, "id": outcome.experiment_id, "written": str(out)}


def flops(name: str, sample: dict[str, Any]) -> int:
    """Counted anew, on a space of its own, by NNI's way of freezing one."""
    from nni.nas.hub import pytorch as hub

    from foretell.graph import ComputationGraph

    network = getattr(hub, name)(**SPACES[name][0]).freeze(sample)
    return ComputationGraph.from_module(network.eval(), torch.zeros(1, 3, 32, 32)).flops


def main(home: Path) -> None:
    """All spaces, then the example of `foretell nni run`."""
    sys.path.insert(0, str(Path(__file__).parent))
    importlib.import_module("nni_hub")  # as which the evaluator's function is found
    found = {}
    for name in SPACES:
        found[name] = search(name, home)
        samples = [{k: v for k, v in m["sample"].items() if k != "learning_rate"} for m in found[name]["models"]]
        found[name]["flops"] = [flops(name, s) for s in samples]
        found[name]["limit"] = SPACES[name][1]
    (home / "hub.json").write_text(json.dumps(found))
    example = Path(__file__).parents[2] / "examples" / "nni_run.yml"
    done = CliRunner().invoke(nni_group, ["run", str(example), "--out", str(home / "example.json")])
    assert done.exit_code == 0, done.output
    sys.stdout.write(done.output)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
