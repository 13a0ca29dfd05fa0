"""`ForetellSampler(desirability=...)`: the best compromise, in the units and directions of the study."""

from __future__ import annotations

import optuna
import pytest
from optuna.study import StudyDirection

from foretell.desirability import Desirability
from foretell.errors import InvalidDataError
from foretell_adapters.optuna import ForetellSampler
from foretell_adapters.optuna.space import to_wishes

BOTH = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]


def test_what_is_minimised_is_wished_downwards() -> None:
    assert to_wishes([(0.6, 0.95), (100.0, 10.0)], BOTH) == (Desirability(0.6, 0.95), Desirability(-100.0, -10.0))
    assert to_wishes((), BOTH) == ()


def test_a_study_finds_the_compromise() -> None:
    def objective(trial: optuna.Trial) -> tuple[float, float]:
        width, rate = trial.suggest_float("width", 0, 1), trial.suggest_float("rate", 0, 1)
        return width - (rate - 0.4) ** 2, 100 * width

    sampler = ForetellSampler(seed=0, desirability=[(0.3, 0.5), (80.0, 40.0)])
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    study.optimize(objective, n_trials=18)
    late = [t.params["width"] for t in study.trials[8:]]
    assert sum(0.35 < width < 0.75 for width in late) >= 7


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ([(0.0, 1.0)], "a pair an objective, but got 1 for 2"),
        ([(0.0, 1.0), (0.0, 1.0)], "to minimize an objective got .0.0, 1.0.: turn them round"),
        ([(1.0, 0.0), (1.0, 0.0)], "to maximize an objective got .1.0, 0.0.: turn them round"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(wishes: list[tuple[float, float]], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        to_wishes(wishes, BOTH)
