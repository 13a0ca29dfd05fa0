"""What `name: Foretell` stands for: the tuner under `tuner:`, the assessor under `assessor:`.

NNI's list of algorithms gives one class a name, whichever of the two is asked for, so the class given there is a
function that looks which one its caller wants. Only NNI 3 is known to call it so; elsewhere it says what to write.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from foretell.errors import InvalidDataError
from foretell_adapters.nni.class_args import AssessorArgs, TunerArgs

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME, ASSESSOR_NAME = "Foretell", "ForetellAssessor"


def Foretell(**class_args: Any) -> Any:  # noqa: N802 - NNI calls it as a class
    """A `ForetellTuner` or a `ForetellAssessor`, as NNI asks.

    Raises:
        InvalidDataError: If it cannot be told which one is wanted, or an argument is wrong.
    """
    if _wanted() == "assessors":
        from foretell_adapters.nni.assessor import ForetellAssessor

        return ForetellAssessor(**class_args)
    from foretell_adapters.nni.tuner import ForetellTuner

    return ForetellTuner(**class_args)


class ForetellClassArgsValidator:
    """Checks `classArgs` before an experiment starts, for those routes of NNI that ask."""

    def __init__(self, kind: str | None = None) -> None:
        self._args = AssessorArgs if (kind or _wanted()) == "assessors" else TunerArgs

    def validate_class_args(self, **kwargs: Any) -> None:
        """Refuse what tuner or assessor would refuse.

        Raises:
            InvalidDataError: If a setting is unknown or impossible.
        """
        self._args.parse(kwargs)


def _wanted() -> str:
    """`tuners` or `assessors`: what NNI's own functions call the kind that they are about to make."""
    frame = inspect.currentframe()
    caller = frame.f_back.f_back if frame is not None and frame.f_back is not None else None
    local: Mapping[str, Any] = caller.f_locals if caller is not None else {}
    kind = local.get("algo_type")
    if kind not in {"tuners", "assessors"}:
        msg = (
            f"`name: {NAME}` must be looked up by NNI 3's own functions, but the caller gave {kind!r}: write "
            "className: foretell_adapters.nni.ForetellTuner, or ForetellAssessor, with codeDirectory: ."
        )
        raise InvalidDataError(msg)
    return str(kind)
