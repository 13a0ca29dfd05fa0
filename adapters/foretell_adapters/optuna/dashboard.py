"""Pictures of a study for optuna-dashboard: kept in the study itself, with a note of what they say."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from foretell.errors import InvalidDataError, MissingDependencyError
from foretell.visualization import (
    plot_calibration,
    plot_importances,
    plot_pareto_front,
    plot_predicted_against_true,
    plot_slice,
)
from foretell_adapters.optuna.study_pictures import StudyPictures

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from optuna.study import Study

_SLICES = 4
_BEGIN, _END = "[//]: # (foretell begins)", "[//]: # (foretell ends)"  # links without text: nobody sees them


def save_to_dashboard(study: Study) -> list[str]:
    """Keep pictures of what is believed in a study, where optuna-dashboard shows them as graph objects and as a note.

    They are those that the dashboard does not draw itself: predicted against true values, calibration, shares of
    variance, belief along the parameters that matter most, and fronts with predicted uncertainty. Called again, it
    replaces what it wrote; the rest of the study's note stays.

    Args:
        study: The study; its storage keeps the pictures.

    Returns:
        Ids of the graph objects.

    Raises:
        MissingDependencyError: If optuna-dashboard or plotly is absent.
        InvalidDataError: If fewer than five trials are completed.
    """
    try:
        from optuna_dashboard import get_note, save_note, save_plotly_graph_object
    except ModuleNotFoundError as e:
        msg = "pictures in the dashboard need optuna-dashboard: pip install 'foretell[dashboard]'"
        raise MissingDependencyError(msg) from e
    objectives = [StudyPictures(study, i) for i in range(len(study.directions))]
    if objectives[0].surface is None:
        msg = f"a belief needs five completed trials, but the study has {len(objectives[0].completed)}: run more"
        raise InvalidDataError(msg)
    figures = {f"foretell-{place}": figure for place, figure in _figures(objectives).items()}
    for name, figure in figures.items():
        save_plotly_graph_object(study, figure, graph_object_id=name)
    save_note(study, _joined(get_note(study), _said(objectives)))
    return list(figures)


def _figures(objectives: list[StudyPictures]) -> dict[str, go.Figure]:
    found: dict[str, go.Figure] = {}
    for i, pictures in enumerate(objectives):
        found[f"{i}-predicted-against-true"] = plot_predicted_against_true(pictures.predicted_against_true())
        found[f"{i}-calibration"] = plot_calibration(pictures.calibration())
        found[f"{i}-importances"] = plot_importances(pictures.importances())
        for k, name in enumerate(list(pictures.effects)[:_SLICES]):
            found[f"{i}-slice-{k}"] = plot_slice(pictures.slice(name))
        for j in range(i):
            found[f"{j}-{i}-front"] = plot_pareto_front(objectives[j].pareto_front(i))
    if len(objectives) > 1:
        for name, figure in found.items():  # several look alike
            place = escape(objectives[int(name.split("-")[0])].label, quote=False)
            if not name.endswith("front"):
                figure.update_layout(title_text=f"{figure.layout.title.text} ({place})")
    return found


def _said(objectives: list[StudyPictures]) -> str:
    lines = ["## What foretell believes", ""]
    for pictures in objectives:
        predicted = pictures.predicted_against_true()
        first = ", ".join(f"{_plain(name)} {share:.2f}" for name, share in list(pictures.effects.items())[:3])
        lines.append(
            f"- **{_plain(pictures.label)}**: trials predicted without themselves, Kendall tau {predicted.tau:.2f}; "
            f"90 % intervals hold {100 * predicted.coverage:.0f} %. Share of the variance: {first}."
        )
    return "\n".join(lines)


def _joined(note: str, said: str) -> str:
    """The note with our part of it replaced, or put at its end."""
    ours = f"{_BEGIN}\n\n{said}\n\n{_END}"
    if _BEGIN in note and _END in note.split(_BEGIN, 1)[1]:
        before, rest = note.split(_BEGIN, 1)
        return before + ours + rest.split(_END, 1)[1]
    return f"{note}\n\n{ours}" if note.strip() else ours


def _plain(text: str) -> str:
    """A name in Markdown as it is written, and no HTML."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>&~$-])", r"\\\1", text)
