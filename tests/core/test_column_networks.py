"""Perceptron ensembles over plain columns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from foretell import FloatDistribution, Hyperparameters, Predictor, SearchSpace
from foretell.errors import CheckpointError
from foretell.metrics import kendall_tau, spearman_rho
from foretell.surrogates import SURROGATES, BayesianNetwork, MlpEnsemble
from foretell.surrogates.mlp_ensemble import relative_error
from foretell.surrogates.training import Training, affine, dropout, layers

ALL = [MlpEnsemble(n_epochs=100), BayesianNetwork(n_epochs=100)]
EACH = pytest.mark.parametrize("surrogate", ALL, ids=lambda s: s.name)
TINY = [MlpEnsemble(n_layers=3, n_epochs=3), BayesianNetwork(width=8, n_passes=5, n_epochs=3)]
EACH_TINY = pytest.mark.parametrize("surrogate", TINY, ids=lambda s: s.name)


def data(n: int, seed: int = 0, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    return X, 0.8 * np.tanh(X[:, 0]) + 0.6 * X[:, 1] + noise * rng.standard_normal(n)


@EACH
def test_held_out_rows_are_ranked_and_covered(surrogate: object) -> None:
    X, y = data(120)
    new, truth = data(300, seed=1)
    posterior = surrogate.fit(X, y, ("g",) * 5).predict(new)  # type: ignore[attr-defined]
    assert kendall_tau(truth, posterior.mean) > 0.6
    inside = np.abs(truth - posterior.mean) < 1.645 * posterior.std
    assert 0.75 < inside.mean() <= 0.995


@EACH_TINY
def test_arrays_and_settings_round_trip(surrogate: object) -> None:
    X, y = data(30)
    fitted = surrogate.fit(X, y, ("g",) * 5)  # type: ignore[attr-defined]
    again = surrogate.fit(X, y, ("g",) * 5)  # type: ignore[attr-defined]
    rebuilt = SURROGATES.make(surrogate.name, surrogate.to_config())  # type: ignore[attr-defined]
    assert rebuilt == surrogate
    stored = rebuilt.from_arrays({k: a.copy() for k, a in fitted.to_arrays().items()})
    for other in (again, stored):
        np.testing.assert_array_equal(other.predict(X).mean, fitted.predict(X).mean)
        np.testing.assert_array_equal(other.predict(X).std, fitted.predict(X).std)
    order = np.random.default_rng(0).permutation(30)
    np.testing.assert_allclose(fitted.predict(X[order]).mean, fitted.predict(X).mean[order], atol=1e-5)
    assert fitted.predict(X[:0]).mean.shape == (0,)


@EACH_TINY
@pytest.mark.parametrize(("n", "d"), [(1, 3), (2, 3), (7, 3), (12, 0), (1, 0)])
def test_degenerate_inputs(surrogate: object, n: int, d: int) -> None:
    X = np.random.default_rng(0).standard_normal((n, d))
    for y in (np.linspace(-1, 1, n), np.full(n, 0.3)):
        posterior = surrogate.fit(X, y, ("g",) * d).predict(np.zeros((4, d)))  # type: ignore[attr-defined]
        assert np.isfinite(posterior.mean).all()
    np.testing.assert_allclose(posterior.mean, 0.3, atol=1e-6)
    if n == 1:
        assert posterior.std == pytest.approx(np.ones(4), abs=0.01)  # all that one row leaves is the prior


def test_members_trained_together_are_those_trained_alone() -> None:
    """Least squares by the shared loop: two members with other rows against each alone, and the closed form."""
    rng = np.random.default_rng(0)
    X = torch.from_numpy(rng.standard_normal((40, 3)).astype(np.float32))
    y = X @ torch.tensor([1.0, -2.0, 0.5]) + 0.7
    weights = layers({"out": (3, 1)}, 2, torch.Generator().manual_seed(0))
    rows = torch.stack([torch.arange(20), torch.arange(20, 40)])

    def loss(w: dict[str, torch.Tensor], batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return ((affine(w, "out", X[batch])[..., 0] - y[batch]) ** 2).mean(dim=1).sum()

    whole = Training(300, 20, 0.05)  # one batch is all rows, so that their order does not count
    both = whole.run(weights, rows, loss)
    for e in range(2):
        alone = whole.run({k: w[e : e + 1] for k, w in weights.items()}, rows[e : e + 1], loss)
        np.testing.assert_allclose(both["out.weight"][e], alone["out.weight"][0], atol=1e-5)
        np.testing.assert_allclose(both["out.weight"][e, :, 0], [1.0, -2.0, 0.5], atol=1e-3)
        np.testing.assert_allclose(both["out.bias"][e].ravel(), [0.7], atol=1e-3)


def test_dropout_keeps_the_mean_and_needs_a_generator() -> None:
    x = torch.ones(20_000)
    assert dropout(x, 0.3, None) is x
    dropped = dropout(x, 0.3, torch.Generator().manual_seed(0))
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.02)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)


def test_the_relative_error_by_hand() -> None:
    scores, y = torch.tensor([[0.0, 1.0], [2.0, 2.0]]), torch.tensor([[1.0, 1.5], [1.0, 1.0]])
    assert relative_error(scores, y, bound=2.0).item() == pytest.approx((1.0 + 1.0) / 2 + 1.0)


def test_the_variance_has_two_parts() -> None:
    X, y = data(40)
    fitted = BayesianNetwork(n_epochs=20).fit(X, y, ("g",) * 5)
    np.testing.assert_allclose(
        fitted.predict(X).std ** 2, fitted.epistemic(X) ** 2 + fitted.aleatoric(X) ** 2, rtol=1e-12
    )


def test_noise_and_ignorance_are_told_apart() -> None:
    """Noise is where the target was noisy; ignorance grows away from all rows."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 1))
    y = X[:, 0] + np.where(X[:, 0] > 0, 0.6, 0.02) * rng.standard_normal(400)
    fitted = BayesianNetwork(n_epochs=60).fit(X, y, ("g",))
    grid = np.linspace(-0.9, 0.9, 40)[:, None]
    assert spearman_rho(grid[:, 0], fitted.aleatoric(grid)) > 0.6
    assert fitted.epistemic(np.array([[3.0], [-3.0]])).min() > 2 * np.median(fitted.epistemic(grid))


def test_the_gradient_is_that_of_finite_differences() -> None:
    X, y = data(60)
    fitted = BayesianNetwork(n_epochs=30).fit(X, y, ("g",) * 5)

    def score(rows: np.ndarray) -> np.ndarray:
        return fitted.predict(rows).mean + 0.7 * fitted.epistemic(rows) + 0.3 * fitted.aleatoric(rows)

    step = 0.01
    for j in range(5):
        up, down = X.copy(), X.copy()
        up[:, j] += step
        down[:, j] -= step
        slope = (score(up) - score(down)) / (2 * step)
        np.testing.assert_allclose(fitted.score_gradient(X, 0.7, 0.3)[:, j], slope, atol=5e-3)


INSIDE = {"surrogate": {"name": "extra_trees", "config": {"n_trees": 3}}}
NEEDED = {  # settings without a default
    "calibrated": INSIDE, "cross_fitted": INSIDE, "on_groups": {**INSIDE, "groups": ["a", "b *"]},
    "on_trend": INSIDE,
    "stack": {"members": [INSIDE["surrogate"], {"name": "gaussian_process", "config": {}}]},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SURROGATES))
def test_every_registered_name_makes_what_its_json_settings_rebuild(name: str) -> None:
    made = SURROGATES.make(name, NEEDED.get(name, {}))
    assert made.name == name
    assert SURROGATES.make(name, json.loads(json.dumps(made.to_config()))) == made


@EACH_TINY
def test_a_predictor_is_saved_and_loaded(surrogate: object, tmp_path: Path) -> None:
    space = SearchSpace({"lr": FloatDistribution(1e-4, 1e-1, log=True)})
    items = [{"lr": 10.0**e} for e in np.linspace(-4, -1, 12)]
    predictor = Predictor((Hyperparameters(space),), surrogate).fit(items, np.arange(12.0))  # type: ignore[arg-type]
    predictor.save(tmp_path)
    loaded = Predictor.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(items).mean, predictor.predict(items).mean)


def test_damaged_arrays_are_refused() -> None:
    X, y = data(12)
    arrays = TINY[0].fit(X, y, ("g",) * 5).to_arrays()
    with pytest.raises(CheckpointError, match="an ensemble has weights and a scale .* save it again"):
        TINY[0].from_arrays({**arrays, "line": arrays["line"][:2]})
