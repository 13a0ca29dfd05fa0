"""A plugin: after `pip install examples/encoder_plugin`, `foretell plugins` lists it and checkpoints may name it."""

import numpy as np

from foretell.encoders import Encoding
from foretell_plugins import hookimpl


class NodeCount:
    """One column: the logarithm of the number of operators."""

    name = "node_count"

    def encode(self, candidates):
        """A row a candidate; a network that is not known is absent."""
        counts = [[np.nan if c.graph is None else np.log2(len(c.graph))] for c in candidates]
        return Encoding(np.array(counts), ("nodes",), ("nodes",), np.zeros(1, dtype=bool))

    def to_config(self):
        """No settings."""
        return {}


@hookimpl
def foretell_register_encoders(register):
    """Name it."""
    register("node_count", lambda config: NodeCount())
