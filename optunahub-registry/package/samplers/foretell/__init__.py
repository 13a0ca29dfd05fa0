from foretell_adapters.optuna import ForetellPruner, ForetellSampler, StopWhenDone

__all__ = ["ForetellPruner", "ForetellSampler", "StopWhenDone"]
