"""Encoder of configurations: one column a number, one a choice, absent where the parameter is inactive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.distributions import CategoricalDistribution
from foretell.encoders.encoding import Encoding
from foretell.search_space import SearchSpace
from foretell.search_space_json import space_from_json, space_to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from foretell.candidate import Candidate


@dataclass(frozen=True)
class Hyperparameters:
    """Positions of numbers in their distribution; choices one-hot, scaled so that two lie at distance 1.

    A choice with two values is one column. Each parameter is a group of its own.

    Args:
        space: The search space that gives meaning to the values.
    """

    name: ClassVar[str] = "hyperparameters"
    space: SearchSpace

    def encode(self, candidates: Sequence[Candidate]) -> Encoding:
        """Encode configurations, see `Encoder.encode`."""
        return self.encode_units(self.space.to_unit([c.config for c in candidates]))

    def encode_units(self, units: Float[np.ndarray, "n d"]) -> Encoding:
        """Encode positions in the unit cube, as `SearchSpace.to_unit` gives them."""
        blocks, names, groups = [], [], []
        for j, (name, distribution) in enumerate(self.space.distributions.items()):
            column = units[:, j]
            if isinstance(distribution, CategoricalDistribution) and distribution.size > 2:
                gap = np.isnan(column)
                index = np.floor(np.where(gap, 0.0, column) * distribution.size)
                hot = (index[:, None] == np.arange(distribution.size)) / np.sqrt(2.0)
                hot[gap] = np.nan
                blocks.append(hot)
                names += [f"{name}={choice}" for choice in distribution.choices]
            else:
                two = isinstance(distribution, CategoricalDistribution)
                blocks.append((np.floor(column * 2) if two and distribution.size == 2 else column)[:, None])
                names.append(name)
            groups += [name] * blocks[-1].shape[1]
        values = np.concatenate(blocks, axis=1) if blocks else np.empty((len(units), 0))
        return Encoding(values, tuple(names), tuple(groups), np.ones(len(names), dtype=bool))

    def to_config(self) -> dict[str, object]:
        """The search space as JSON values."""
        return {"space": space_to_json(self.space)}

    @classmethod
    def from_config(cls, config: dict[str, object]) -> Hyperparameters:
        """Inverse of `to_config`."""
        return cls(space_from_json(config["space"]))
