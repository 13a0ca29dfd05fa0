"""Several surrogates side by side, each with the weight that its ranking of unseen observations earns.

Every member answers for each observation as if it had not seen it; the rank agreement of these answers with the targets
(Kendall's tau) decides its weight. A member that only remembers, or a prior that misleads, is outvoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from foretell.errors import InvalidDataError
from foretell.metrics import kendall_tau
from foretell.posterior import GaussianPosterior
from foretell.surrogates.surrogate import FittedSurrogate, Surrogate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jaxtyping import Float


class FittedMember(FittedSurrogate, Protocol):
    """A fitted surrogate that can leave one out."""

    def leave_one_out(self) -> GaussianPosterior:
        """Belief about each observation given the others."""
        ...


@dataclass(frozen=True)
class Stack:
    """Members and how sharply the better ones are preferred.

    The weights are the softmax of tau / temperature, drawn towards prior ones while observations are few:
    w = (n softmax + c prior) / (n + c) for n observations and c the prior's count.

    Args:
        members: Surrogates whose fitted form has `leave_one_out`: a Gaussian process, a `CrossFitted` of anything.
        temperature: Difference in tau that makes a member count e times as much.
        prior: Weights without observations, which sum to 1; equal ones if none are given.
        prior_count: Observations by which the prior weights count as if they had been earned.

    Raises:
        InvalidDataError: If there is no member, the temperature is not positive, or the prior weights are none.
    """

    name: ClassVar[str] = "stack"
    members: tuple[Surrogate, ...]
    temperature: float = 0.05
    prior: tuple[float, ...] = ()
    prior_count: float = 10.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "prior", tuple(self.prior))
        if not self.members or not self.temperature > 0:
            msg = f"a stack needs members and a positive temperature, but got {self.members=}, {self.temperature=}"
            raise InvalidDataError(msg)
        weights = not self.prior or (
            len(self.prior) == len(self.members) and min(self.prior) >= 0 and abs(sum(self.prior) - 1.0) < 1e-6
        )
        if not weights or not self.prior_count >= 0:
            msg = (
                "prior weights must be one a member, none below 0, and sum to 1, with `prior_count >= 0`, but got "
                f"{self.prior=}, {self.prior_count=} for {len(self.members)} members: leave them out for equal ones"
            )
            raise InvalidDataError(msg)

    def fit(self, X: Float[np.ndarray, "n d"], y: Float[np.ndarray, " n"], groups: Sequence[str]) -> FittedStack:
        """See `Surrogate.fit`."""
        fitted = [member.fit(X, y, groups) for member in self.members]
        for member, found in zip(self.members, fitted, strict=True):
            if not hasattr(found, "leave_one_out"):
                msg = f"a member must be able to leave one out, but {member.name} cannot: put it into CrossFitted"
                raise InvalidDataError(msg)
        left_out = [member.leave_one_out() for member in fitted]  # type: ignore[attr-defined]
        agreement = np.array([kendall_tau(y, p.mean) for p in left_out])
        earned = np.exp((agreement - agreement.max()) / self.temperature)
        prior = np.array(self.prior or [1.0 / len(fitted)] * len(fitted))
        weights = (len(y) * earned / earned.sum() + self.prior_count * prior) / (len(y) + self.prior_count)
        return FittedStack(tuple(fitted), weights)  # type: ignore[arg-type]

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> FittedStack:
        """See `Surrogate.from_arrays`."""
        members = []
        for k, member in enumerate(self.members):
            own = {name.split(".", 1)[1]: a for name, a in arrays.items() if name.startswith(f"{k}.")}
            members.append(member.from_arrays(own))
        return FittedStack(tuple(members), arrays["weights"])  # type: ignore[arg-type]

    def to_config(self) -> dict[str, object]:
        """See `Surrogate.to_config`."""
        inner = [{"name": m.name, "config": m.to_config()} for m in self.members]
        return {
            "members": inner, "temperature": self.temperature, "prior": list(self.prior),
            "prior_count": self.prior_count,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class FittedStack:
    """Fitted members with their weights.

    Args:
        members: The members.
        weights: Their weights, which sum to 1.
    """

    members: tuple[FittedMember, ...]
    weights: Float[np.ndarray, " members"]

    def predict(self, X: Float[np.ndarray, "m d"]) -> GaussianPosterior:
        """See `FittedSurrogate.predict`; the mixture's mean and standard deviation."""
        return _mixed([member.predict(X) for member in self.members], self.weights)

    def leave_one_out(self) -> GaussianPosterior:
        """Belief about each observation given the others; the weights are held."""
        return _mixed([member.leave_one_out() for member in self.members], self.weights)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """See `FittedSurrogate.to_arrays`."""
        arrays = {f"{k}.{name}": a for k, m in enumerate(self.members) for name, a in m.to_arrays().items()}
        return {**arrays, "weights": self.weights}


def _mixed(each: Sequence[GaussianPosterior], weights: Float[np.ndarray, " members"]) -> GaussianPosterior:
    means = np.stack([p.mean for p in each])
    variances = np.stack([p.std**2 for p in each])
    mean = weights @ means
    return GaussianPosterior(mean, np.sqrt(weights @ variances + weights @ (means - mean) ** 2))
