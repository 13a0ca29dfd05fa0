"""Ours for a new task of a family whose networks were trained on other tasks: `foretell` on what those say.

Each source task is a predictor with many labels, stored by `learn_tasks`. Three things pass from them to the new task.
What they predict, as columns that a linear trend weighs by the new task's own labels (`OnTrend`). Which columns of a
network matter: length scales, as a prior (`KernelPrior`). And, without any label, their ranking, each source counted by
how far the others agree with it (`source_votes`). All members have to earn their weight on networks left out, so that a
source that misleads is outvoted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foretell.aio_p.source_votes import source_votes
from foretell.encoders import Pretrained
from foretell.errors import CheckpointError
from foretell.predictor import Predictor
from foretell.presets import foretell
from foretell.surrogates import Calibrated, GaussianProcess, KernelPrior, OnGroups, OnTrend, Stack
from foretell.surrogates.calibrated import FittedCalibrated
from foretell.surrogates.gaussian_process import FittedGaussianProcess
from foretell.surrogates.on_groups import FittedOnGroups
from foretell.surrogates.stack import FittedStack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float

    from foretell.candidate import Candidate
    from foretell.encoders import Encoding
    from foretell.graph import ComputationGraph
    from foretell.surrogates import Surrogate

ELSEWHERE = "foretell-pretrained"
"""The checkpoint of what other families say."""


def learn_tasks(folder: str | Path, encoding: Encoding, labels: Mapping[str, Float[np.ndarray, " n"]]) -> Path:
    """Fit `foretell` to each task and store it as a checkpoint; what is there stays, so that it resumes.

    Args:
        folder: Where the checkpoint goes.
        encoding: Columns of n networks by `foretell().encode`; a thousand networks take seconds a task.
        labels: Of each task, named `family.task`, n; larger is better.

    Returns:
        The folder.
    """
    for task, y in labels.items():
        if not (Path(folder) / task / "config.json").is_file():
            foretell().fit_encoding(encoding, y).save(Path(folder) / task)
    return Path(folder)


@dataclass(frozen=True)
class RelatedTasks:
    """What is known of a family's networks from other tasks.

    Args:
        folder: A checkpoint that `learn_tasks` wrote.
        family: The family of the networks.
        without: Sources that are left out, `family.task`, for measuring on one of them.

    Raises:
        CheckpointError: If nothing of the family is left.
    """

    folder: Path
    family: str
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not any(source.split(".")[0] == self.family for source in self.near.sources):
            msg = (
                f"a checkpoint must know a task of {self.family}, but {self.folder} knows {self.near.sources}: "
                "write one with `learn_tasks`"
            )
            raise CheckpointError(msg)

    @property
    def near(self) -> Pretrained:
        """Columns of the other tasks."""
        return Pretrained(str(self.folder), self.without)

    @property
    def far(self) -> Pretrained:
        """Columns of other families."""
        return Pretrained(ELSEWHERE, (self.family,))

    def predictor(self) -> Predictor:
        """The predictor of a new task, to be fitted to its labels; twenty are enough to gain by it."""
        own = foretell()
        assert isinstance(own.surrogate, Calibrated)
        assert isinstance(own.surrogate.surrogate, Stack)
        stack = own.surrogate.surrogate
        informed = [_informed(m, prior) for m, prior in zip(stack.members, self.priors(), strict=True)]
        processes = [m for m in informed if isinstance(m, OnGroups) and isinstance(m.surrogate, GaussianProcess)]
        plain = GaussianProcess(length_scale=1.4, fit_rows=500)
        members = list(informed)
        for columns in (f"pretrained {self.family}.*", "pretrained *"):
            members += [OnTrend(process, columns) for process in processes]
            members.append(OnGroups(plain, (columns,)))
        surrogate = replace(own.surrogate, surrogate=replace(stack, members=tuple(members)))
        return Predictor((*own.encoders, self.near, self.far), surrogate)

    def priors(self) -> tuple[KernelPrior | None, ...]:
        """For each member of `foretell` what the other tasks say of its hyperparameters, if it is a process."""
        found: list[list[tuple[list[str], np.ndarray]]] = []
        for source in self.near.sources:
            fitted = Predictor.load(self.folder / source).fitted
            assert isinstance(fitted.surrogate, FittedCalibrated)
            assert isinstance(fitted.surrogate.surrogate, FittedStack)
            members = fitted.surrogate.surrogate.members
            found = found or [[] for _ in members]
            for where, member in zip(found, members, strict=True):
                if isinstance(member, FittedOnGroups) and isinstance(member.surrogate, FittedGaussianProcess):
                    groups = dict.fromkeys(fitted.scaler.groups[j] for j in member.columns)
                    where.append((list(groups), member.surrogate.theta))
        return tuple(KernelPrior.learn(thetas) if thetas else None for thetas in found)

    def score(self, items: Sequence[Candidate | ComputationGraph]) -> Float[np.ndarray, " n"]:
        """One number a network without a label of the new task; larger is better, comparable within the call."""
        return self.score_encoding(Predictor((self.near, self.far)).encode(items))

    def columns(self, own: Encoding, far: Encoding) -> Encoding:
        """All columns of `predictor`, from those of `foretell` and of `far`, which are the same for every task."""
        return type(own).side_by_side([own, self.near.read(own), far])

    def score_encoding(self, encoding: Encoding) -> Float[np.ndarray, " n"]:
        """As `score`, from columns, those of sources among them; another family counts once for all its tasks."""
        said: dict[str, list[np.ndarray]] = {}
        for column, group in zip(encoding.values.T, encoding.groups, strict=True):
            if group.startswith("pretrained "):
                source = group.removeprefix("pretrained ")
                family = source.split(".")[0]
                said.setdefault(source if family == self.family else family, []).append(_standard(column))
        standard = np.column_stack([_standard(np.mean(columns, axis=0)) for columns in said.values()])
        return np.asarray(standard @ source_votes(standard))


def _informed(member: Surrogate, prior: KernelPrior | None) -> Surrogate:
    if prior is None or not (isinstance(member, OnGroups) and isinstance(member.surrogate, GaussianProcess)):
        return member
    return replace(member, surrogate=replace(member.surrogate, prior=prior))


def _standard(column: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """In deviations from the mean; 0 for networks that a source does not know, on which it has no vote."""
    return np.asarray(np.nan_to_num((column - np.nanmean(column)) / max(float(np.nanstd(column)), 1e-12)))
