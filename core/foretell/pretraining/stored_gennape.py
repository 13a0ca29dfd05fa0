"""The checkpoint of a GENNAPE ensemble: its members over the encoders that they share, its clusters and its votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from foretell.checkpoint import DAMAGED, Checkpoint
from foretell.errors import CheckpointError, ForetellError
from foretell.pretraining.clustering import Clustering
from foretell.pretraining.fuzzy_c_means import FuzzyClusters
from foretell.pretraining.fuzzy_heads import FuzzyHeads
from foretell.pretraining.member import Member, PaperReadout, TrainedMember
from foretell.pretraining.objectives import OBJECTIVES, Scale
from foretell.pretraining.stored_modules import check_ensemble, check_heads, fill_module, stored_encoder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import torch

    from foretell.pretraining.gennape import Gennape
    from foretell.pretraining.graph_encoder import GraphEncoder

KIND = "gennape"
"""What a checkpoint's config says it is."""


def checkpoint_of(ensemble: Gennape) -> Checkpoint:
    """All of an ensemble as config and arrays; `stored_ensemble` is the inverse."""
    clustering, encoders = ensemble.clustering, list(dict.fromkeys(m.module.encoder for m in ensemble.members.values()))
    config = {
        "kind": KIND,
        "clustering": {
            "encoder": clustering.encoder.settings.to_config(),
            "fuzzifier": clustering.clusters.fuzzifier,
        },
        "encoders": [encoder.settings.to_config() for encoder in encoders],
        "members": [
            _member_config(name, member, encoders.index(member.module.encoder))
            for name, member in ensemble.members.items()
        ],
        "line": list(ensemble.line),
        "domain": _bounds(*ensemble.domain),
    }
    arrays = {
        "clusters.centroids": clustering.clusters.centroids,
        "clusters.centre": clustering.centre,
        "clusters.unit": clustering.unit,
        "pool.mean": ensemble.pool[0],
        "pool.std": ensemble.pool[1],
        "votes.weights": ensemble.votes,
        **_state("contrast", clustering.encoder),
    }
    for i, encoder in enumerate(encoders):
        arrays |= _state(f"encoder{i}", encoder)
    for i, member in enumerate(ensemble.members.values()):
        arrays |= _state(f"member{i}", member.module, without="encoder.")
    return Checkpoint(config, arrays)


def stored_ensemble(folder: str | Path) -> dict[str, Any]:
    """The fields of the `Gennape` whose checkpoint lies in a folder.

    Raises:
        CheckpointError: If a file is missing, damaged or of another version.
    """
    stored = Checkpoint.read(folder)
    try:
        encoder = stored_encoder(stored.config["clustering"]["encoder"], stored.part("contrast"))
        parts = stored.part("clusters")
        clusters = FuzzyClusters(parts["centroids"], float(stored.config["clustering"]["fuzzifier"]))
        encoders = []
        for i, config in enumerate(stored.config["encoders"]):
            encoders.append(stored_encoder(config, stored.part(f"encoder{i}")))
        members = {
            config["name"]: _member(config, encoders, stored.part(f"member{i}"))
            for i, config in enumerate(stored.config["members"])
        }
        intercept, slope, deviation = stored.config["line"]
        least, most = stored.config["domain"]
        pool, votes = (stored.arrays["pool.mean"], stored.arrays["pool.std"]), stored.arrays["votes.weights"]
        check_ensemble(encoder.settings.out_width, clusters, parts, (*pool, votes), len(members) + 1)
        return {
            "clustering": Clustering(encoder, parts["centre"], parts["unit"], clusters),
            "members": members,
            "pool": pool,
            "line": (float(intercept), float(slope), float(deviation)),
            "domain": (float(least), np.inf if most is None else float(most)),
            "votes": votes,
        }
    except (*DAMAGED, ForetellError) as e:
        msg = f"a checkpoint of {KIND} must hold all its members, but {folder} does not ({e!r}): save it again"
        raise CheckpointError(msg) from e


def _member_config(name: str, member: TrainedMember, encoder: int) -> dict[str, Any]:
    heads = member.module.heads
    fuzzy = isinstance(heads, FuzzyHeads)
    return {
        "name": name,
        "objective": member.objective.name,
        "scale": [member.scale.centre, member.scale.unit, *_bounds(member.scale.low, member.scale.high)],
        "encoder": encoder,
        "heads": {"clusters": heads.clusters, "width": heads.width, "depth": heads.depth} if fuzzy else None,
    }


def _member(
    config: Mapping[str, Any], encoders: Sequence[GraphEncoder], arrays: Mapping[str, np.ndarray]
) -> TrainedMember:
    encoder = encoders[config["encoder"]]
    width = encoder.settings.out_width
    if config["heads"] is None:
        heads: PaperReadout | FuzzyHeads = PaperReadout(width)
    else:
        check_heads(width, config["heads"], arrays)
        heads = FuzzyHeads(width, **config["heads"])
    module = Member(encoder, heads)
    fill_module(
        module, {**arrays, **{f"encoder.{name}": value.numpy() for name, value in encoder.state_dict().items()}}
    )
    centre, unit, low, high = config["scale"]
    low, high = -np.inf if low is None else float(low), np.inf if high is None else float(high)
    scale = Scale(float(centre), float(unit), low, high)
    if not isinstance(config["name"], str) or not np.isfinite([scale.centre, scale.unit]).all() or scale.unit <= 0:
        raise ValueError(f"member {config['name']!r} has the constants {config['scale']}")
    return TrainedMember(module, OBJECTIVES[config["objective"]], scale)


def _bounds(*values: float) -> list[float | None]:
    """None where there is no bound, since JSON cannot write infinity."""
    return [value if np.isfinite(value) else None for value in values]


def _state(prefix: str, module: torch.nn.Module, without: str = ".") -> dict[str, np.ndarray]:
    state = module.state_dict()
    return {f"{prefix}.{name}": value.numpy() for name, value in state.items() if not name.startswith(without)}
