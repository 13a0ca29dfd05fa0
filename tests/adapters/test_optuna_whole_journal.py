"""A journal that a full disk does not make unreadable."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from foretell_adapters.optuna import WholeJournalBackend

sys.path.insert(0, str(Path(__file__).parents[1]))
from full_disk import full_after

optuna.logging.set_verbosity(optuna.logging.ERROR)


def room_for(more: int, path: Path) -> AbstractContextManager[None]:
    return full_after(path.stat().st_size + more)


def study_in(path: Path, backend: type[JournalFileBackend] = WholeJournalBackend) -> optuna.Study:
    sampler = optuna.samplers.RandomSampler(seed=0)
    storage = JournalStorage(backend(str(path)))
    return optuna.create_study(study_name="s", storage=storage, sampler=sampler, load_if_exists=True)


def objective(trial: optuna.Trial) -> float:
    return trial.suggest_float("x", 0, 1)


def go_on(study: optuna.Study) -> None:
    while True:
        trial = study.ask()
        study.tell(trial, objective(trial))


def test_no_half_line_stays_and_the_study_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "s.log"
    study = study_in(path)
    study.optimize(objective, n_trials=2)
    for more in (0, 1, 20, 150, 300, 450):
        with room_for(more, path), pytest.raises(OSError, match="File too large"):
            go_on(study)
        assert path.read_bytes().endswith(b"\n")
    study.optimize(objective, n_trials=2)
    again = study_in(path, JournalFileBackend)
    assert [t.value for t in again.trials if t.value is not None] == [
        t.value for t in study.trials if t.value is not None
    ]
    assert sum(t.state == optuna.trial.TrialState.COMPLETE for t in again.trials) >= 4


@pytest.mark.parametrize("torn", ['{"op_code":4,"work', "x" * 10_000])
def test_half_a_line_of_others_is_cut_off(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "s.log"
    study_in(path).optimize(objective, n_trials=2)
    with path.open("a") as file:
        file.write(torn)
    study_in(path).optimize(objective, n_trials=1)
    assert len(study_in(path, JournalFileBackend).trials) == 3


def test_optunas_own_backend_needs_it(tmp_path: Path) -> None:
    """Should this fail one day, Optuna has mended its own, and ours can go."""
    path = tmp_path / "s.log"
    study = study_in(path, JournalFileBackend)
    study.optimize(objective, n_trials=2)
    with room_for(20, path), pytest.raises(OSError, match="File too large"):
        go_on(study)
    with pytest.raises(ValueError, match="Extra data|Expecting|delimiter|Invalid"):
        study_in(path, JournalFileBackend).optimize(objective, n_trials=2)
    with pytest.raises(ValueError, match="Extra data|Expecting|delimiter|Invalid"):
        study_in(path, JournalFileBackend)
