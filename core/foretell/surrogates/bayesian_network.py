"""Perceptrons that tell noise from ignorance, and that can be followed uphill: the surrogate of BOSHNAS.

Tuli, Dedhia, Tuli and Jha, 2022, "FlexiBERT: Are Current Transformer Architectures too Homogeneous and Rigid?",
https://arxiv.org/abs/2205.11656. For continuous columns, such as embeddings of networks, over which a
search by gradients (GOBI) is wanted: `FittedBayesianNetwork.score_gradient`.

Notation: f mean and aleatoric deviation, g teacher with dropout, h student of the deviation of g (epistemic).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from foretell.posterior import GaussianPosterior
from foretell.surrogates.network_ensemble import held_out_rows
from foretell.surrogates.training import Training, affine, dropout, layers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from jaxtyping import Float

_VARIANCE_FLOOR = 1e-6
_PRIOR_ROWS = 2.0  # of the belief that the variance is right as it is
_LEAST_VARIANCE = 1e-3  # of f, in units of the standardised target; unbounded likelihood would follow single rows


@dataclass(frozen=True)
class BayesianNetwork:
    """Settings.

    f is trained by the likelihood of a normal distribution; the paper's natural-parameter network carries variances
    through every layer, ours gives both numbers at the end, which is cheaper and as differentiable. g is trained with
    dropout and squared error, h to repeat the deviation of g's answers at the rows and at rows jittered around them,
    so that it is defined where nothing was observed. Ours: f has several members that leave rows out; on these the
    total variance is scaled by one factor, without which it need not be honest.

    Args:
        width: Units of both hidden layers of f, g and h.
        dropout_rate: Of g.
        n_passes: Answers of g from which its deviation is taken.
        n_jittered: Rows for h per observed row.
        n_members: Members of f.
        held_out: Share of the rows that a member of f does not see.
        learning_rate: First learning rate; falls to 0.
        weight_decay: See `Training`.
        batch_size: Rows a step.
        n_epochs: Passes over the rows, for each of the three.
        seed: Seed of everything.
    """

    name: ClassVar[str] = "bayesian_network"
    width: int = 64
    dropout_rate: float = 0.1
    n_passes: int = 100
    n_jittered: int = 4
    n_members: int = 5
    held_out: float = 0.2
    learning_rate: float = 5e-3
    weight_decay: float = 1e-3
    batch_size: int = 32
    n_epochs: int = 200
    seed: int = 0

    def fit(
        self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]
    ) -> FittedBayesianNetwork:
        """See `Surrogate.fit`; groups are not used."""
        del groups
        import torch

        centre, deviation = float(y.mean()), float(y.std())
        x = torch.from_numpy(X.astype(np.float32))
        target = torch.from_numpy(((y - centre) / (deviation or 1.0)).astype(np.float32))
        held = held_out_rows(len(X), self.n_members, self.held_out, self.seed)
        seen = np.stack([np.setdiff1d(np.arange(len(X)), h) for h in held])
        weights = {f"f.{k}": w.numpy() for k, w in self._train_f(x, target, torch.from_numpy(seen)).items()}
        weights |= {f"h.{k}": w.numpy() for k, w in self._train_h(x, target).items()}
        scale = np.array([centre, deviation, 1.0, _VARIANCE_FLOOR])
        fitted = FittedBayesianNetwork(weights, scale)
        if not len(held[0]):  # too few rows to leave any out: no more is known than the spread of the target
            scale[3] = max(deviation**2, _VARIANCE_FLOOR) if len(X) > 1 else 1.0
            return FittedBayesianNetwork(weights, scale)
        mean, epistemic, aleatoric = fitted.members(X)
        ratios = [
            (y[rows] - mean[e, rows]) ** 2 / (epistemic[rows] ** 2 + aleatoric[e, rows] ** 2 + _VARIANCE_FLOOR)
            for e, rows in enumerate(held)
        ]
        scale[2] = (float(np.sum(ratios)) + _PRIOR_ROWS) / (np.size(ratios) + _PRIOR_ROWS)
        return FittedBayesianNetwork(weights, scale)

    def _train_f(self, x: torch.Tensor, target: torch.Tensor, seen: torch.Tensor) -> dict[str, torch.Tensor]:
        import torch

        def loss(weights: dict[str, torch.Tensor], rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            del generator
            mean, variance = _mean_and_variance(weights, x[rows])
            return (0.5 * variance.log() + 0.5 * (target[rows] - mean) ** 2 / variance).mean(dim=1).sum()

        start = torch.Generator().manual_seed(self.seed)
        return self._training(0).run(self._layers(x.shape[1], 2, self.n_members, start), seen, loss)

    def _train_h(self, x: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        """Train the teacher, then the student of its deviation; one member each, on all rows."""
        import torch

        def teacher_loss(w: dict[str, torch.Tensor], rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            answer = _perceptron(w, x[rows], self.dropout_rate, generator)[..., 0]
            return ((answer - target[rows]) ** 2).mean()

        generator = torch.Generator().manual_seed(self.seed + 1)
        rows = torch.arange(len(x))[None]
        teacher = self._training(1).run(self._layers(x.shape[1], 1, 1, generator), rows, teacher_loss)
        jittered = x.repeat(self.n_jittered, 1)
        jittered = jittered + torch.randn(jittered.shape, generator=generator)
        around = torch.cat([x, jittered])
        with torch.no_grad():
            answers = [
                _perceptron(teacher, around[None], self.dropout_rate, generator)[0, :, 0] for _ in range(self.n_passes)
            ]
        deviation = torch.stack(answers).std(dim=0, correction=0)

        def student_loss(w: dict[str, torch.Tensor], rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            del generator
            return ((_epistemic(w, around[rows]) - deviation[rows]) ** 2).mean()

        rows = torch.arange(len(around))[None]
        batches = Training(
            self.n_epochs, self.batch_size * (1 + self.n_jittered), self.learning_rate, seed=self.seed + 2
        )
        return batches.run(self._layers(x.shape[1], 1, 1, generator), rows, student_loss)

    def _training(self, i: int) -> Training:
        return Training(
            self.n_epochs, self.batch_size, self.learning_rate, weight_decay=self.weight_decay, seed=self.seed + i
        )

    def _layers(self, n_in: int, n_out: int, n_members: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        w = self.width
        return layers({"first": (n_in, w), "second": (w, w), "out": (w, n_out)}, n_members, generator)

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedBayesianNetwork:
        """See `Surrogate.from_arrays`."""
        return FittedBayesianNetwork({k: a for k, a in arrays.items() if k != "scale"}, arrays["scale"])

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class FittedBayesianNetwork:
    """f and h; the teacher is no longer needed.

    Args:
        weights: By name, beginning with `f.` (leading dimension E) or `h.` (leading dimension 1).
        scale: Mean and standard deviation of the target, factor of the variance, variance added to all, 4.
    """

    weights: Mapping[str, np.ndarray]
    scale: Float[np.ndarray, " 4"]

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`: variance is epistemic plus aleatoric."""
        mean = self.members(X)[0].mean(axis=0)
        return GaussianPosterior(mean, np.sqrt(self.epistemic(X) ** 2 + self.aleatoric(X) ** 2))

    def epistemic(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Standard deviation for want of observations, in units of the target."""
        return np.asarray(np.sqrt(self.scale[2]) * self.members(X)[1])

    def aleatoric(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Standard deviation of the noise, in units of the target."""
        return np.asarray(np.sqrt(self.scale[2] * (self.members(X)[2] ** 2).mean(axis=0) + self.scale[3]))

    def members(
        self, X: Float[np.ndarray, "m d"]
    ) -> tuple[Float[np.ndarray, "E m"], Float[np.ndarray, " m"], Float[np.ndarray, "E m"]]:
        """Means of the members of f, epistemic deviation, and aleatoric deviations, before the factor."""
        import torch

        with torch.no_grad():
            mean, epistemic, variance = self._answers(torch.from_numpy(X.astype(np.float32)))
        centre, deviation = self.scale[:2]
        return (
            centre + deviation * mean.numpy().astype(np.float64),
            deviation * epistemic.numpy().astype(np.float64),
            deviation * np.sqrt(variance.numpy().astype(np.float64)),
        )

    def _answers(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        import torch

        f, h = (
            {k.removeprefix(p): torch.tensor(w) for k, w in self.weights.items() if k.startswith(p)}
            for p in ("f.", "h.")
        )
        members = len(f["out.weight"])
        mean, variance = _mean_and_variance(f, x.expand(members, *x.shape))
        return mean, _epistemic(h, x[None])[0], variance

    def score(
        self, X: Float[np.ndarray, "m d"], k_epistemic: float = 0.5, k_aleatoric: float = 0.5
    ) -> Float[np.ndarray, " m"]:
        """Mean + k_epistemic epistemic + k_aleatoric aleatoric of each row (their GOSH), larger is better."""
        mean = self.members(X)[0].mean(axis=0)
        return np.asarray(mean + k_epistemic * self.epistemic(X) + k_aleatoric * self.aleatoric(X))

    def score_gradient(
        self, X: Float[np.ndarray, "m d"], k_epistemic: float = 0.5, k_aleatoric: float = 0.5
    ) -> Float[np.ndarray, "m d"]:
        """Gradient of `score` in each row.

        Follow it uphill from known rows, then take the nearest candidate, as GOBI does.
        """
        import torch

        x = torch.from_numpy(X.astype(np.float32)).requires_grad_()
        mean, epistemic, variance = self._answers(x)
        _, deviation, factor, floor = self.scale.tolist()
        noise = (factor * deviation**2 * variance.mean(dim=0) + floor).sqrt()
        score = deviation * (mean.mean(dim=0) + k_epistemic * factor**0.5 * epistemic) + k_aleatoric * noise
        (gradient,) = torch.autograd.grad(score.sum(), x)
        return np.asarray(gradient.numpy(), dtype=np.float64)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        return {**self.weights, "scale": self.scale}


def _perceptron(
    weights: Mapping[str, torch.Tensor], x: torch.Tensor, rate: float = 0.0, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Two hidden layers; smooth, since their gradient in x is followed."""
    from torch.nn import functional as F

    x = dropout(F.silu(affine(weights, "first", x)), rate, generator)
    return affine(weights, "out", dropout(F.silu(affine(weights, "second", x)), rate, generator))


def _mean_and_variance(weights: Mapping[str, torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    from torch.nn import functional as F

    out = _perceptron(weights, x)
    return out[..., 0], F.softplus(out[..., 1]) + _LEAST_VARIANCE


def _epistemic(weights: Mapping[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional as F

    return F.softplus(_perceptron(weights, x)[..., 0])
