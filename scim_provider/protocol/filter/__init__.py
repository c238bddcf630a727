"""Filters (RFC 7644 §3.4.2.2): text → tree → resolved tree → whatever an evaluator makes of it.

tree = resolve_filter(parse_filter('emails[type eq "work"]'), schema)
evaluate(tree, evaluator)
"""

from __future__ import annotations

from .normal import normal_form
from .parser import parse_filter, parse_value_path
from .resolver import resolve_filter, resolve_value_filter
from .tree import (
    And,
    Comparison,
    Constant,
    Evaluator,
    Filter,
    Not,
    Operator,
    Or,
    Present,
    ValuePath,
    evaluate,
)

__all__ = [
    "And",
    "Comparison",
    "Constant",
    "Evaluator",
    "Filter",
    "Not",
    "Operator",
    "Or",
    "Present",
    "ValuePath",
    "evaluate",
    "normal_form",
    "parse_filter",
    "parse_value_path",
    "resolve_filter",
    "resolve_value_filter",
]
