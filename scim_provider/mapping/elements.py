"""The inside of a value path: conditions that one and the same element must meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.db.models import Q

from scim_provider.protocol.errors import InvalidFilter
from scim_provider.protocol.filter import Filter, Operator
from scim_provider.protocol.schema import Target

from .functions import EVERYTHING, NOTHING
from .starts import all_of, any_of


class Element(Protocol):
    """How one kind of element row answers a condition on one of its sub-attributes."""

    def compare(self, target: Target, operator: Operator, key: str) -> Q: ...

    def present(self, target: Target) -> Q: ...


class ElementEvaluator:
    """A value filter → ``Q`` over element rows (RFC 7644 §3.4.2.2, Table 5)."""

    def __init__(self, element: Element) -> None:
        self.element = element

    def compare(self, target: Target, operator: Operator, value: str) -> Q:
        if operator == "ne":
            return ~self.element.compare(target, "eq", value)
        return self.element.compare(target, operator, value)

    def present(self, target: Target) -> Q:
        return self.element.present(target)

    def all(self, terms: Sequence[Q]) -> Q:
        return all_of(terms)

    def any(self, terms: Sequence[Q]) -> Q:
        return any_of(terms)

    def negate(self, term: Q) -> Q:
        return ~term

    def value_path(self, target: Target, tree: Filter[Target]) -> Q:
        raise InvalidFilter("A value path cannot hold another value path.")

    def constant(self, value: bool) -> Q:
        return EVERYTHING if value else NOTHING
