"""Presets against the figures of the papers, or of others who ran them again, on the real tables (docs/presets.md).

Networks take a minute each: all of it runs where FORETELL_COMPLETE is set.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from foretell.benchmarks.few_shot import FewShot
from foretell.benchmarks.runner import Cell
from foretell.presets import PRESETS

ROOT = Path(__file__).parents[2]


class Case(NamedTuple):
    """A preset on a table; `published` is None where no tau of this kind was published."""

    preset: str
    family: str
    n: int
    recorded: float  # ours, mean of the seeds from 0 on
    published: float | None = None
    short: float = 0.0  # how far ours may stay below it; docs/presets.md says why
    seeds: int = 2


CASES = [
    # re-run by the authors of PINAT (Lu et al., 2023); ours is an ensemble
    Case("neural-predictor", "nasbench101", 100, 0.536, published=0.391, seeds=1),
    Case("neural-predictor", "nasbench101", 172, 0.594, published=0.545, seeds=1),
    Case("neural-predictor", "nasbench201", 78, 0.716, published=0.343, seeds=1),
    # released with FLAN, without proxies; each of our two networks leaves a fifth of the labels out
    Case("flan", "nasbench201", 128, 0.773, published=0.785, short=0.03, seeds=1),
    Case("flan", "nasbench101", 128, 0.700, published=0.729, short=0.05, seeds=1),
    # ours against ours
    Case("brp-nas", "nasbench201", 50, 0.646, seeds=1),
    Case("nars", "nasbench201", 100, 0.742),
    Case("foretell", "nasbench201", 100, 0.851),
    Case("foretell-pretrained", "nasbench301", 50, 0.681, seeds=1),
    Case("graf", "nasbench201", 100, 0.783),
    Case("graf", "nasbench101", 172, 0.716),
    Case("gbdt-nas", "nasbench201", 100, 0.670),
    Case("gbdt-nas", "nasbench101", 172, 0.588),
    Case("nas-bowl", "nasbench201", 100, 0.771),
    Case("nas-bowl", "nasbench101", 172, 0.546),
    Case("bananas", "nasbench201", 100, 0.680),
    Case("boshnas", "nasbench201", 100, 0.806),
]
TASKS = {"nasbench201": "cifar10", "nasbench101": "test_acc", "nasbench301": "val_acc"}


@pytest.fixture(scope="module")
def bench(foretell_data: Path) -> FewShot:
    """One for all, so that a table is encoded once."""
    if not os.environ.get("FORETELL_COMPLETE"):
        pytest.skip("takes minutes: set FORETELL_COMPLETE")
    os.environ.setdefault("FORETELL_DATA", os.fspath(foretell_data))
    return FewShot()


@pytest.mark.filterwarnings("ignore::foretell.errors.OutOfDomainWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.preset}-{c.family}-{c.n}")
def test_a_preset_reaches_what_is_published_and_what_was_recorded(bench: FewShot, case: Case) -> None:
    cells = [Cell(case.preset, case.family, TASKS[case.family], case.n, seed) for seed in range(case.seeds)]
    tau = float(np.mean([bench.measure(cell)["tau"][0] for cell in cells]))
    assert tau == pytest.approx(case.recorded, abs=0.02)  # another machine's float32 moves a network by this much
    if case.published is not None:
        assert tau > case.published - case.short


def test_every_preset_is_in_the_docs_and_in_a_case() -> None:
    text = (ROOT / "docs" / "presets.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([\w-]+)`", text, flags=re.MULTILINE)) == set(PRESETS)
    assert {case.preset for case in CASES} == set(PRESETS) - {"baker"}  # whose columns are learning curves
