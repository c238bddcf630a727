"""The nodes of a filter, how they print, and how they are evaluated."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, Literal, Protocol, TypeVar

from scim_provider.protocol.schema import Target

Operator = Literal["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
JsonLiteral = str | bool | int | float | None

#: What names an attribute: AttributePath as parsed, Target once resolved.
P = TypeVar("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class And(Generic[P]):
    """All of two or more terms."""

    terms: tuple[Filter[P], ...]

    def __str__(self) -> str:
        return " and ".join(_grouped(term, And, Or) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Or(Generic[P]):
    """Any of two or more terms."""

    terms: tuple[Filter[P], ...]

    def __str__(self) -> str:
        return " or ".join(_grouped(term, Or) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Not(Generic[P]):
    """What the term does not match."""

    term: Filter[P]

    def __str__(self) -> str:
        return f"not ({self.term})"


@dataclass(frozen=True, slots=True)
class Comparison(Generic[P]):
    """``path operator value``: the JSON literal as parsed, the comparison key once resolved."""

    path: P
    operator: Operator
    value: JsonLiteral

    def __str__(self) -> str:
        return f"{self.path} {self.operator} {_literal(self.value)}"


@dataclass(frozen=True, slots=True)
class Present(Generic[P]):
    """``path pr``: the attribute has a value that is not empty."""

    path: P

    def __str__(self) -> str:
        return f"{self.path} pr"


@dataclass(frozen=True, slots=True)
class ValuePath(Generic[P]):
    """``path[filter]``: one and the same value of the attribute matches the whole filter."""

    path: P
    filter: Filter[P]

    def __str__(self) -> str:
        return f"{self.path}[{self.filter}]"


@dataclass(frozen=True, slots=True)
class Constant:
    """What resolution makes of a name that the resource type does not have."""

    value: bool


Filter = And[P] | Or[P] | Not[P] | Comparison[P] | Present[P] | ValuePath[P] | Constant


def _grouped(term: Filter[P], *loose: type) -> str:
    return f"({term})" if isinstance(term, loose) else str(term)


def _literal(value: JsonLiteral) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(Decimal(value))  # str(int) refuses more than 4300 digits.
    return json.dumps(value, ensure_ascii=False)


class Evaluator(Protocol[T]):
    """Gives each node of a resolved filter its meaning, as a ``T``."""

    def compare(self, target: Target, operator: Operator, value: str) -> T:
        """``value`` is a comparison key (``values.comparison_key``)."""

    def present(self, target: Target) -> T:
        """The attribute has a value that is not empty."""

    def all(self, terms: Sequence[T]) -> T:
        """The conjunction of two or more."""

    def any(self, terms: Sequence[T]) -> T:
        """The disjunction of two or more."""

    def negate(self, term: T) -> T:
        """The complement: what has no value at all is in it."""

    def value_path(self, target: Target, tree: Filter[Target]) -> T:
        """Some value of ``target`` matches ``tree``, whose targets are inside ``target``."""

    def constant(self, value: bool) -> T:
        """Everything or nothing."""


def evaluate(tree: Filter[Target], evaluator: Evaluator[T]) -> T:
    """What ``evaluator`` makes of a resolved filter."""
    match tree:
        case And(terms):
            return evaluator.all([evaluate(term, evaluator) for term in terms])
        case Or(terms):
            return evaluator.any([evaluate(term, evaluator) for term in terms])
        case Not(term):
            return evaluator.negate(evaluate(term, evaluator))
        case Comparison(target, operator, value):
            return evaluator.compare(target, operator, str(value))
        case Present(target):
            return evaluator.present(target)
        case ValuePath(target, inner):
            return evaluator.value_path(target, inner)
        case Constant(value):
            return evaluator.constant(value)
