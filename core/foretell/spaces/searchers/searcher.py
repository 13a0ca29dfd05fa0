"""What all searches over programs have in common: they are functions of what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from foretell.errors import InvalidSearchSpaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from foretell.spaces.trace import Trace

_TRIES = 200


class Searcher(Protocol):
    """Suggests what to train next; keeps nothing that the observations do not say."""

    def suggest(self, observed: Mapping[Trace, float], seed: int = 0) -> Trace:
        """A trace that is not among the observed ones; the same arguments give the same answer.

        Args:
            observed: Targets, larger is better, in the order in which they came.
            seed: Source of chance; the number of observations is added to it.
        """
        ...


def unseen(draw: Callable[[], Trace], observed: Mapping[Trace, float]) -> Trace:
    """Draw until there is a trace that was not observed.

    Raises:
        InvalidSearchSpaceError: If some hundred draws give none.
    """
    for _ in range(_TRIES):
        if (found := draw()) not in observed:
            return found
    msg = f"a search needs a network that was not tried, but {_TRIES} draws gave none beside {len(observed)}: stop it"
    raise InvalidSearchSpaceError(msg)


def generator(observed: Mapping[Trace, float], seed: int) -> np.random.Generator:
    """Random numbers of one suggestion."""
    import numpy as np

    return np.random.default_rng([seed, len(observed)])
