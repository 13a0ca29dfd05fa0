"""A `graph` function that raises, hangs, or gives what is no network: the study goes on without it."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import optuna
import pytest
import torch
from fault_worker import bowl
from optuna.trial import TrialState

from foretell.errors import CaptureWarning
from foretell_adapters.optuna import ForetellSampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_table import FaultTable

# a function that is told to stop may be in a callback of the garbage collector, which can only say so
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

LIMIT, TRIALS = 0.3, 9


def forever(params: dict[str, Any]) -> Any:
    while params:
        pass


def catching(params: dict[str, Any]) -> Any:
    while params:
        with suppress(Exception):
            time.sleep(0.01)


class HangsInForward(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        while True:
            time.sleep(0.01)


def failing(error: BaseException) -> Callable[[dict[str, Any]], Any]:
    def graph(params: dict[str, Any]) -> Any:
        raise error

    return graph


HANGS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "loop": forever,
    "loop that catches": catching,
    "sleep": lambda params: time.sleep(3600),
    "lock": lambda params: threading.Event().wait(),
    "forward": lambda params: HangsInForward(),
    "now and then": lambda params: forever(params) if params["k"] % 2 else torch.nn.Linear(4, params["k"]),
}
FAILS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ValueError": failing(ValueError("no")),
    "MemoryError": failing(MemoryError()),
    "recursion": lambda params: FAILS["recursion"](params),
    "exit": lambda params: sys.exit(1),
    "missing key": lambda params: params["gone"],
    "text": lambda params: "a network",
    "tensor": lambda params: torch.zeros(3),
    "wrong shape": lambda params: torch.nn.Linear(5, params["k"]),
    "now and then": lambda params: torch.nn.Linear(4, params["k"]) if params["k"] % 2 else 1 / 0,
}


@pytest.mark.parametrize(("fault", "graph"), [
    *(pytest.param("graph function hangs", g, id=f"hangs-{n}") for n, g in HANGS.items()),
    *(pytest.param("graph function fails", g, id=f"fails-{n}") for n, g in FAILS.items()),
])  # fmt: skip
def test_the_study_goes_on(fault: str, graph: Callable[[dict[str, Any]], Any], table: FaultTable) -> None:
    calls: list[int] = []

    def counted(params: dict[str, Any]) -> Any:
        calls.append(1)
        return graph(params)

    sampler = ForetellSampler(
        seed=0, n_startup_trials=3, graph=counted, example_inputs=torch.zeros(1, 4), graph_timeout=LIMIT
    )
    study = optuna.create_study(sampler=sampler)
    start = time.monotonic()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CaptureWarning)
        study.optimize(bowl, n_trials=TRIALS)
    stuck = time.monotonic() - start > 20
    said = [str(w.message) for w in caught if issubclass(w.category, CaptureWarning)]
    results = len(study.get_trials(states=[TrialState.COMPLETE]))
    table.count(fault, "memory", injected=1, results=TRIALS, lost=TRIALS - results, stuck=int(stuck))
    assert len(said) == len(set(said))
    assert 1 <= len(said) <= 2
    if fault == "graph function hangs" and len(said) == 2:
        assert "from now on no network is asked for" in said[1]
