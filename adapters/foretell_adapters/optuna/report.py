"""One self-contained page about a study: what was found, what the surrogate believes, and how far it can be trusted."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import TrialState

from foretell.errors import InvalidDataError
from foretell.html_page import cell_text, html_figure, html_page, html_table
from foretell.response_surface import ResponseSurface
from foretell.surface_figures import effects_figure, held_out_figure, history_figure, slice_figure
from foretell_adapters.optuna import space as spaces
from foretell_adapters.optuna.trial_memory import TrialMemory, in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.study import Study
    from optuna.trial import FrozenTrial

_SLICES, _LISTED = 6, 50


def response_surface(study: Study, objective: int = 0) -> tuple[ResponseSurface, list[FrozenTrial]]:
    """The response surface of one objective, larger is better, over the completed trials, which come with it.

    Raises:
        InvalidDataError: If the study has no such objective, or fewer than five completed trials with a parameter.
    """
    if not 0 <= objective < len(study.directions):
        msg = f"`objective` must be 0 to {len(study.directions) - 1}, but got {objective}: choose one of the study's"
        raise InvalidDataError(msg)
    completed = [t for t in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)) if t.params]
    distributions = spaces.joint_distributions(completed)
    memory = TrialMemory()
    observations, trials = memory.observations(study, completed), in_order(completed)
    space = memory.space(study, distributions, completed)
    values = [o.values[objective] for o in observations]
    return ResponseSurface.fit(space, [o.config for o in observations], values), trials


def study_report(study: Study, title: str = "") -> str:
    """The page, as HTML.

    Args:
        study: The study; pruned and failed trials are counted, and not modelled.
        title: Heading; the study's name by default.

    Raises:
        InvalidDataError: If there are fewer than five completed trials.
        MissingDependencyError: If matplotlib is absent.
    """
    counts = {s.name.lower(): len(study.get_trials(deepcopy=False, states=(s,))) for s in TrialState}
    body = "<p>" + ", ".join(f"{n} {state}" for state, n in counts.items() if n) + " trials.</p>\n"
    body += _best(study)
    names = _labels(study)
    for objective, name in enumerate(names):
        body += _of_objective(study, objective, name, heading=len(names) > 1)
    return html_page(title or f"Study {study.study_name}", body)


def _best(study: Study) -> str:
    best = sorted(study.best_trials, key=lambda t: t.number) if study.best_trials else []
    rows = [(t.number, *t.values, _settings(t)) for t in best[:_LISTED]]
    several = f"Trials that no other beats in all objectives ({len(best)})"
    caption = "Best trial" if len(study.directions) == 1 else several
    return "<h2>Result</h2>\n" + html_table(caption, ("trial", *_labels(study), "parameters"), rows)


def _of_objective(study: Study, objective: int, name: str, *, heading: bool) -> str:
    sign = 1.0 if study.directions[objective] == StudyDirection.MAXIMIZE else -1.0
    surface, trials = response_surface(study, objective)
    values = np.array([sign * t.values[objective] for t in trials])
    effects = surface.total_effects()
    belief = surface.held_out()
    tau, inside = belief.agreement(surface.values)
    level = "h3" if heading else "h2"
    top = [n for n in effects if any(n in c for c in surface.configs)][:_SLICES]
    direction = "larger is better" if sign > 0 else "smaller is better"
    parts = [
        f"<h2>{escape(name)}</h2>\n" if heading else "",
        f"<{level}>Progress</{level}>\n",
        html_figure({f"{name} of every trial, and the best so far": history_figure(values, sign, name)},
                    f"{len(values)} completed trials; {direction}."),
        f"<{level}>Which parameters matter</{level}>\n",
        html_figure({"Share of variance by parameter": effects_figure(effects)},
                    "What the surrogate believes; interactions count for each of their parameters."),
        html_table("Parameters, the most important first", ("parameter", "share of variance", "best trial"),
                   [(n, effects[n], surface.best.get(n, "inactive")) for n in effects]),
        f"<{level}>What the surrogate believes</{level}>\n",
        html_figure({f"Belief along {n}": slice_figure(surface, n, sign, name) for n in top},
                    "Line or dot: mean, all others as in the best trial; pale: 90 % interval; orange: trials."),
        f"<{level}>How far it can be trusted</{level}>\n",
        html_figure({f"Predicted against true {name}": held_out_figure(surface.values, belief, sign, name)},
                    f"Each trial predicted without itself, five folds: Kendall tau {tau:.2f}, and the 90 % intervals "
                    f"hold {100 * inside:.0f} % of the true values."),
    ]  # fmt: skip
    return "".join(parts) + _listed(trials, values, objective, name, level)


def _listed(trials: Sequence[FrozenTrial], values: np.ndarray, objective: int, name: str, level: str) -> str:
    order = sorted(range(len(trials)), key=lambda i: -values[i])[:_LISTED]
    rows = [(trials[i].number, trials[i].values[objective], _settings(trials[i])) for i in order]
    table = html_table(f"The best {len(rows)} by {name}", ("trial", name, "parameters"), rows)
    return f"<{level}>Trials</{level}>\n{table}"


def _labels(study: Study) -> list[str]:
    given = study.metric_names
    if given:
        return list(given)
    return ["objective"] if len(study.directions) == 1 else [f"objective {i}" for i in range(len(study.directions))]


def _settings(trial: FrozenTrial) -> str:
    return ", ".join(f"{name} = {cell_text(value)}" for name, value in trial.params.items())
