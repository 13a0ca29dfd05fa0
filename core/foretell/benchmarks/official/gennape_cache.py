"""GENNAPE's released caches of computation graphs, without running what a pickle may hold (`plain_pickle`).

A cache is a list with an entry a network: `compute graph` (an object with the fields of its nodes), `acc` and, where
they are known, `flops` and `n_params` (Mills et al., 2023, https://arxiv.org/abs/2211.17226; the files are linked from
https://github.com/Ascend-Research/GENNAPE). The single graphs that AutoGO releases are such objects too. TensorFlow,
which made them, is not needed: of the three classes only the fields are read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from foretell.benchmarks.official.plain_pickle import Record, read_pickle
from foretell.errors import ForetellError, InvalidDataError
from foretell.gennape_v1 import graph_of_records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from foretell.graph import ComputationGraph

_GRAPH, _NODES = "ComputeGraph", ("WeightedNode", "RegularNode")
_AT = ("weighted", "regular")
_LARGEST = 16 * 2**30


@dataclass(frozen=True, slots=True)
class CachedNetwork:
    """One entry of a cache.

    Args:
        name: As the release calls it.
        graph: In the vocabulary of the paper, see `foretell.gennape_v1`.
        accuracy: After training, in [0, 1]; None in a file of one graph.
        flops: As the release counts them; None where it does not say.
    """

    name: str
    graph: ComputationGraph
    accuracy: float | None = None
    flops: float | None = None


def read_gennape_cache(path: Path) -> list[CachedNetwork]:
    """Read `gpi_*_comp_graph_cache.pkl`, or a file of one graph.

    Raises:
        InvalidDataError: If it is no such file, is damaged, asks for any other class, or is larger than 16 GiB.
        InvalidArchitectureError: If an entry is no network.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise _wrong(path, f"it is larger than {_LARGEST} bytes")
        content = path.read_bytes()
    except OSError as e:
        raise _wrong(path, str(e)) from e
    found, _ = read_pickle(content, records=frozenset({_GRAPH, *_NODES}))
    entries = found if isinstance(found, list) else [{"compute graph": found}]
    networks = []
    for i, entry in enumerate(entries):
        try:
            networks.append(_network(entry))
        except ForetellError:
            raise
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, SyntaxError) as e:
            raise _wrong(path, f"entry {i}: {e!r}") from e
    return networks


def _network(entry: Any) -> CachedNetwork:
    if type(entry) is not dict:
        raise TypeError(f"an entry is a dictionary, not {type(entry).__name__}")
    graph = _fields(entry["compute graph"], _GRAPH)
    weighted, regular = ([_fields(n, kind) for n in graph[f"{at}_nodes"]] for kind, at in zip(_NODES, _AT, strict=True))
    accuracy, flops = _number(entry.get("acc")), _number(entry.get("flops"))
    if accuracy is not None and not 0.0 <= accuracy <= 1.0:
        raise ValueError(f"an accuracy is in [0, 1], not {accuracy}")
    return CachedNetwork(
        str(graph["name"])[:200], graph_of_records(weighted, regular, graph["edge_pairs"]), accuracy, flops
    )


def _fields(record: Any, name: str) -> Mapping[str, Any]:
    if type(record) is not Record or record.name != name:
        raise TypeError(f"a {name} was expected")
    return record.fields


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError(f"a finite number was expected, not {value!r}")
    return float(value)


def _wrong(path: Path, why: str) -> InvalidDataError:
    return InvalidDataError(f"a cache of GENNAPE must be a list of its graphs, but {path} is not ({why}): get it again")
