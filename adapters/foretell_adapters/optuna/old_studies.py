"""Old studies as sources of knowledge: which there are, and which of them speak of what a new study asks."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import optuna
from optuna.logging import get_logger
from optuna.storages import BaseStorage, get_storage
from optuna.study import Study, StudyDirection
from optuna.trial import TrialState

from foretell import Observation
from foretell.conditions import infer_conditions
from foretell.errors import InvalidDataError
from foretell.transfer import Source, Sources
from foretell_adapters.optuna import space as spaces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    OldStudies: TypeAlias = Study | BaseStorage | str | Sequence[Study | BaseStorage | str]

_logger = get_logger(__name__)
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
ATTRIBUTE = "foretell:sources"
TASK = "foretell:task"
"""User attribute of a study: what is known of its task beforehand, numbers and words by name."""
_ATTRIBUTE_LENGTH = 2000  # an RDB storage holds little more


@dataclass(frozen=True)
class OldStudy:
    """One study that was read, as it was then.

    Args:
        source: What it knows; objectives in its own order, larger is better.
        directions: Of its objectives.
        metric_names: Of its objectives, None if it has none.
        began: When its first trial began.
        given: Whether it was given itself, rather than found in a storage.
    """

    source: Source
    directions: tuple[StudyDirection, ...]
    metric_names: tuple[str, ...] | None
    began: datetime | None
    given: bool


def read_old_studies(given: OldStudies) -> tuple[OldStudy, ...]:
    """Read studies, or all studies of a storage; what happens to them later has no effect.

    Args:
        given: A study, a storage or its URL, or several of these.

    Raises:
        InvalidDataError: If one is none of these, a file of SQLite is not there, a study that was given itself has
            fewer than one finished trial, or a storage has no study with one.
    """
    found: list[OldStudy] = []
    for one in given if isinstance(given, list | tuple) else (given,):
        if isinstance(one, Study):
            old = _read(one, given=True)
            if old is None:
                msg = (
                    f"a source needs finished trials with a value, but study {one.study_name!r} has none: leave it out"
                )
                raise InvalidDataError(msg)
            found.append(old)
        elif isinstance(one, str | BaseStorage):
            inside = [old for study in _studies(one) if (old := _read(study, given=False)) is not None]
            if not inside:
                msg = f"a storage of sources needs a study with finished trials, but {one!r} has none: name another"
                raise InvalidDataError(msg)
            found += inside
        else:
            msg = f"a source must be a study, a storage or its URL, but got {one!r}: give `optuna.load_study(...)`"
            raise InvalidDataError(msg)
    return tuple(found)


def sources_for(study: Study, old: Sequence[OldStudy]) -> Sources:
    """Those studies that have the objectives of the present one, without itself.

    Of one objective, the direction does not matter: values are turned so that larger is better. Several are matched by
    their names where both studies have names, else by their order, and then the directions must agree.

    Args:
        study: The present study.
        old: What was read.

    Raises:
        InvalidDataError: If a study that was given itself has other objectives.
    """
    study = getattr(study, "_study", study)  # Hyperband's pruner hands on one that hides names and attributes
    first = study.get_trials(deepcopy=False)[:1]
    began = first[0].datetime_start if first else None
    found: list[Source] = []
    taken: set[str] = set()
    for each in old:
        if each.source.name == study.study_name and each.began == began:
            continue  # a study that goes on is no source of its own
        order = _order(study, each)
        if order is None:
            if each.given:
                msg = (
                    f"a source needs the study's objectives {_objectives(study.directions, study.metric_names)}, but "
                    f"{each.source.name!r} has {_objectives(each.directions, each.metric_names)}: leave it out"
                )
                raise InvalidDataError(msg)
            continue
        name = each.source.name
        while name in taken:
            name += "'"
        taken.add(name)
        turned = [
            Observation(o.config, tuple(o.values[i] for i in order), o.constraints, o.partial)
            for o in each.source.observations
        ]
        found.append(Source(name, each.source.space, tuple(turned), each.source.task))
    if old and not found:
        objectives = _objectives(study.directions, study.metric_names)
        _logger.warning(f"No study among the {len(old)} sources has the objectives {objectives}; none is used.")
    return Sources(found, task_of(study))


def named_apart(old: Sequence[OldStudy]) -> list[Source]:
    """What every study knows, names made different; larger is better in all of them, as in each.

    Args:
        old: What was read, of one objective each.
    """
    found: list[Source] = []
    for each in old:
        name = each.source.name
        while name in {source.name for source in found}:
            name += "'"
        found.append(replace(each.source, name=name))
    return found


def weights_attribute(weights: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Weights as a trial's user attribute: numbers, or lists for several objectives; as many as a storage holds."""
    rounded = {
        name: round(each[0], 3) if len(each) == 1 else [round(v, 3) for v in each] for name, each in weights.items()
    }
    least = sorted((n for n in rounded if n != "sources"), key=lambda n: max(map(abs, weights[n])))
    while len(json.dumps(rounded)) > _ATTRIBUTE_LENGTH and least:
        del rounded[least.pop(0)]
    return rounded


def _studies(storage: str | BaseStorage) -> Iterator[Study]:
    if isinstance(storage, str):
        path = storage.removeprefix("sqlite:///")
        if path != storage and path and not path.startswith(":memory:") and not Path(path.split("?")[0]).is_file():
            msg = f"a storage of sources must be there, but {path} is not: correct the URL"
            raise InvalidDataError(msg)
        storage = get_storage(storage)
    for frozen in storage.get_all_studies():
        yield optuna.load_study(study_name=frozen.study_name, storage=storage)


def _read(study: Study, *, given: bool) -> OldStudy | None:
    """A study's finished trials; None if none has a value and parameters."""
    trials = study.get_trials(deepcopy=False, states=_FINISHED)
    configs = [spaces.to_config(t.params) for t in trials]
    seen = [spaces.to_observation(t, study.directions, c) for t, c in zip(trials, configs, strict=True)]
    observations = tuple(o for o in seen if o is not None)
    distributions = {n: spaces.to_distribution(d) for n, d in spaces.joint_distributions(trials).items()}
    if not observations or not distributions:
        return None
    every = study.get_trials(deepcopy=False)
    return OldStudy(
        Source(study.study_name, infer_conditions(distributions, configs), observations, task_of(study)),
        tuple(study.directions),
        None if study.metric_names is None else tuple(study.metric_names),
        every[0].datetime_start,
        given,
    )


def task_of(study: Study) -> dict[str, float | str]:
    """What a study's user attributes say of its task; nothing by default.

    Raises:
        InvalidDataError: If they say something else than numbers and words.
    """
    task = study.user_attrs.get(TASK, {})
    if not isinstance(task, dict) or not all(isinstance(v, int | float | str) for v in task.values()):
        msg = (
            f"a study's user attribute {TASK!r} must name numbers or words, but study {study.study_name!r} has {task!r}"
            ': write e.g. {"rows": 1728, "classes": 4}'
        )
        raise InvalidDataError(msg)
    return task


def _order(study: Study, old: OldStudy) -> list[int] | None:
    """For each objective of the study, which of the old one's it is; None if they are others."""
    names, there = study.metric_names, old.metric_names
    if len(study.directions) != len(old.directions):
        return None
    if len(study.directions) == 1:
        return [0]
    if names is not None and there is not None:
        return [there.index(n) for n in names] if set(names) == set(there) else None
    return list(range(len(study.directions))) if tuple(study.directions) == old.directions else None


def _objectives(directions: Sequence[StudyDirection], names: Sequence[str] | None) -> str:
    return str(
        [f"{n}: {d.name.lower()}" for n, d in zip(names or ["value"] * len(directions), directions, strict=True)]
    )
