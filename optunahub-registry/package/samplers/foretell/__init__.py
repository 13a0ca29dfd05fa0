"""Sampler, pruner and stop rule of foretell, for `optunahub.load_module("samplers/foretell")`."""

from foretell_adapters.optuna import ForetellPruner, ForetellSampler, StopWhenDone

__all__ = ["ForetellPruner", "ForetellSampler", "StopWhenDone"]
