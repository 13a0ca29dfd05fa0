"""Pictures of studies: empty ones, short ones, several objectives, and what cannot be drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from foretell.errors import InvalidDataError
from foretell_adapters.optuna import visualization
from foretell_adapters.optuna.study_surface import response_surface
from foretell_adapters.optuna.visualization import StudyPictures, cost_comparison
from foretell_adapters.optuna.visualization import matplotlib as twins

pytest.importorskip("plotly.graph_objects")
pytest.importorskip("matplotlib")
X = optuna.distributions.FloatDistribution(0, 1)
BELIEFS = ("plot_predicted_against_true", "plot_calibration", "plot_importances", "plot_history")


def trial(
    x: float, *values: float, curve: dict[int, float] | None = None, state: TrialState = TrialState.COMPLETE
) -> FrozenTrial:
    named = {"params": {"x": x}, "distributions": {"x": X}, "intermediate_values": curve or {}}
    return create_trial(values=values or None, state=state, **named)


def study_of(trials: list[FrozenTrial], *directions: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=directions or ["minimize"])
    study.add_trials(trials)
    return study


@pytest.fixture(scope="module")
def study() -> optuna.Study:
    """Ten curves from 2 x down to x, the last one half seen."""
    xs = np.linspace(0.05, 0.95, 10)[[3, 0, 7, 5, 9, 1, 8, 2, 6, 4]].tolist()
    trials = [trial(x, x, curve={s: x * (1 + 1 / s) for s in range(1, 9)}) for x in xs]
    half = trial(0.5, curve={s: 0.5 * (1 + 1 / s) for s in range(1, 5)}, state=TrialState.RUNNING)
    return study_of([*trials, half])


@pytest.fixture(scope="module")
def two() -> optuna.Study:
    return study_of([trial(i / 7, i / 7, (1 - i / 7) ** 2) for i in range(8)], "minimize", "maximize")


def drawn(name: str, *arguments: object) -> tuple[list[str], list[str]]:
    """What both drawings write, as titles and notes."""
    figure, axes = getattr(visualization, name)(*arguments), getattr(twins, name)(*arguments)
    plotly = [figure.layout.title.text, *(a.text for a in figure.layout.annotations)]
    return plotly, [axes.get_title(loc="left"), *(t.get_text() for t in axes.texts)]


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("name", [*BELIEFS, "plot_curve_forecast"])
def test_with_no_trial_or_one_there_is_a_picture(n: int, name: str) -> None:
    plotly, matplotlib = drawn(name, study_of([trial(0.5, 1.0)] * n))
    assert plotly == matplotlib
    assert len(plotly) == (1 if (name, n) == ("plot_history", 1) else 2)  # one trial is a history


def test_the_others_with_no_trial_or_one() -> None:
    for trials in ([], [trial(0.5, 1.0)]):
        assert drawn("plot_slice", study_of(trials), "x")[0] == ["Belief along x", "nothing is believed yet"]
        assert drawn("plot_cost", {"a": study_of(trials)})[0][0] == "objective against seconds"
    for trials, written in (([], 2), ([trial(0.5, 1.0, 2.0)], 1)):  # one trial is a front
        assert len(drawn("plot_pareto_front", study_of(trials, "minimize", "minimize"))[0]) == written
    assert drawn("plot_cost", {})[0][1] == "no trial is finished yet"


def test_pictures_are_those_of_the_surface(study: optuna.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.response_surface._FOLDS", 2)  # quicker
    pictures = StudyPictures(study)
    surface, trials = response_surface(study)
    assert pictures.sign == -1.0
    predicted = pictures.predicted_against_true()
    assert predicted.truth.tolist() == [t.values[0] for t in trials]
    np.testing.assert_array_equal(predicted.mean, -surface.held_out().mean)
    assert pictures.calibration().n == 10
    assert pictures.importances().names == ("x",)
    assert pictures.history().best.tolist() == np.minimum.accumulate([t.values[0] for t in trials])[[0, 1, -1]].tolist()
    np.testing.assert_array_equal(pictures.slice("x").mean, -surface.slice("x")[1].mean)
    assert drawn("plot_history", study) == (["Progress"], ["Progress"])


def test_several_objectives(two: optuna.Study) -> None:
    front = StudyPictures(two, 1).pareto_front(0)
    assert front.labels == ("objective 1", "objective 0")
    assert front.values.tolist() == [[t.values[1], t.values[0]] for t in two.trials]
    assert len(front.front) == 1  # x = 0 is best in both
    assert len(front.mean) >= 1
    assert (front.low <= front.high).all()
    assert visualization.plot_pareto_front(two).layout.title.text == "objective 1 against objective 0"
    assert drawn("plot_history", two, 1)[0] == ["Progress"]
    assert StudyPictures(two, 1).history().best[-1] == 1.0


def test_a_curve_is_foretold(study: optuna.Study) -> None:
    latest = StudyPictures(study).curve_forecast()
    assert latest.steps.tolist() == [1, 2, 3, 4]
    assert latest.values[-1] == pytest.approx(0.625)
    assert latest.bands[2, -1] == pytest.approx(0.55, abs=0.1)  # runs lose more from here, the higher they are
    assert latest.best == pytest.approx(0.05)
    finished = StudyPictures(study).curve_forecast(3)
    assert not len(finished.ahead)
    assert len(finished.others) == 9  # not itself
    assert drawn("plot_curve_forecast", study)[0] == ["Learning curve and forecast"]


def test_costs_are_those_of_the_trials() -> None:
    one, other = (study_of([trial(0.5, v) for v in values]) for values in ([3.0, 1.0, 2.0], [2.0, 2.0, 0.5]))
    other.add_trial(trial(0.5, state=TrialState.FAIL))
    found = cost_comparison({"a": [one, other], "b": one}, lambda _: 2.0, unit="epochs")
    assert found.samplers[0].cost.tolist() == [2.0, 4.0, 6.0]
    assert found.samplers[0].median.tolist() == [2.5, 1.5, 0.75]
    assert found.unit == "epochs"
    assert found.samplers[1].runs == 1
    assert cost_comparison({"a": one}).samplers[0].cost[-1] == pytest.approx(
        sum(t.duration.total_seconds() for t in one.trials)
    )


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda s, t: visualization.plot_history(s, 1), "`objective` must be 0 to 0, but got 1"),
        (lambda s, t: visualization.plot_slice(s, "y"), "some trial had, but 'y' is none"),
        (lambda s, t: StudyPictures(study_of([trial(0.5, 1.0)])).slice("y"), r"'y' is none: choose one of \['x'\]"),
        (lambda s, t: visualization.plot_pareto_front(s), "has two objectives of a study, but got 0 and 1 of 1"),
        (lambda s, t: visualization.plot_pareto_front(t, (1, 1)), "but got 1 and 1 of 2: name two"),
        (lambda s, t: visualization.plot_curve_forecast(t), "curves of one objective, but this study has 2"),
        (lambda s, t: visualization.plot_curve_forecast(s, 99), "named by its number, 0 to 10, but got 99"),
        (lambda s, t: visualization.plot_cost({"a": s, "b": study_of([], "maximize")}), "have one direction, but got"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(study: optuna.Study, two: optuna.Study, draw: Callable, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        draw(study, two)


def test_every_picture_has_a_twin() -> None:
    names = {name for name in visualization.__all__ if name.startswith("plot_")}
    assert names == {name for name in dir(twins) if name.startswith("plot_")}
