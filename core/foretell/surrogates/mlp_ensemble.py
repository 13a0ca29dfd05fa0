"""An ensemble of deep, narrow perceptrons: the surrogate of BANANAS, for any columns.

White, Neiswanger and Savani, 2021, "BANANAS: Bayesian Optimization with Neural Architectures for Neural Architecture
Search", https://arxiv.org/abs/1910.11858. There the columns are path encodings.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from foretell.surrogates.network_ensemble import AllColumns, FittedEnsemble, NetworkEnsemble
from foretell.surrogates.training import Training, affine, layers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import torch
    from jaxtyping import Float


@dataclass(frozen=True)
class MlpEnsemble:
    """Settings; number, depth and width are the paper's, the learning rate and what follows are ours.

    The loss is the relative error against a bound that no network passes: theirs divides by error less a
    lower bound of the error, ours by an upper bound of the target less the target, so the best count most. Ours too:
    each member leaves rows out, which scales the spread (`network_ensemble`); theirs is the members' spread alone.

    Args:
        n_members: Perceptrons.
        n_layers: Hidden layers.
        width: Units of each.
        margin: Distance from the best target to the bound, in standard deviations of the target.
        learning_rate: First learning rate; falls to 0.
        weight_decay: See `Training`.
        batch_size: Rows a step.
        n_epochs: Passes over the rows.
        held_out: Share of the rows that a member does not see.
        seed: Seed of weights and order.
    """

    name: ClassVar[str] = "mlp_ensemble"
    n_members: int = 5
    n_layers: int = 10
    width: int = 20
    margin: float = 0.5
    learning_rate: float = 0.01
    weight_decay: float = 1e-4
    batch_size: int = 32
    n_epochs: int = 150
    held_out: float = 0.2
    seed: int = 0

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedEnsemble:
        """See `Surrogate.fit`; groups are not used."""
        del groups
        import torch

        sizes = {f"hidden{i}": (self.width if i else X.shape[1], self.width) for i in range(self.n_layers)}
        weights = layers(sizes | {"out": (self.width, 1)}, self.n_members, torch.Generator().manual_seed(self.seed))
        for name in sizes:  # uniform within sqrt(6 / inputs) keeps the scale of ten rectified layers (He et al., 2015)
            weights[f"{name}.weight"] *= 6.0**0.5
        training = Training(
            self.n_epochs, self.batch_size, self.learning_rate, weight_decay=self.weight_decay, seed=self.seed
        )
        loss = partial(relative_error, bound=float(y.max()) + self.margin)
        return NetworkEnsemble(training, self.score, loss, self.held_out).fit(AllColumns(), X, y, weights)

    def score(
        self,
        weights: Mapping[str, torch.Tensor],
        inputs: tuple[torch.Tensor, ...],
        generator: torch.Generator | None,
    ) -> Float[torch.Tensor, "E B"]:
        """See `Scorer`; there is no dropout."""
        del generator
        import torch

        (x,) = inputs
        for i in range(self.n_layers):
            x = torch.relu(affine(weights, f"hidden{i}", x))
        return affine(weights, "out", x)[..., 0]

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedEnsemble:
        """See `Surrogate.from_arrays`."""
        return FittedEnsemble.from_arrays(self.score, AllColumns(), arrays)

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return asdict(self)


def relative_error(scores: Float[torch.Tensor, "E B"], y: Float[torch.Tensor, "E B"], bound: float) -> torch.Tensor:
    """Mean of |score - y| / (bound - y) of each member, summed over members."""
    return ((scores - y).abs() / (bound - y)).mean(dim=1).sum()
