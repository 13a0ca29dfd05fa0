"""From a computation graph back to a network that trains, the inverse of `foretell.capture`."""

from foretell.compile.network import CompiledNetwork, compile_graph

__all__ = ["CompiledNetwork", "compile_graph"]
