"""Latent sampling: the sampled maps by their moments, bodies that roll, and pseudo-labels on a real supernet."""

from __future__ import annotations

import runpy
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from foretell.aio_p.latent_sampling import LatentSampling, Taps, pseudo_label, sample_latent
from foretell.errors import InvalidDataError
from foretell.metrics import spearman_rho

EXAMPLE = Path(__file__).parents[2] / "examples/latent_sampling.py"


def scaled(factor: float):
    """A body with one level."""
    return lambda x: [factor * x]


def test_samples_have_the_mean_and_the_deviation_of_the_bodies() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(5, 1, 3, generator=generator)
    drawn = torch.stack([sample_latent([[m] for m in maps], generator)[0] for _ in range(2000)])
    torch.testing.assert_close(drawn.mean(dim=0), maps.mean(dim=0), atol=0.06, rtol=0)
    torch.testing.assert_close(drawn.std(dim=0), maps.std(dim=0, correction=0), atol=0.06, rtol=0)


def test_one_body_is_body_swap() -> None:
    levels = [torch.randn(2, 4), torch.randn(2, 3)]
    for found, level in zip(sample_latent([levels], torch.Generator()), levels, strict=True):
        assert torch.equal(found, level)


def test_bodies_roll_one_at_a_time_each_from_its_bin() -> None:
    drawn: list[tuple[int, float]] = []

    def bin_of(i: int):
        def draw(generator: torch.Generator):
            drawn.append((i, float(torch.rand(1, generator=generator))))
            return scaled(drawn[-1][1])

        return draw

    sampling = LatentSampling((bin_of(0), bin_of(1), bin_of(2)))
    sets = list(islice(sampling.rolling(torch.Generator().manual_seed(0)), 7))
    assert [i for i, _ in drawn] == [0, 1, 2, 0, 1, 2, 0, 1, 2]
    for before, after in pairwise(sets):
        assert sum(a is not b for a, b in zip(before, after, strict=True)) == 1
    assert sets[0][0] is not sets[1][0]
    assert sets[0][1:] == sets[1][1:]


def test_a_head_learns_to_read_any_body_and_itself_stays() -> None:
    bins = tuple(lambda g, k=k: scaled(k + float(torch.rand(1, generator=g))) for k in (1, 2))
    head = nn.Linear(1, 1)
    start = head.weight.clone()

    def batches():
        generator = torch.Generator().manual_seed(1)
        while True:
            x = torch.randn(32, 1, generator=generator)
            yield x, 2.0 * x

    learnt = LatentSampling(bins, learning_rate=0.05).train(head, islice(batches(), 100), F.mse_loss)
    again = LatentSampling(bins, learning_rate=0.05).train(head, islice(batches(), 100), F.mse_loss)
    assert torch.equal(head.weight, start)
    assert torch.equal(learnt.weight, again.weight)
    assert 0.8 < learnt.weight.item() < 1.6  # between the best for the strongest body, 2 / 3, and for the weakest, 2

    def metric(network) -> float:
        x, y = next(batches())
        return -float(F.mse_loss(network(x), y))

    values = [pseudo_label(scaled(k), learnt, batches(), F.mse_loss, metric, steps=3) for k in (2.0, 30.0)]
    assert values[0] > values[1]


def test_taps_make_a_body_of_a_module_and_take_their_hooks_away() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 3, 3))
    x = torch.randn(2, 1, 8, 8)
    first, last = Taps(module, ["2", "1"])(x)
    torch.testing.assert_close(first, module(x).detach())
    torch.testing.assert_close(last, module[:2](x).detach())
    assert not first.requires_grad
    assert not any(part._forward_hooks for part in module.modules())
    with pytest.raises(InvalidDataError, match=r"taps must be submodules.*choose of \['0', '1', '2'\]"):
        Taps(module, ["3"])


def test_bodies_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"same shapes.*\(1, 2\).*\(1, 3\)"):
        sample_latent([[torch.zeros(1, 2)], [torch.zeros(1, 3)]], torch.Generator())
    with pytest.raises(InvalidDataError, match="at least one bin"):
        LatentSampling(())


def test_pseudo_labels_of_a_real_supernet_agree_with_heads_of_their_own() -> None:
    measure = runpy.run_path(str(EXAMPLE))["measure"]
    found = measure(bodies=8, steps=60, ways=("latent sampling",))
    true = found["true"]
    assert len(true) >= 6
    assert np.ptp(true) > 0.05
    assert spearman_rho(true, found["latent sampling"]) > 0.3
