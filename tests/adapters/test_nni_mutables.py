"""Labelled mutables of NNI as a search space of ours, and samples to and fro."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foretell.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from foretell.errors import InvalidSearchSpaceError

pytest.importorskip("nni")
pytestmark = pytest.mark.nni

from nni.mutable import Categorical, CategoricalMultiple, MutableDict, Numerical, SampleValidationError
from nni.mutable.annotation import ExpressionConstraint
from nni.mutable.mutable import LabeledMutable
from scipy.stats import beta

from foretell_adapters.nni.mutables import MutableSpace, sample_key

MUTABLES = {
    "op": lambda: Categorical(["conv", "pool"], label="op"),
    "kernel": lambda: Categorical([(1, 1), (3, 3)], label="kernel"),
    "mixed": lambda: Categorical([1, "1", None, "t"], label="mixed"),
    "inputs": lambda: CategoricalMultiple(["a", "b", "c", "d"], n_chosen=2, label="inputs"),
    "any": lambda: CategoricalMultiple([2, 3, 5], label="any"),
    "many": lambda: CategoricalMultiple(range(16), n_chosen=8, label="many"),
    "lr": lambda: Numerical(0.001, 0.1, log_distributed=True, label="lr"),
    "drop": lambda: Numerical(0, 0.5, label="drop"),
    "batch": lambda: Numerical(16, 128, quantize=16, label="batch"),
    "qlog": lambda: Numerical(0.001, 1, log_distributed=True, quantize=0.05, label="qlog"),
    "normal": lambda: Numerical(mu=1, sigma=2, label="normal"),
    "clipped": lambda: Numerical(-1, 1, mu=0, sigma=1, label="clipped"),
    "lognormal": lambda: Numerical(mu=4, sigma=1, log_distributed=True, quantize=0.5, label="lognormal"),
    "beta": lambda: Numerical(distribution=beta(2, 5), label="beta"),
}


@pytest.mark.parametrize("label", MUTABLES)
def test_our_samples_are_valid_and_found_again(label: str) -> None:
    mutable = MUTABLES[label]()
    space = MutableSpace.parse({label: mutable})
    rng = np.random.default_rng(0)
    for _ in range(50):
        sample = space.to_sample(space.search_space.sample(rng))
        mutable.validate(sample)
        config = space.from_sample(sample)
        assert space.search_space.contains(config)
        again = space.to_sample(config)
        assert again == pytest.approx(sample) if isinstance(sample[label], float) else again == sample


@pytest.mark.parametrize("label", MUTABLES)
def test_nnis_samples_are_found_again(label: str) -> None:
    mutable = MUTABLES[label]()
    space = MutableSpace.parse({label: mutable})
    for seed in range(30):
        sample: dict[str, Any] = {}
        mutable.random(memo=sample, random_state=np.random.RandomState(seed))
        config = space.from_sample(sample)
        assert space.search_space.contains(config)
        if label not in {"normal", "clipped", "lognormal", "beta"}:  # whose tails are cut
            assert sample_key(space.to_sample(config)) == sample_key(sample)


def test_distributions() -> None:
    space = MutableSpace.parse({label: make() for label, make in MUTABLES.items()}).search_space
    found = space.distributions
    assert found["op"] == CategoricalDistribution(("conv", "pool"))
    assert found["kernel"] == CategoricalDistribution(("[1, 1]", "[3, 3]"))
    assert found["inputs"].size == 6
    assert found["any/0"] == CategoricalDistribution((False, True))
    assert sum(name.startswith("many/") for name in found) == 16
    assert found["lr"] == FloatDistribution(0.001, 0.1, log=True)
    assert found["batch"] == IntDistribution(1, 8)
    assert all(type(name) is str for name in found), "NNI's own kind of string does not survive its checkpoints"


def test_constraints_add_no_dimension_and_refuse_samples() -> None:
    a, b = Categorical([1, 2], label="a"), Categorical([1, 2], label="b")
    both = MutableDict({"a": a, "b": b, "c": ExpressionConstraint(a + b == 3, label="c")})
    space = MutableSpace.parse(both.simplify())
    assert space.search_space.names == ("a", "b")
    both.validate(space.to_sample({"a": 1, "b": 2}))
    with pytest.raises(SampleValidationError):
        both.validate(space.to_sample({"a": 1, "b": 1}))


def test_unknown_mutable_and_missing_label_are_answered_with_a_sentence() -> None:
    class Odd(LabeledMutable):
        label = "odd"

    with pytest.raises(InvalidSearchSpaceError, match="'odd' is Odd: let its `leaf_mutables`"):
        MutableSpace.parse({"odd": Odd()})
    with pytest.raises(InvalidSearchSpaceError, match=r"\['op'\] are missing"):
        MutableSpace.parse({"op": MUTABLES["op"]()}).from_sample({})
