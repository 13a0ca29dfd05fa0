"""Defaults for clusters of tasks, learnt from old studies, kept in a file, and tried first in a new study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna.logging import get_logger

from foretell import SearchSpace
from foretell.transfer import TaskClusters
from foretell_adapters.optuna import space as spaces
from foretell_adapters.optuna.old_studies import named_apart, read_old_studies, task_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from optuna.distributions import BaseDistribution
    from optuna.study import Study

    from foretell.transfer.nearness import TaskDescription
    from foretell.transfer.task_clusters import TaskDefault
    from foretell_adapters.optuna.old_studies import OldStudies

_logger = get_logger(__name__)
ATTRIBUTE = "foretell:cluster"


@dataclass(frozen=True)
class TaskDefaults:
    """Where to begin on a task, by what is known of it beforehand.

    Old studies say what their task is by the user attribute `foretell:task`, numbers and words by name, and so does the
    new one. Those whose best settings serve each other fall in one cluster with defaults of its own, as far as tasks
    that are left out are served better that way; else there is one default for all.

    Args:
        clusters: What was learnt.

    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> studies = []
    >>> for rows in (100, 200, 300, 40_000, 50_000, 60_000):
    ...     study = optuna.create_study(study_name=f"{rows} rows", sampler=optuna.samplers.RandomSampler(seed=rows))
    ...     study.set_user_attr("foretell:task", {"rows": rows})
    ...     at = 0.1 if rows > 1000 else 0.8
    ...     study.optimize(lambda trial: (trial.suggest_float("x", 0, 1) - at) ** 2, n_trials=20)
    ...     studies.append(study)
    >>> defaults = TaskDefaults.from_studies(studies)
    >>> defaults.for_task({"rows": 45_000}).names
    ('40000 rows', '50000 rows', '60000 rows')
    >>> new = optuna.create_study()
    >>> new.set_user_attr("foretell:task", {"rows": 250})
    >>> round(defaults.enqueue(new).configurations[0]["x"], 1)
    0.8
    """

    clusters: TaskClusters

    @classmethod
    def from_studies(cls, studies: OldStudies, n: int = 5) -> TaskDefaults:
        """Learn from finished trials of old studies of one objective; directions may differ.

        Args:
            studies: A study, a storage or its URL (all studies in it), or several of these.
            n: Configurations to keep of each cluster.

        Raises:
            InvalidDataError: If there is nothing to learn from, or descriptions do not go together.
        """
        return cls(TaskClusters.from_sources(named_apart(read_old_studies(studies)), n))

    @classmethod
    def load(cls, path: str | Path) -> TaskDefaults:
        """Read what `save` wrote.

        Raises:
            InvalidDataError: If the file is absent or holds something else.
        """
        return cls(TaskClusters.load(path))

    def save(self, path: str | Path) -> None:
        """Write a JSON file, which replaces what was there.

        Raises:
            WriteError: If it cannot be written.
        """
        self.clusters.save(path)

    def for_task(self, task: TaskDescription) -> TaskDefault:
        """Cluster and configurations for a task, see `TaskClusters.for_task`.

        Raises:
            InvalidDataError: If its description does not go together with the others.
        """
        return self.clusters.for_task(task)

    def enqueue(
        self, study: Study, n: int = 3, search_space: Mapping[str, BaseDistribution] | None = None
    ) -> TaskDefault:
        """Have a study try the defaults for its task first, whatever its sampler; those that it tried, not again.

        Where its task is near no cluster, those of all tasks together, and a warning says so. Every trial gets the user
        attribute `foretell:cluster`, -1 for none.

        Args:
            study: Described by its user attribute `foretell:task`.
            n: How many configurations at most.
            search_space: What the study lets be varied; without it, values are enqueued as the old studies had them.

        Raises:
            InvalidDataError: If its description does not go together with the others, or the space shares nothing.
        """
        space = search_space and SearchSpace({name: spaces.to_distribution(d) for name, d in search_space.items()})
        found = self.clusters.for_task(task_of(study), space or None)
        if found.cluster is None and len(self.clusters.clusters) > 1:
            _logger.warning(
                f"The task of study {study.study_name!r}, {task_of(study)}, is near none of "
                f"{len(self.clusters.clusters)} clusters; it begins with the defaults of all tasks."
            )
        mark = {ATTRIBUTE: -1 if found.cluster is None else found.cluster}
        for config in found.configurations[:n]:
            params = spaces.to_params(config, search_space) if search_space else dict(config)
            study.enqueue_trial(params, user_attrs=mark, skip_if_exists=True)
        return found
