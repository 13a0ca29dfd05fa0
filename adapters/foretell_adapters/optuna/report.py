"""One self-contained page about a study: what was found, what the surrogate believes, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from itertools import combinations
from typing import TYPE_CHECKING

from optuna.trial import TrialState

from foretell.errors import InvalidDataError
from foretell.html_page import cell_text, html_page, html_table
from foretell.visualization.html_charts import html_charts
from foretell_adapters.optuna.study_pictures import StudyPictures
from foretell_adapters.optuna.study_surface import objective_names, response_surface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.study import Study
    from optuna.trial import FrozenTrial

_SLICES, _LISTED, _FRONTS, _CURVES = 6, 50, 3, 4

__all__ = ["response_surface", "study_report"]


def study_report(study: Study, title: str = "") -> str:
    """The page, as HTML.

    Args:
        study: The study; pruned and failed trials are counted, and not modelled.
        title: Heading; the study's name by default.

    Raises:
        InvalidDataError: If there are fewer than five completed trials, or a name or a choice is no sound text.
        MissingDependencyError: If matplotlib is absent.
    """
    _check_texts(study)
    counts = {s.name.lower(): len(study.get_trials(deepcopy=False, states=(s,))) for s in TrialState}
    body = "<p>" + ", ".join(f"{n} {state}" for state, n in counts.items() if n) + " trials.</p>\n"
    body += _best(study)
    names = objective_names(study)
    pictures = [StudyPictures(study, objective) for objective in range(len(names))]
    parts = [_of_objective(of_one, heading=len(names) > 1) for of_one in pictures]
    body += _fronts(pictures) + "".join(parts) + (_unfinished(pictures[0]) if len(names) == 1 else "")
    return html_page(title or f"Study {study.study_name}", body)


def _check_texts(study: Study) -> None:
    """A journal file can hold halves of characters, which nothing can draw."""
    trials = study.get_trials(deepcopy=False)
    texts = {study.study_name, *objective_names(study)}
    texts |= {text for t in trials for pair in t.params.items() for text in pair if isinstance(text, str)}
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as e:
            msg = f"names and choices of a study must be text that can be encoded, but got {text!a:.80}: rename it"
            raise InvalidDataError(msg) from e


def _best(study: Study) -> str:
    best = sorted(study.best_trials, key=lambda t: t.number) if study.best_trials else []
    rows = [(t.number, *t.values, _settings(t)) for t in best[:_LISTED]]
    several = f"Trials that no other beats in all objectives ({len(best)})"
    caption = "Best trial" if len(study.directions) == 1 else several
    return "<h2>Result</h2>\n" + html_table(caption, ("trial", *objective_names(study), "parameters"), rows)


def _of_objective(pictures: StudyPictures, *, heading: bool) -> str:
    surface, trials = response_surface(pictures.study, pictures.objective)
    pictures.surface = surface
    name, effects = pictures.label, pictures.effects
    predicted, calibration = pictures.predicted_against_true(), pictures.calibration()
    level = "h3" if heading else "h2"
    top = [n for n in effects if any(n in c for c in surface.configs)][:_SLICES]
    direction = "larger is better" if pictures.sign > 0 else "smaller is better"
    parts = [
        f"<h2>{escape(name)}</h2>\n" if heading else "",
        f"<{level}>Progress</{level}>\n",
        html_charts([pictures.history().chart()], f"{len(trials)} completed trials; {direction}."),
        f"<{level}>Which parameters matter</{level}>\n",
        html_charts(
            [pictures.importances().chart()],
            "What the surrogate believes; interactions count for each of their parameters.",
        ),
        html_table(
            f"Parameters by what they matter to {name}",
            ("parameter", "share of variance", "best trial"),
            [(n, effects[n], surface.best.get(n, "inactive")) for n in effects],
        ),
        f"<{level}>What the surrogate believes</{level}>\n",
        html_charts(
            [pictures.slice(n).chart() for n in top],
            "Line or dot: mean, all others as in the best trial; pale: 90 % interval; orange: trials.",
        ),
        f"<{level}>How far it can be trusted</{level}>\n",
        html_charts(
            [predicted.chart(), calibration.chart()],
            f"Each trial predicted without itself, five folds: Kendall tau {predicted.tau:.2f}, and the 90 % intervals "
            f"hold {100 * predicted.coverage:.0f} % of the true values.",
        ),
    ]
    return "".join(parts) + _listed(trials, pictures, level)


def _fronts(pictures: Sequence[StudyPictures]) -> str:
    """A picture for each pair of objectives, of the first three."""
    pairs = [(one, other) for one, other in combinations(range(len(pictures)), 2) if other < _FRONTS]
    if not pairs:
        return ""
    charts = [pictures[one].pareto_front(other).chart() for one, other in pairs]
    return "<h2>Objectives against each other</h2>\n" + html_charts(
        charts, "Orange: trials that no other beats in both; blue: what the surrogate believes in, with 90 % intervals."
    )


def _unfinished(pictures: StudyPictures) -> str:
    """Forecasts for the curves of trials that run."""
    running = pictures.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    begun = [t for t in running if t.intermediate_values][-_CURVES:]
    if not begun:
        return ""
    charts = [replace(pictures.curve_forecast(t).chart(), title=f"Trial {t.number}") for t in begun]
    return "<h2>Trials that run</h2>\n" + html_charts(
        charts, f"Reports so far of {_numbers(begun)}, and how they may go on."
    )


def _numbers(trials: Sequence[FrozenTrial]) -> str:
    return f"trial{'s' if len(trials) > 1 else ''} " + ", ".join(str(t.number) for t in trials)


def _listed(trials: Sequence[FrozenTrial], pictures: StudyPictures, level: str) -> str:
    name, objective = pictures.label, pictures.objective
    best = sorted(trials, key=lambda t: -pictures.sign * t.values[objective])[:_LISTED]
    rows = [(t.number, t.values[objective], _settings(t)) for t in best]
    table = html_table(f"The best {len(rows)} by {name}", ("trial", name, "parameters"), rows)
    return f"<{level}>Trials</{level}>\n{table}"


def _settings(trial: FrozenTrial) -> str:
    return ", ".join(f"{name} = {cell_text(value)}" for name, value in trial.params.items())
