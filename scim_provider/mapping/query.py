"""Filter tree → ``Q``; sortBy → ``order_by``. Everything runs in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from django.db.models import F, Q

from scim_provider.protocol.filter import Filter, Operator, evaluate, normal_form
from scim_provider.protocol.schema import ResourceSchema, Target

from .columns import Constant
from .context import Context
from .elements import combine_all, combine_any
from .functions import EVERYTHING, NOTHING
from .homes import Home


class Homes(Protocol):
    """Whatever knows where each attribute lives: a resource type."""

    def home(self, target: Target) -> Home: ...


class QueryEvaluator:
    """A resolved filter → ``Q`` over the rows of one resource type."""

    def __init__(self, homes: Homes, context: Context) -> None:
        self.homes, self.context = homes, context

    def compare(self, target: Target, operator: Operator, value: str) -> Q:
        home = self.homes.home(target)
        if operator == "ne":
            return home.differs(target, value, self.context)
        return home.compare(target, operator, value, self.context)

    def present(self, target: Target) -> Q:
        attribute = target.attribute
        if target.sub_attribute is None and attribute.is_complex and not attribute.multi_valued:
            return combine_any([self.present(target.of(s)) for s in attribute.sub_attributes])
        return self.homes.home(target).present(target, self.context)

    def all(self, terms: Sequence[Q]) -> Q:
        return combine_all(terms)

    def any(self, terms: Sequence[Q]) -> Q:
        return combine_any(terms)

    def negate(self, term: Q) -> Q:
        return ~term

    def constant(self, value: bool) -> Q:
        return EVERYTHING if value else NOTHING

    def value_path(self, target: Target, tree: Filter[Target]) -> Q:
        return self.homes.home(target).matching(target, tree, self.context)


def filter_rows(tree: Filter[Target], homes: Homes, context: Context) -> Q:
    """The rows that a resolved filter selects."""
    return evaluate(normal_form(tree), QueryEvaluator(homes, context))


def order_rows(expression: Any, *, descending: bool) -> list[Any]:
    """Order by an expression, unassigned last (first when descending), and always by key.

    RFC 7644 §3.4.2.3; the key at the end makes the order total, so that pages never overlap.
    """
    if expression is None:
        return [F("pk").desc()] if descending else [F("pk").asc()]
    if descending:
        return [expression.desc(nulls_first=True), F("pk").desc()]
    return [expression.asc(nulls_last=True), F("pk").asc()]


class Schemas(Home):
    """``schemas``: the core URN, and an extension's where the row has one of its attributes."""

    def __init__(self, schema: ResourceSchema, homes: Homes) -> None:
        self.schema, self.homes = schema, homes

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        holds = [EVERYTHING] if Constant(self.schema.core.id).holds(target, operator, key) else []
        for extension in self.schema.extensions:
            if Constant(extension.id).holds(target, operator, key):
                holds.append(self._carrying(extension.id, context))
        return combine_any(holds) if holds else NOTHING

    def _carrying(self, uri: str, context: Context) -> Q:
        evaluator = QueryEvaluator(self.homes, context)
        return combine_any([evaluator.present(inner) for inner in self.schema.container(uri)])

    def differs(self, target: Target, key: str, context: Context) -> Q:
        holds = [EVERYTHING] if Constant(self.schema.core.id).value != key else []
        holds += [self._carrying(e.id, context) for e in self.schema.extensions if e.id != key]
        return combine_any(holds)

    def present(self, target: Target, context: Context) -> Q:
        return EVERYTHING
