"""Which choices of a program to drop, and what that risks: GBDT-NAS's pruning on the tree of its decisions.

See `foretell.explain.narrow` (Luo et al., 2020, https://arxiv.org/abs/2007.04785). What is dropped is a rule for
proposals, so that a search goes on in the narrowed space with all it has learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foretell.encoders import Hyperparameters
from foretell.explain import narrow
from foretell.predictor import Predictor
from foretell.spaces.tree import distribution_tree
from foretell.surrogates import GradientBoosting

if TYPE_CHECKING:
    from foretell.explain.narrowing import Narrowing
    from foretell.spaces import Space, Trace

_SAMPLE = 2000


@dataclass(frozen=True, eq=False)
class NarrowedSpace:
    """A program without some of its choices.

    Args:
        space: The program.
        narrowing: What is dropped, in which order, how much is left, and what is lost of the best as predicted.
    """

    space: Space
    narrowing: Narrowing

    @classmethod
    def after(
        cls, space: Space, observed: Mapping[Trace, float], *, share: float = 0.1, risk: float = 0.1, seed: int = 0
    ) -> NarrowedSpace:
        """Propose what to drop, from what was trained.

        Args:
            space: The program, small enough for `distribution_tree`.
            observed: Targets, larger is better.
            share: Share of the space that must be left, in (0, 1].
            risk: Share of the percent that is predicted best that may be lost, in [0, 1].
            seed: Of the sample of the space that is judged.

        Raises:
            InvalidSearchSpaceError: If the program has too many parameters.
            InvalidDataError: If a share is impossible or nothing can be dropped.
            MissingDependencyError: If `lightgbm` is not installed.
        """
        predictor = Predictor((Hyperparameters(distribution_tree(space)),), GradientBoosting())
        predictor.fit([trace.config for trace in observed], np.array(list(observed.values())))
        rng = np.random.default_rng(seed)
        sample = [space.draw(rng).config for _ in range(_SAMPLE)]
        return cls(space, narrow(predictor, sample, share=share, risk=risk))

    def keeps(self, trace: Trace) -> bool:
        """Whether a network belongs to it: what `ModelSearch` takes as `admissible`."""
        return bool(self.narrowing.keeps([trace.config])[0])

    def __str__(self) -> str:
        dropped = ", ".join(drop.feature for drop in self.narrowing.dropped) or "nothing"
        return (
            f"Drop {dropped}: {self.narrowing.share:.0%} of the space is left, and {1 - self.narrowing.risk:.0%} of "
            "the percent that is predicted best."
        )
