"""What a running trial tries, written down in the study's storage for other workers to see, and read with suspicion.

A proposal is JSON in system attributes, in pieces that every storage holds. The first piece is written last: whoever
finds it finds all of it, and a worker that dies in between leaves nothing that could be read. Nothing is written over:
a second thought has keys of its own, and the last one counts.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

_KEY = "foretell:proposal"
_VERSION = 1
_PIECE = 2045  # characters; an RDB storage holds no longer attribute
_MOST_PIECES = 500
MOST_LOOKS = 4
"""How often, at most, a worker makes up its mind while others write down the same proposal."""


def proposal_attributes(
    params: Mapping[str, Any], distributions: Mapping[str, BaseDistribution], look: int = 0
) -> dict[str, str]:
    """A whole proposal as system attributes, in the order in which they must be written; empty if it is too long.

    Args:
        params: What is proposed, as Optuna's values.
        distributions: Of these parameters.
        look: Which thought it is, from 0, below `MOST_LOOKS`.
    """
    internal = {name: distributions[name].to_internal_repr(value) for name, value in params.items()}
    text = json.dumps({"version": _VERSION, "params": internal})
    pieces = [text[i : i + _PIECE] for i in range(0, len(text), _PIECE)]
    if len(pieces) > _MOST_PIECES:
        return {}
    return {_key(look, i): pieces[i] for i in reversed(range(len(pieces)))}


def read_proposal(trial: FrozenTrial, distributions: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """What a running trial was proposed, as Optuna's values; empty if nothing is written there.

    Parameters that `distributions` does not name are left out.

    Raises:
        InvalidDataError: If what is written is no proposal of this version, or has values that no parameter can have.
    """
    text = _text(trial.system_attrs)
    if not text:
        return {}
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise _refused("whole JSON", f"{text[:40]!r}...") from e
    if not isinstance(stored, dict) or stored.get("version") != _VERSION:
        found = stored.get("version") if isinstance(stored, dict) else type(stored).__name__
        raise _refused(f"of version {_VERSION}", found)
    params = stored.get("params")
    if not isinstance(params, dict):
        raise _refused("a table of parameters", type(params).__name__)
    return {n: _external(distributions[n], n, value) for n, value in params.items() if n in distributions}


def _key(look: int, piece: int) -> str:
    return f"{_KEY}{look or ''}:{piece}"


def _text(attributes: Mapping[str, Any]) -> str:
    pieces: list[str] = []
    look = next((i for i in reversed(range(MOST_LOOKS)) if _key(i, 0) in attributes), 0)
    while (piece := attributes.get(_key(look, len(pieces)))) is not None:
        if not isinstance(piece, str) or len(piece) > _PIECE or len(pieces) == _MOST_PIECES:
            found = f"one of {len(piece)}" if isinstance(piece, str) else type(piece).__name__
            raise _refused(f"at most {_MOST_PIECES} texts of {_PIECE} characters", found)
        pieces.append(piece)
    return "".join(pieces)


def _external(distribution: BaseDistribution, name: str, value: object) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if not number or not distribution._contains(float(value)):  # type: ignore[arg-type]
        raise _refused(f"inside {distribution} for {name!r}", repr(value)[:40])
    return distribution.to_external_repr(float(value))  # type: ignore[arg-type]


def _refused(rule: str, found: object) -> InvalidDataError:
    return InvalidDataError(f"a running trial's proposal must be {rule}, but got {found}: leave foretell's attributes")
