"""A known architecture written as a derivation, to start a search from.

    written(space, "residual(seq(conv, seq(norm, relu))) identity")

Labels come in the order in which the program asks for them, which is that of reading; parentheses and commas are for
the reader.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from foretell.distributions import CategoricalDistribution
from foretell.errors import InvalidSearchSpaceError
from foretell.spaces.trace import Tracer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foretell.distributions import Distribution, Value
    from foretell.spaces.space import Space
    from foretell.spaces.trace import Trace


def written(space: Space, text: str) -> Trace:
    """The trace whose choices between labels are those of a text; numbers take the middle of their range.

    Args:
        space: The program.
        text: One label for each choice that the program takes, choices between values such as kernels included.

    Raises:
        InvalidSearchSpaceError: If a label is none of those that the program offers there, or their number is wrong.

    >>> from foretell.spaces.ready import einspace_images
    >>> from foretell.spaces.ready.einspace import RESIDUAL
    >>> space = einspace_images((1, 8, 8))
    >>> space.plan_of(written(space, RESIDUAL).config).text
    'stem > added(conv > norm > relu, identity) > halve > added(conv > norm > relu, identity) > head'
    """
    reader = _Reader(re.findall(r"[^\s(),;]+", text))
    space.plan(reader)
    if reader.labels:
        msg = f"a derivation must have one label for each choice, but {' '.join(reader.labels)} were not asked for"
        raise InvalidSearchSpaceError(f"{msg}: leave them out")
    return reader.trace


class _Reader(Tracer):
    """A trial that reads its choices one by one."""

    def __init__(self, labels: list[str]) -> None:
        super().__init__()
        self.labels = labels

    def _take(self, name: str, distribution: Distribution, weights: Sequence[float] | None) -> Value:
        if isinstance(distribution, CategoricalDistribution) and name not in self._config:
            by_text = {str(choice): choice for choice in distribution.choices}
            label = self.labels.pop(0) if self.labels else "nothing"
            if label not in by_text:
                msg = f"a derivation must say one of {list(by_text)} for {name!r}, but says {label!r}: correct it there"
                raise InvalidSearchSpaceError(msg)
            self._given = {**self._given, name: by_text[label]}
        return super()._take(name, distribution, weights)
