"""A probabilistic context-free grammar of networks: rules that may contain each other, down to some depth.

As in einspace (Ericsson et al., 2024, "einspace: Searching for Neural Architectures from Fundamental Operations",
https://arxiv.org/abs/2405.20838) a module is a sequence of modules, branches, a change of layout around a module, or a
computation. A symbol stands for its rules; a rule is any part, with symbols inside it. What differs: a depth bounds the
nesting of rules, where einspace draws with falling chances; and rules of one symbol keep one layout, so that every
derivation is a network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foretell.errors import InvalidSearchSpaceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from foretell.spaces.part import Part, Plan, Scope, Shape


@dataclass(frozen=True)
class Symbol:
    """A place where one of the rules of a symbol goes, by a parameter named `is`.

    Args:
        symbol: Its name in the grammar around it.
    """

    symbol: str

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`.

        Raises:
            InvalidSearchSpaceError: If no grammar is around it.
        """
        if scope.grammar is None:
            msg = f"a symbol needs a grammar around it, but {self.symbol!r} has none: put it into a Grammar's rules"
            raise InvalidSearchSpaceError(msg)
        options = scope.grammar.allowed(self.symbol, scope.depth)
        label = scope.choice("is", list(options), [rule.weight for rule in options.values()])
        return options[label].part.plan(scope.inside(label, scope.depth - 1), shape)

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`."""
        return ()

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`."""
        return symbols[self.symbol]


@dataclass(frozen=True)
class Rule:
    """What a symbol may become.

    Args:
        part: Any part, with symbols inside it or not.
        weight: Its chance, before all of the symbol's that fit are scaled to sum to 1.
    """

    part: Part
    weight: float = 1.0


class Grammar:
    """Rules by symbol and label, as a part.

    Args:
        rules: Symbol -> label -> rule.
        start: The symbol to begin with.
        depth: How many rules may lie within each other, the first included.

    Raises:
        InvalidSearchSpaceError: If a symbol has no rules, or cannot end within the depth.

    >>> from torch import nn
    >>> from foretell.spaces import Chain, Layer
    >>> act = Layer("relu", lambda shape: nn.ReLU())
    >>> rules = {"M": {"seq": Rule(Chain(Symbol("M"), Symbol("M"))), "relu": Rule(act), "tanh": Rule(act)}}
    >>> [Grammar(rules, "M", depth).members({}) for depth in (1, 2, 3)]  # m = 2 + m^2
    [2, 6, 38]
    """

    def __init__(self, rules: Mapping[str, Mapping[str, Rule]], start: str, depth: int) -> None:
        self.rules = {symbol: dict(options) for symbol, options in rules.items()}
        self.start, self.depth = start, depth
        unknown = {s for options in self.rules.values() for r in options.values() for s in _symbols(r.part)}
        unknown = (unknown | {start}) - set(self.rules)
        if unknown or depth < 1:
            msg = (
                f"a grammar needs `depth >= 1` and rules for each symbol, but {depth=} and {sorted(unknown)} have none"
            )
            raise InvalidSearchSpaceError(f"{msg}: add them")
        self._allowed: dict[tuple[str, int], dict[str, Rule]] = {}
        self._heights = self._shortest()
        if self._height(start) > depth:
            msg = f"a grammar must be able to end, but {start!r} needs depth {self._height(start)} and has {depth}"
            raise InvalidSearchSpaceError(f"{msg}: raise depth, or add a rule without symbols")

    def allowed(self, symbol: str, depth: int) -> dict[str, Rule]:
        """The rules of a symbol that can end within a depth, by label."""
        known = self._allowed.get((symbol, depth))
        if known is None:
            known = {k: r for k, r in self.rules[symbol].items() if self._heights[symbol, k] <= depth}
            self._allowed[symbol, depth] = known
        return known

    def plan(self, scope: Scope, shape: Shape) -> Plan:
        """See `Part.plan`."""
        return Symbol(self.start).plan(replace(scope, grammar=self, depth=self.depth), shape)

    def inner(self) -> Iterable[Part]:
        """See `Part.inner`; its rules are not among them, since their symbols are its own."""
        return ()

    def members(self, symbols: Mapping[str, float]) -> float:
        """See `Part.members`; derivations, of which some are the same network."""
        del symbols
        counts: dict[str, float] = dict.fromkeys(self.rules, 0)
        for depth in range(1, self.depth + 1):
            counts = {
                symbol: sum(rule.part.members(counts) for rule in self.allowed(symbol, depth).values())
                for symbol in self.rules
            }
        return counts[self.start]

    def _height(self, symbol: str) -> float:
        return min((self._heights[symbol, k] for k in self.rules[symbol]), default=math.inf)

    def _shortest(self) -> dict[tuple[str, str], float]:
        """How deep the shallowest derivation of each rule is."""
        self._heights = {(s, k): math.inf for s, options in self.rules.items() for k in options}
        for _ in range(len(self.rules) + 1):
            self._heights = {
                (s, k): 1 + max((self._height(inside) for inside in _symbols(rule.part)), default=0)
                for s, options in self.rules.items()
                for k, rule in options.items()
            }
        return self._heights


def _symbols(part: Part) -> list[str]:
    own = [part.symbol] if isinstance(part, Symbol) else []
    return own + [symbol for inside in part.inner() for symbol in _symbols(inside)]
