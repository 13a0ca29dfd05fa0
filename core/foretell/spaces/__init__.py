"""Spaces of networks as programs, and searches over them."""

from foretell.spaces.branches import Branches, added, attended, multiplied
from foretell.spaces.chain import Chain
from foretell.spaces.choice import Choice, Maybe
from foretell.spaces.grammar import Grammar, Rule, Symbol
from foretell.spaces.layer import Layer
from foretell.spaces.part import Part, Plan, Scope
from foretell.spaces.repeat import Repeat, Stack
from foretell.spaces.space import Space
from foretell.spaces.trace import Trace, Tracer
from foretell.spaces.trial import Trial
from foretell.spaces.written import written

__all__ = [
    "Branches",
    "Chain",
    "Choice",
    "Grammar",
    "Layer",
    "Maybe",
    "Part",
    "Plan",
    "Repeat",
    "Rule",
    "Scope",
    "Space",
    "Stack",
    "Symbol",
    "Trace",
    "Tracer",
    "Trial",
    "added",
    "attended",
    "multiplied",
    "written",
]
