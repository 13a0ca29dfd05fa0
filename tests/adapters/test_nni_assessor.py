"""The assessor, called as NNI's dispatcher calls it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from foretell.errors import InvalidDataError

pytest.importorskip("nni")
pytestmark = pytest.mark.nni

from nni.assessor import AssessResult

from foretell_adapters.nni import ForetellAssessor, early_stops


def curve(best: float, n: int = 10) -> list[float]:
    """An accuracy that comes near `best`."""
    return [best * (1 - 0.5**k) for k in range(1, n + 1)]


def ended(*bests: float, sign: float = 1.0, **args: Any) -> ForetellAssessor:
    """An assessor that saw whole trials."""
    assessor = ForetellAssessor(**args)
    for i, best in enumerate(bests):
        values = [sign * v for v in curve(best)]
        for n in range(1, len(values) + 1):
            assert assessor.assess_trial(f"job{i}", values[:n]) is AssessResult.Good
        assessor.trial_end(f"job{i}", True)
    return assessor


@pytest.mark.parametrize(("mode", "sign"), [("maximize", 1.0), ("minimize", -1.0)])
def test_stops_the_hopeless_and_leaves_the_promising(mode: str, sign: float) -> None:
    assessor = ended(0.5, 0.7, 0.75, 0.8, 0.85, sign=sign, optimize_mode=mode)
    poor, good = ([sign * v for v in curve(best)] for best in (0.1, 0.9))
    assert assessor.assess_trial("good", [{"default": v} for v in good[:4]]) is AssessResult.Good
    assert [assessor.assess_trial("poor", poor[:n]).name for n in (1, 2)] == ["Good", "Bad"]
    assert assessor.assess_trial("poor", poor[:3]) is AssessResult.Good, "said once"
    assert early_stops.is_early("poor", poor[1])
    assert not early_stops.is_early("good", good[3])
    assert "5 whole curves" in repr(assessor)


def test_the_metric_of_a_stop_is_the_one_that_came_when_a_later_one_was_first() -> None:
    assessor = ended(0.5, 0.7, 0.75, 0.8, 0.85, patience=0.3)
    poor = curve(0.1)
    for n in (1, 2):  # the fourth is here, the third is not: NNI hands over those without a gap
        assert assessor.assess_trial("mixed", poor[:n]) is AssessResult.Good
    assert assessor.assess_trial("mixed", poor[:4]) is AssessResult.Bad
    assert not early_stops.is_early("mixed", poor[3])
    assert early_stops.is_early("mixed", poor[2])


def test_a_stopped_trial_teaches_no_curve() -> None:
    assessor = ended(0.5, 0.7, 0.75, 0.8, 0.85)
    assessor.assess_trial("poor", curve(0.1)[:4])
    assessor.trial_end("poor", False)
    assessor.trial_end("unknown", True)
    assert len(assessor._ended) == 5


def test_waits_for_trials_that_ended_and_for_its_share() -> None:
    assert ended(0.5, 0.7, n_startup_trials=3).assess_trial("poor", curve(0.01)[:4]) is AssessResult.Good
    patient = ended(0.5, 0.7, 0.75, 0.8, 0.85, patience=0.6)
    assert patient.assess_trial("poor", curve(0.01)[:5]) is AssessResult.Good
    assert patient.assess_trial("poor", curve(0.01)[:8]) is AssessResult.Bad


def test_a_diverged_trial_is_hopeless() -> None:
    assessor = ended(0.5, 0.7, 0.75, 0.8, 0.85, patience=0.0)
    assert assessor.assess_trial("lost", [0.3, math.nan]) is AssessResult.Bad


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"optimise_mode": "maximize"}, "got 'optimise_mode': write 'optimize_mode'"),
        ({"seed": 3}, "are optimize_mode, threshold, n_startup_trials, patience, but got 'seed': drop it"),
        ({"optimize_mode": "min"}, "optimize_mode must be 'maximize' or 'minimize', but got 'min'"),
        ({"threshold": 1.5}, r"threshold must be a number in \[0, 1\), but got 1.5: correct it"),
        ({"patience": "long"}, r"patience must be a number in \[0, 1\), but got 'long'"),
        ({"n_startup_trials": 0}, "n_startup_trials must be a whole number >= 1, but got 0"),
    ],
)
def test_wrong_settings_are_answered_with_a_sentence(args: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidDataError, match=sentence):
        ForetellAssessor(**args)


def test_bad_metric_is_answered_with_a_sentence() -> None:
    with pytest.raises(InvalidDataError, match="write e.g. nni.report_intermediate_result"):
        ForetellAssessor().assess_trial("job", [{"accuracy": 0.5}])
