"""Many architectures to graphs: in parallel, into a store, and again from where an interrupted run stopped."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sized
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from foretell.errors import CaptureWarning, ForetellError, InvalidArchitectureError
from foretell.graph import ComputationGraph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from foretell.graph_store import GraphStore

Spec = TypeVar("Spec")
_TASK = 32  # specifications that one worker gets at a time


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """What a run of `build_corpus` did.

    Attributes:
        added: Graphs new to the store.
        duplicates: Specifications whose graph was in the store already.
        resumed: Specifications that an earlier run had built, not built again.
        failed: Specifications without a graph and why, the first 100.
        failures: How many of these there are; another run tries them again.
    """

    added: int = 0
    duplicates: int = 0
    resumed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    failures: int = 0


def build_corpus(
    specs: Iterable[Spec],
    build: Callable[[Spec], ComputationGraph],
    store: GraphStore,
    *,
    n_jobs: int = 1,
    progress: bool = False,
    key: Callable[[Spec], str] = repr,
    batch: int = 1024,
) -> CorpusReport:
    """Build the graph of every specification and keep each graph once.

    Work is handed out through joblib, whose backend is the caller's choice: `with joblib.parallel_config("dask")`.
    Only one batch is in memory. A finished batch is on disk; the same call after an interruption goes on behind it.

    Args:
        specs: Specifications of architectures, read as a stream.
        build: From a specification to its graph; with worker processes, a function that they can import.
        store: Where the graphs go.
        n_jobs: Workers, -1 for one a core.
        progress: Whether to show a bar.
        key: Text that is the same for the same specification in every run.
        batch: Specifications between two writes.

    Returns:
        What was done. A specification that fails is left out with one warning.

    Raises:
        CheckpointError: If the store is damaged or cannot be written.

    >>> import tempfile
    >>> from foretell.capture import nasbench201
    >>> from foretell.graph_store import GraphStore
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cells = [(k, 0, 0, 0, 0, 0) for k in (0, 2, 3)]
    ...     first = build_corpus(cells[:2], nasbench201.graph, GraphStore(folder))
    ...     again = build_corpus(cells, nasbench201.graph, GraphStore(folder))
    ...     (first.added, again.added, again.resumed)
    (2, 1, 2)
    """
    import joblib
    from tqdm.auto import tqdm

    if batch < 1:
        msg = f"a batch needs at least one specification, but got {batch=}: the default is 1024"
        raise InvalidArchitectureError(msg)
    stream = iter(specs)
    total = len(specs) if isinstance(specs, Sized) else None
    added = duplicates = resumed = failures = 0
    failed: dict[str, str] = {}
    with joblib.Parallel(n_jobs=n_jobs) as parallel, tqdm(total=total, disable=not progress, unit="graph") as bar:
        while taken := list(islice(stream, batch)):
            names = [key(spec) for spec in taken]
            keys = [hashlib.blake2b(name.encode(), digest_size=16).digest() for name in names]
            todo = [i for i, k in enumerate(keys) if store.built(k) is None]
            resumed += len(taken) - len(todo)
            tasks = [[taken[i] for i in todo[at : at + _TASK]] for at in range(0, len(todo), _TASK)]
            done = parallel(joblib.delayed(_build_all)(build, task) for task in tasks) if tasks else []
            made: dict[bytes, str] = {}
            graphs: list[ComputationGraph] = []
            for i, result in zip(todo, (r for task in done for r in task), strict=True):
                if isinstance(result, ComputationGraph):
                    graphs.append(result)
                    made[keys[i]] = result.digest
                    continue
                if not failures:
                    warnings.warn(
                        f"{names[i][:200]} has no graph ({result}) and is left out", CaptureWarning, stacklevel=2
                    )
                failures += 1
                if len(failed) < 100:
                    failed[names[i]] = result
            new = store.add(graphs)
            store.note_built(made)
            added += new
            duplicates += len(graphs) - new
            bar.update(len(taken))
    return CorpusReport(added, duplicates, resumed, failed, failures)


def _build_all(build: Callable[[Any], ComputationGraph], specs: Sequence[Any]) -> list[ComputationGraph | str]:
    """The graphs of some specifications, or in their place what went wrong."""
    results: list[ComputationGraph | str] = []
    for spec in specs:
        try:
            graph = build(spec)
        except Exception as e:  # noqa: BLE001 - the caller's function may raise anything; the others must be built
            results.append(str(e) if isinstance(e, ForetellError) else f"{type(e).__name__}: {e}")
            continue
        sound = isinstance(graph, ComputationGraph)
        results.append(graph if sound else f"`build` gave {type(graph).__name__}, not a ComputationGraph")
    return results
