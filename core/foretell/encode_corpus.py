"""Columns of very many architectures, in parallel and in bounded memory: graphs are made, encoded and forgotten."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from foretell.candidate import Candidate
from foretell.encoders import Encoder, Encoding
from foretell.errors import CaptureWarning, InvalidArchitectureError

if TYPE_CHECKING:
    from foretell.graph import ComputationGraph

Spec = TypeVar("Spec")
_TASK = 512  # specifications that one worker gets at a time


def encode_corpus(
    specs: Iterable[Spec],
    build: Callable[[Spec], ComputationGraph],
    encoders: Sequence[Encoder],
    *,
    n_jobs: int = 1,
    progress: bool = False,
) -> Encoding:
    """Build and encode the graph of every specification; only a few hundred graphs exist at a time.

    Args:
        specs: Specifications of architectures, read as a stream.
        build: From a specification to its graph; with worker processes, a function that they can import.
        encoders: Blocks of columns, side by side.
        n_jobs: Workers, -1 for one a core; `joblib.parallel_config` chooses others.
        progress: Whether to show a bar.

    Returns:
        One row a specification, in order, in single precision. A specification that fails has `nan` throughout, and
        one warning says why.

    Raises:
        InvalidArchitectureError: If there are no specifications.

    >>> from foretell import GraphStatistics
    >>> from foretell.capture import nasbench201
    >>> len(encode_corpus([(2, 2, 2, 2, 2, 2), (0, 0, 0, 0, 0, 2)], nasbench201.graph, [GraphStatistics()]).values)
    2
    """
    import joblib
    from tqdm.auto import tqdm

    total = len(specs) if isinstance(specs, Sized) else None
    blocks: list[np.ndarray] = []
    like: Encoding | None = None
    warned = False
    with joblib.Parallel(n_jobs=n_jobs, return_as="generator") as parallel:
        done = parallel(joblib.delayed(_encode_task)(task, build, tuple(encoders)) for task in _tasks(specs))
        with tqdm(total=total, disable=not progress, unit="graph") as bar:
            for encoding, failure in done:
                blocks.append(encoding.values)
                like = encoding
                bar.update(len(encoding.values))
                if failure and not warned:
                    warned = True
                    warnings.warn(f"{failure}: it is absent in all columns", CaptureWarning, stacklevel=2)
    if like is None:
        msg = "encoding needs at least one specification, but got none: pass some"
        raise InvalidArchitectureError(msg)
    return replace(like, values=np.concatenate(blocks))


def _tasks(specs: Iterable[Spec]) -> Iterator[list[Spec]]:
    stream = iter(specs)
    while task := list(islice(stream, _TASK)):
        yield task


def _encode_task(
    specs: Sequence[Any], build: Callable[[Any], ComputationGraph], encoders: Sequence[Encoder]
) -> tuple[Encoding, str]:
    """Columns of some specifications, and what went wrong with the first one that failed."""
    candidates, failure = [], ""
    for spec in specs:
        try:
            candidates.append(Candidate(build(spec)))
        except Exception as e:  # noqa: BLE001 - the caller's function may raise anything; the others must be encoded
            candidates.append(Candidate())
            failure = failure or f"{str(spec)[:200]} has no graph ({type(e).__name__}: {e})"
    encoding = Encoding.side_by_side([encoder.encode(candidates) for encoder in encoders])
    return replace(encoding, values=encoding.values.astype(np.float32)), failure
