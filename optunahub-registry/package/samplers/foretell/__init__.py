"""The sampler, the pruner and the stop rule, for `optunahub.load_module("samplers/foretell")`; the code is foretell's."""

from foretell_adapters.optuna import ForetellPruner, ForetellSampler, StopWhenDone

__all__ = ["ForetellPruner", "ForetellSampler", "StopWhenDone"]
