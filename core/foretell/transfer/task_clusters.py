"""Clusters of earlier tasks with defaults of their own, to be kept in a file: where to begin on a task like these.

    clusters = TaskClusters.from_sources(sources)
    clusters.save("defaults.json")
    TaskClusters.load("defaults.json").for_task({"rows": 1728, "classes": 4}).configurations[0]

`Sources` weigh every old study anew for the present one, and must be at hand; this keeps what they come to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from foretell.distributions import Value
from foretell.errors import InvalidDataError, InvalidSearchSpaceError
from foretell.proposals import local_edits
from foretell.search_space import SearchSpace
from foretell.search_space_json import space_from_json, space_to_json
from foretell.transfer.joint_space import joint_space
from foretell.transfer.nearness import TaskDescription, task_distances
from foretell.transfer.portfolio import portfolio
from foretell.transfer.shared_parameters import SharedParameters
from foretell.transfer.source_surrogate import SourceSurrogate
from foretell.transfer.task_grouping import TaskEvidence, nearest_group
from foretell.transfer.trust import mutual_agreements, own_agreements, uncontradicted
from foretell.unit_cube import UnitCube
from foretell.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.transfer.source import Source

Config: TypeAlias = Mapping[str, Value]
_FORM = "foretell task defaults 1"
_SEED = 8
_BEST, _EDITS, _RANDOM = 10, 40, 256  # of every study, of every study's best, and from anywhere


@dataclass(frozen=True)
class TaskCluster:
    """Tasks that are served by the same configurations.

    Args:
        names: Of their studies.
        tasks: Their descriptions, one a study.
        configurations: Best first; of a few one is good whichever of the tasks the new one is like.

    Raises:
        InvalidDataError: If there are no tasks, not one description a study, or no configurations.
    """

    names: tuple[str, ...]
    tasks: tuple[TaskDescription, ...]
    configurations: tuple[Config, ...]

    def __post_init__(self) -> None:
        for name in ("names", "tasks", "configurations"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.names or len(self.names) != len(self.tasks) or not self.configurations:
            msg = (
                "a cluster needs tasks, a name and a description of each, and a configuration, but got "
                f"{len(self.names)} names, {len(self.tasks)} descriptions and {len(self.configurations)} "
                "configurations: learn it from studies again"
            )
            raise InvalidDataError(msg)
        object.__setattr__(self, "tasks", tuple(MappingProxyType(dict(task)) for task in self.tasks))
        object.__setattr__(self, "configurations", tuple(MappingProxyType(dict(c)) for c in self.configurations))


@dataclass(frozen=True)
class TaskDefault:
    """Where to begin on one task.

    Args:
        cluster: Which of the clusters it falls in; None if it is near none, so that these are the defaults of all.
        names: Studies from which the configurations come.
        configurations: Best first.
    """

    cluster: int | None
    names: tuple[str, ...]
    configurations: tuple[Config, ...]


@dataclass(frozen=True)
class TaskClusters:
    """Clusters, and the defaults of all tasks together.

    Args:
        space: Of the configurations; holds everything that any of the studies searched.
        clusters: One or more.
        everywhere: Configurations for a task that is near no cluster, best first.
        gain: How much better the clusters' first configuration was than one for all, on tasks that were left out, in
            normal scores of a study; 0 if there is one cluster.
    """

    space: SearchSpace
    clusters: tuple[TaskCluster, ...]
    everywhere: tuple[Config, ...]
    gain: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "clusters", tuple(self.clusters))
        whole = TaskCluster(self.names, tuple(t for c in self.clusters for t in c.tasks), self.everywhere)
        object.__setattr__(self, "everywhere", whole.configurations)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all studies, cluster by cluster."""
        return tuple(name for cluster in self.clusters for name in cluster.names)

    @classmethod
    def from_sources(cls, sources: Sequence[Source], n: int = 5) -> TaskClusters:
        """Learn clusters and defaults; their number is what served tasks best that were left out, see `TaskEvidence`.

        A study that shares nothing with the others, or has fewer than four distinct results, is left out. The same
        sources give the same clusters.

        Args:
            sources: Earlier studies of one objective, with descriptions of their tasks.
            n: Configurations to keep of each cluster.

        Raises:
            InvalidDataError: If none of them tells anything, they have several objectives, `n` is below 1, or
                descriptions do not go together.
        """
        if n < 1 or any(source.n_objectives != 1 for source in sources):
            counts = sorted({source.n_objectives for source in sources})
            msg = f"defaults are of one objective, and one or more, but got {counts} and {n=}: give other studies"
            raise InvalidDataError(msg)
        space = joint_space([source.space for source in sources]) if sources else SearchSpace({})
        fitted = [(SourceSurrogate.fit(s, space, s.targets(0)), s.task) for s in sources]
        known = [(surrogate, task) for surrogate, task in fitted if surrogate is not None]
        if not known:
            msg = f"defaults need a study with four distinct results or more, but got {len(sources)} without: run one"
            raise InvalidDataError(msg)
        surrogates, tasks = [surrogate for surrogate, _ in known], [task for _, task in known]
        own = own_agreements(surrogates)
        between = mutual_agreements(surrogates, range(len(own)))
        rng = np.random.default_rng(_SEED)
        rows, origin = _candidates(surrogates, space, rng)
        evidence = TaskEvidence(
            task_distances(tasks), own, between, np.stack([s.mean(rows) for s in surrogates]), origin
        )  # fmt: skip

        def best(members: Sequence[int]) -> tuple[Config, ...]:
            weights = uncontradicted(own[list(members)], between[np.ix_(members, members)])
            weights = weights if weights.any() else np.ones(len(members))
            found = portfolio([surrogates[i] for i in members], weights, space, n, np.random.default_rng(_SEED))
            return tuple(space.from_unit(row) for row in found)

        groups, gain = evidence.groups()
        clusters = [
            TaskCluster(tuple(surrogates[i].name for i in g), tuple(tasks[i] for i in g), best(g)) for g in groups
        ]
        everywhere = best(range(len(own))) if len(groups) > 1 else clusters[0].configurations
        return cls(space, tuple(clusters), everywhere, gain)

    def for_task(self, task: TaskDescription, space: SearchSpace | None = None) -> TaskDefault:
        """Where to begin on a task.

        A task belongs to the cluster whose tasks it is nearest to in the mean. It is near none if it shares no item
        with any of them, or is as far from the nearest of them as the two are that are farthest apart.

        Args:
            task: Its description, see `task_distances`.
            space: What it lets be varied: configurations then have the nearest values that it allows, those that
                become equal once, and parameters that no study had are absent.

        Raises:
            InvalidDataError: If its description does not go together with the others, or the space shares no
                parameter with the studies.
        """
        known = [told for cluster in self.clusters for told in cluster.tasks]
        distances = task_distances([task, *known])
        ends = np.cumsum([0, *(len(cluster.names) for cluster in self.clusters)]).tolist()
        groups = tuple(tuple(range(a, b)) for a, b in pairwise(ends))
        away = distances[0, 1:]
        near = nearest_group(away, groups)
        if near is not None and 0.0 < float(np.nanmin(away)) >= float(np.nanmax(distances[1:, 1:])):
            near = None
        if near is None:
            found = TaskDefault(None, self.names, self.everywhere)
        else:
            found = TaskDefault(near, self.clusters[near].names, self.clusters[near].configurations)
        return found if space is None else replace(found, configurations=self._carried(found.configurations, space))

    def _carried(self, configurations: Sequence[Config], space: SearchSpace) -> tuple[Config, ...]:
        shared = SharedParameters.between(space, self.space)
        if not len(shared):
            msg = f"defaults for {self.space.names} say nothing of {space.names}: name a parameter as the studies did"
            raise InvalidDataError(msg)
        different: list[Config] = []
        for config in map(shared.to_target, configurations):
            if config not in different:
                different.append(config)
        return tuple(different)

    def save(self, path: str | Path) -> None:
        """Write them to a JSON file, which replaces what was there.

        Raises:
            WriteError: If it cannot be written.
        """
        stored = {
            "form": _FORM,
            "space": space_to_json(self.space),
            "clusters": [
                {"names": c.names, "tasks": [dict(t) for t in c.tasks],
                 "configurations": [dict(config) for config in c.configurations]} for c in self.clusters
            ],
            "everywhere": [dict(config) for config in self.everywhere],
            "gain": self.gain,
        }  # fmt: skip
        write_whole({Path(path): json.dumps(stored, indent=1) + "\n"})

    @classmethod
    def load(cls, path: str | Path) -> TaskClusters:
        """Read what `save` wrote.

        Raises:
            InvalidDataError: If the file is absent or holds something else.
        """
        try:
            stored = json.loads(Path(path).read_text(encoding="utf-8"))
            if stored["form"] != _FORM:
                raise ValueError(f"its form is {stored['form']!r}")
            space = space_from_json(stored["space"])
            clusters = tuple(
                TaskCluster(
                    tuple(_text(name) for name in c["names"]),
                    tuple(_task(task) for task in c["tasks"]),
                    tuple(_config(config, space) for config in c["configurations"]),
                )
                for c in stored["clusters"]
            )
            everywhere = tuple(_config(config, space) for config in stored["everywhere"])
            return cls(space, clusters, everywhere, _finite(stored["gain"]))
        except (
            OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidSearchSpaceError
        ) as e:  # fmt: skip
            msg = f"stored defaults must be a file of form {_FORM!r}, but {path} is not ({e!r}): save them again"
            raise InvalidDataError(msg) from e


def _candidates(
    surrogates: Sequence[SourceSurrogate], space: SearchSpace, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Configurations that might serve, and of which study each was among the best, or an edit of these."""
    cube = UnitCube(space)
    rows, origin = [cube.sample(_RANDOM, rng)], [np.full(_RANDOM, -1)]
    for k, surrogate in enumerate(surrogates):
        best = surrogate.best(_BEST)
        best = cube.snap(np.where(np.isnan(best), rng.random(best.shape), best))
        rows += [best, local_edits(cube, best, _EDITS, rng)]
        origin += [np.full(len(rows[-2]) + len(rows[-1]), k)]
    return np.concatenate(rows), np.concatenate(origin)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a name is {value!r}")
    return value


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"a number is {value!r}")
    return float(value)


def _task(stored: Any) -> TaskDescription:
    return {_text(name): v if isinstance(v, str) else _finite(v) for name, v in stored.items()}


def _config(stored: Any, space: SearchSpace) -> Config:
    if not isinstance(stored, dict) or not space.contains(stored):
        raise ValueError(f"{stored!r} is no configuration of its space")
    return stored
