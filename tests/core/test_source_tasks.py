"""Real tables as problems whose units mean the same for every task of a family."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foretell.benchmarks.source_tasks import TARGETS, source_problem, sources_of
from foretell.transfer import SharedParameters


def test_a_task_is_no_source_of_its_own() -> None:
    assert all(task not in sources_of(family, task) for family, task in TARGETS)


@pytest.mark.parametrize("place", [("nmt", "ru-en", "sw-en"), ("steplaw", "0.43-8", "0.21-4")])
def test_values_are_those_of_the_table_and_spaces_share_all_parameters(
    foretell_data: Path, monkeypatch: pytest.MonkeyPatch, place: tuple[str, str, str]
) -> None:
    monkeypatch.setenv("FORETELL_DATA", str(foretell_data))
    family, task, source = place
    problem = source_problem(family, task)
    rng = np.random.default_rng(0)
    seen = {problem.value(problem.space.sample(rng)) for _ in range(50)}
    assert len(seen) > 10
    assert all(value in problem.values for value in seen)
    shared = SharedParameters.between(problem.space, source_problem(family, source).space)
    assert len(shared) == len(problem.space)
