"""The samplers that ours is measured beside, each with its default settings: Optuna's own, and some of OptunaHub.

OptunaHub's are read from a checkout of its registry, whose folder the environment variable `FORETELL_OPTUNAHUB` names;
nothing is downloaded. They need the package `optunahub` and what each asks for itself.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna

from foretell.errors import InvalidDataError
from foretell_adapters.optuna.demo import suggest
from foretell_adapters.optuna.sampler import ForetellSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optuna.distributions import BaseDistribution

    from foretell.benchmarks.search_spaces.problem import SearchProblem
    from foretell.search_space import SearchSpace

_REGISTRY = "FORETELL_OPTUNAHUB"


@dataclass(frozen=True)
class HubPeer:
    """A sampler of OptunaHub.

    Args:
        package: Its folder in the registry.
        make: From the loaded module, the space, the number of trials and a seed to the sampler.
        needs: What has to be importable.
        every_parameter: Whether every trial must have every parameter.
    """

    package: str
    make: Callable[[Any, Mapping[str, BaseDistribution], int, int], optuna.samplers.BaseSampler]
    needs: tuple[str, ...] = ()
    every_parameter: bool = False


HUB: Mapping[str, HubPeer] = {
    "auto": HubPeer("samplers/auto_sampler", lambda m, _space, _n, seed: m.AutoSampler(seed=seed), ("cmaes",)),
    "confopt": HubPeer(
        "samplers/confopt_sampler",
        lambda m, space, _n, seed: m.ConfOptSampler(space, seed=seed),
        ("confopt",),
        every_parameter=True,
    ),
    "hebo": HubPeer("samplers/hebo", lambda m, space, _n, seed: m.HEBOSampler(space, seed=seed), ("hebo",), True),
    "smac": HubPeer(
        "samplers/smac_sampler",
        # it takes seed 0 for none, and writes down what it did
        lambda m, space, n, seed: m.SMACSampler(space, n, seed=seed + 1, output_directory=tempfile.mkdtemp()),
        ("smac",),
        every_parameter=True,
    ),
}
"""Samplers of OptunaHub by their name here."""
PEERS: tuple[str, ...] = ("tpe", "tpe-group", "gp", "cmaes", "nsgaii", "random", *HUB)
"""All by name."""


@cache
def why_not(method: str) -> str | None:
    """Why a sampler cannot run here, None if it can."""
    if method == "cmaes":
        return _missing(("cmaes",))
    if method not in HUB:
        return None
    needed = _missing(("optunahub", *HUB[method].needs))
    if needed:
        return needed
    folder = os.environ.get(_REGISTRY)
    if not folder or not (Path(folder) / "package" / HUB[method].package).is_dir():
        return f"which is read from a checkout of OptunaHub's registry: set {_REGISTRY} to its folder"
    try:
        _loaded(method)
    except Exception as e:  # noqa: BLE001 - other people's code against other versions
        return f"whose code does not load here ({type(e).__name__}: {e}): install the versions that it asks for"
    return None


def make_sampler(
    method: str, seed: int, space: SearchSpace | None = None, n_trials: int = 100
) -> optuna.samplers.BaseSampler:
    """A peer, or ours without the network in view.

    Args:
        method: A name of `PEERS`, or "foretell".
        seed: Seed.
        space: What will be searched; some samplers of OptunaHub must know.
        n_trials: How many trials there will be; likewise.

    Raises:
        InvalidDataError: If it is none of them, or cannot run.
    """
    if method == "foretell":
        return ForetellSampler(seed=seed, warn_independent_sampling=False)
    if method not in PEERS or (reason := why_not(method)):
        cause = f"{method} cannot run, {reason}" if method in PEERS else f"got {method!r}: see `PEERS`"
        msg = f"a peer is one of {', '.join(PEERS)} that runs here, but {cause}"
        raise InvalidDataError(msg)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if method in HUB:
            return HUB[method].make(_loaded(method), distributions(space) if space else {}, n_trials, seed)
        kinds: dict[str, tuple[Any, dict[str, Any]]] = {
            "tpe": (optuna.samplers.TPESampler, {}),
            "tpe-group": (optuna.samplers.TPESampler, {"multivariate": True, "group": True}),
            "gp": (optuna.samplers.GPSampler, {}),
            "cmaes": (optuna.samplers.CmaEsSampler, {"warn_independent_sampling": False}),
            "nsgaii": (optuna.samplers.NSGAIISampler, {}),
            "random": (optuna.samplers.RandomSampler, {}),
        }
        kind, settings = kinds[method]
        made: optuna.samplers.BaseSampler = kind(seed=seed, **settings)
    return made


def sampler_of(method: str, seed: int, problem: SearchProblem, n_trials: int = 100) -> optuna.samplers.BaseSampler:
    """The sampler that searches a problem; `foretell+graph` sees its networks, `foretell+pretrained` knows others."""
    if method in {"foretell+graph", "foretell+pretrained"}:
        weights = "foretell-pretrained" if method == "foretell+pretrained" else None
        return ForetellSampler(seed=seed, graph=problem.graph, pretrained=weights, warn_independent_sampling=False)
    return make_sampler(method, seed, problem.space, n_trials)


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """A space without conditions in Optuna's terms."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trial = study.ask()
    suggest(trial, space)
    return dict(trial.distributions)


def _missing(packages: tuple[str, ...]) -> str | None:
    absent = [p for p in packages if importlib.util.find_spec(p) is None]
    return f"which needs {' and '.join(absent)}: pip install {' '.join(absent)}" if absent else None


@cache
def _loaded(method: str) -> Any:
    import optunahub

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optunahub.load_local_module(HUB[method].package, registry_root=f"{os.environ[_REGISTRY]}/package")
