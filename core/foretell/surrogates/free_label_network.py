"""A perceptron whose view of architectures is first trained on what costs nothing to know: the predictor of FBNetV3.

Dai et al., 2021, "FBNetV3: Joint Architecture-Recipe Search using Predictor Pretraining",
https://arxiv.org/abs/2006.02049. For few labels and many architectures without: see `SemiSupervised`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from foretell.errors import InvalidDataError
from foretell.surrogates.network_ensemble import FittedEnsemble, NetworkEnsemble
from foretell.surrogates.training import Training, affine, layers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from jaxtyping import Float, Int

_HUBER = 1.0  # where it turns from a square to a line, in standard deviations of the target


@dataclass(frozen=True)
class FreeLabelNetwork:
    """Settings; the paper's two stages and its Huber loss, sizes and rates are ours.

    Columns have three uses, told apart by their groups. Those of the architecture go through two layers to its
    embedding. Free ones, which follow from the architecture, are what that embedding is trained to tell at first, on
    all rows, labelled or not; the paper has parameters and FLOPs there. They are no input. All others are the recipe,
    which joins the embedding in front of the last two layers; then everything is trained on the labels. The spread is
    that of `network_ensemble`; the paper has none.

    Args:
        architecture: Patterns of groups of the architecture's columns, `*` for anything.
        free: Patterns of groups of free columns.
        width: Units of the first layer.
        embedding: Units of the architecture's embedding.
        head_width: Units of the layer that sees embedding and recipe.
        pretraining_epochs: Passes over all rows; 0 for none.
        n_epochs: Passes over the labelled rows.
        learning_rate: First learning rate of both; falls to 0.
        weight_decay: See `Training`.
        batch_size: Rows a step; four times as many of those without labels.
        n_members: Networks of the ensemble.
        held_out: Share of the labelled rows that a member does not see.
        seed: Seed of weights and order.
    """

    name: ClassVar[str] = "free_label_network"
    architecture: tuple[str, ...] = ("*operators", "*edges")
    free: tuple[str, ...] = ("sizes",)
    width: int = 128
    embedding: int = 64
    head_width: int = 64
    pretraining_epochs: int = 60
    n_epochs: int = 100
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    batch_size: int = 32
    n_members: int = 5
    held_out: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "architecture", tuple(self.architecture))
        object.__setattr__(self, "free", tuple(self.free))

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedEnsemble:
        """See `Surrogate.fit`: pretrained on the labelled rows alone."""
        return self.fit_with_unlabelled(X, y, groups, X[:0])

    def fit_with_unlabelled(
        self,
        X: Float[np.ndarray, "n d"],
        y: Float[np.ndarray, " n"],
        groups: Sequence[str],
        unlabelled: Float[np.ndarray, "u d"],
    ) -> FittedEnsemble:
        """See `SemiSupervised.fit_with_unlabelled`.

        Raises:
            InvalidDataError: If there are no columns of the architecture.
        """
        import torch

        columns, free = self._uses(groups)
        rows = np.concatenate([X, unlabelled])
        columns = columns.varying(rows)
        generator = torch.Generator().manual_seed(self.seed)
        sizes = {"first": (len(columns.architecture), self.width), "second": (self.width, self.embedding)}
        weights = layers(sizes, self.n_members, generator)
        if len(free) and self.pretraining_epochs:
            weights = self._pretrained(weights, columns.tensors(rows)[0], rows[:, free], generator)
        sizes = {"head": (self.embedding + len(columns.recipe), self.head_width), "out": (self.head_width, 1)}
        weights |= layers(sizes, self.n_members, generator)
        training = self._training(self.n_epochs, self.batch_size)
        return NetworkEnsemble(training, self.score, huber, self.held_out).fit(columns, X, y, weights)

    def _uses(self, groups: Sequence[str]) -> tuple[ArchitectureAndRecipe, Int[np.ndarray, " f"]]:
        def named(patterns: tuple[str, ...]) -> np.ndarray:
            return np.array([any(fnmatchcase(group, p) for p in patterns) for group in groups], dtype=bool)

        architecture, free = named(self.architecture), named(self.free)
        if not architecture.any():
            msg = (
                f"columns of the architecture must be there, in groups like {self.architecture}, but got "
                f"{sorted(set(groups))}: add an Adjacency encoder, or name your groups in `architecture`"
            )
            raise InvalidDataError(msg)
        recipe = np.flatnonzero(~architecture & ~free)
        return ArchitectureAndRecipe(np.flatnonzero(architecture), recipe), np.flatnonzero(free & ~architecture)

    def _pretrained(
        self,
        weights: dict[str, torch.Tensor],
        x: np.ndarray,
        free: Float[np.ndarray, "m f"],
        generator: torch.Generator,
    ) -> dict[str, torch.Tensor]:
        """Weights of the embedding that tells the free columns."""
        import torch

        inputs = torch.from_numpy(x)
        spread = free.std(axis=0)
        targets = torch.from_numpy(((free - free.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).astype(np.float32))

        def loss(trained: dict[str, torch.Tensor], rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            del generator
            told = affine(trained, "free", _embedded(trained, inputs[rows]))
            return torch.nn.functional.huber_loss(told, targets[rows], delta=_HUBER) * self.n_members

        rows = torch.arange(len(x)).expand(self.n_members, -1)
        training = self._training(self.pretraining_epochs, 4 * self.batch_size)
        head = layers({"free": (self.embedding, free.shape[1])}, self.n_members, generator)
        trained = training.run(weights | head, rows, loss)
        return {name: trained[name] for name in weights}

    def _training(self, epochs: int, batch_size: int) -> Training:
        return Training(epochs, batch_size, self.learning_rate, weight_decay=self.weight_decay, seed=self.seed)

    def score(
        self,
        weights: Mapping[str, torch.Tensor],
        inputs: tuple[torch.Tensor, ...],
        generator: torch.Generator | None,
    ) -> Float[torch.Tensor, "E B"]:
        """See `Scorer`; there is no dropout."""
        del generator
        import torch

        architecture, recipe = inputs
        joined = torch.cat([_embedded(weights, architecture), recipe], dim=-1)
        return affine(weights, "out", torch.relu(affine(weights, "head", joined)))[..., 0]

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedEnsemble:
        """See `Surrogate.from_arrays`."""
        columns = ArchitectureAndRecipe(arrays["architecture"], arrays["recipe"])
        return FittedEnsemble.from_arrays(self.score, columns, arrays)

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return {**asdict(self), "architecture": list(self.architecture), "free": list(self.free)}


@dataclass(frozen=True, eq=False)
class ArchitectureAndRecipe:
    """Which columns are which; those in neither are free.

    Args:
        architecture: Positions of the architecture's columns.
        recipe: Positions of the recipe's columns.
    """

    architecture: Int[np.ndarray, " a"]
    recipe: Int[np.ndarray, " r"]

    def varying(self, X: Float[np.ndarray, "m d"]) -> ArchitectureAndRecipe:
        """Without columns of the architecture that never vary: an encoder has room for more than one family needs."""
        varied = self.architecture[np.ptp(X[:, self.architecture], axis=0) > 0]
        return ArchitectureAndRecipe(varied if len(varied) else self.architecture, self.recipe)

    def tensors(self, X: Float[np.ndarray, "m d"]) -> tuple[np.ndarray, ...]:
        """See `Layout.tensors`."""
        return X[:, self.architecture].astype(np.float32), X[:, self.recipe].astype(np.float32)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Both."""
        return {"architecture": self.architecture, "recipe": self.recipe}


def _embedded(weights: Mapping[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.relu(affine(weights, "second", torch.relu(affine(weights, "first", x))))


def huber(scores: Float[torch.Tensor, "E B"], y: Float[torch.Tensor, "E B"]) -> Any:
    """Mean Huber loss of each member, summed over members."""
    import torch

    return torch.nn.functional.huber_loss(scores, y, reduction="none", delta=_HUBER).mean(dim=1).sum()
