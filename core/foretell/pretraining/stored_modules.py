"""Modules out of a checkpoint that others may have written: arrays and settings must agree before memory is taken.

A settings file of a few bytes can name any size. Every array lies in a file, so what is made is no larger than it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from foretell.pretraining.graph_encoder import EncoderSettings, GraphEncoder
from foretell.pretraining.node_embedding import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foretell.pretraining.fuzzy_c_means import FuzzyClusters


def fill_module(module: torch.nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Give a module its stored weights, and freeze it."""
    module.load_state_dict({name: torch.from_numpy(np.array(a)) for name, a in arrays.items()})
    module.eval()
    module.requires_grad_(requires_grad=False)


def stored_encoder(config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> GraphEncoder:
    """An encoder out of a checkpoint, whose arrays must have the sizes of its settings before memory is taken.

    Raises:
        InvalidDataError: If a setting is impossible.
        ValueError: If an array has another shape.
    """
    settings = EncoderSettings.from_config(config)
    for hop, (before, after) in enumerate(pairwise([EMBEDDED] + [settings.width] * settings.hops)):
        for way in range(len(settings.ways)):
            for part in ("lin_rel", "lin_root"):
                name = f"convolutions.{hop}.{way}.{part}.weight"
                if name not in arrays or arrays[name].shape != (after, before):
                    raise ValueError(f"{name} of an encoder must be {after} x {before} by its settings {settings}")
    encoder = GraphEncoder(settings)
    fill_module(encoder, arrays)
    return encoder


def check_heads(inputs: int, config: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Raise `ValueError` if the arrays do not have the sizes of the settings of `FuzzyHeads`."""
    clusters, width, depth = (config[name] for name in ("clusters", "width", "depth"))
    if any(type(n) is not int or n < 1 for n in (clusters, width, depth)) or depth > len(arrays):
        raise ValueError(f"heads of {config}")
    sizes = [inputs, *[width] * depth, 1]
    needed = clusters * sum((a + 1) * b for a, b in pairwise(sizes))
    if sum(array.size for name, array in arrays.items() if name.startswith("heads.")) != needed:
        raise ValueError(f"heads of {config} hold {needed} numbers, and others are stored")


def check_ensemble(
    width: int, clusters: FuzzyClusters, parts: Mapping[str, np.ndarray], columns: Sequence[np.ndarray], members: int
) -> None:
    """Raise `ValueError` where an array does not fit the members."""
    if clusters.centroids.shape[1:] != (width,) or not len(clusters.centroids) or not 1.0 < clusters.fuzzifier < 1e3:
        raise ValueError(f"clusters of {clusters.centroids.shape}, fuzzifier {clusters.fuzzifier}")
    vectors = [parts[name] for name in ("centre", "unit")]
    if (
        any(a.shape != (width,) or a.dtype.kind != "f" for a in (*vectors, clusters.centroids[0]))
        or vectors[1].min() <= 0
    ):
        raise ValueError("centre and unit of embeddings")
    if any(a.shape != (members,) or a.dtype != np.float64 for a in columns) or members < 2:
        raise ValueError(f"columns of {[a.shape for a in columns]} for {members} members")
    if columns[1].min() < 0 or columns[2].min() < 0 or columns[2][-1] <= 0:
        raise ValueError("deviations and votes must not be negative, and FLOPs have a vote")
