"""Our own adapters under the contract that third parties subclass."""

from __future__ import annotations

from foretell_plugins.testing import AdapterContract


class TestOptuna(AdapterContract):
    name = "optuna"


class TestNNITuner(AdapterContract):
    name = "nni-tuner"


class TestNNIStrategy(AdapterContract):
    name = "nni-strategy"


class TestNASLib(AdapterContract):
    name = "naslib"
