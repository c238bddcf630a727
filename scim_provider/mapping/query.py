"""Filter tree → ``Q``. Everything runs in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from django.db.models import Q, QuerySet

from scim_provider.models import Connection
from scim_provider.protocol.filter import Filter, Operator, evaluate, normal_form
from scim_provider.protocol.schema import ResourceSchema, Target

from .columns import Constant
from .context import Context
from .functions import EVERYTHING, NOTHING
from .homes import Home
from .starts import all_of, any_of


class Homes(Protocol):
    """Whatever knows where each attribute lives: a resource type."""

    def home(self, target: Target) -> Home: ...

    def queryset(self, connection: Connection) -> QuerySet[Any]: ...


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
            return self.any([self.present(target.of(s)) for s in attribute.sub_attributes])
        return self.homes.home(target).present(target, self.context)

    def all(self, terms: Sequence[Q]) -> Q:
        return all_of(terms)

    def any(self, terms: Sequence[Q]) -> Q:
        return any_of(terms, self.homes.queryset(self.context.connection))

    def negate(self, term: Q) -> Q:
        return ~term

    def constant(self, value: bool) -> Q:
        return EVERYTHING if value else NOTHING

    def value_path(self, target: Target, tree: Filter[Target]) -> Q:
        return self.homes.home(target).matching(target, tree, self.context)


def filter_rows(tree: Filter[Target], homes: Homes, context: Context) -> Q:
    """The rows that a resolved filter selects."""
    return evaluate(normal_form(tree), QueryEvaluator(homes, context))


class Schemas(Home):
    """``schemas``: the core URN, and an extension's where the row has one of its attributes."""

    def __init__(self, schema: ResourceSchema, homes: Homes) -> None:
        self.schema, self.homes = schema, homes

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        holds = [EVERYTHING] if Constant(self.schema.core.id).holds(target, operator, key) else []
        for extension in self.schema.extensions:
            if Constant(extension.id).holds(target, operator, key):
                holds.append(self._carrying(extension.id, context))
        return any_of(holds) if holds else NOTHING

    def _carrying(self, uri: str, context: Context) -> Q:
        evaluator = QueryEvaluator(self.homes, context)
        return any_of([evaluator.present(inner) for inner in self.schema.container(uri)])

    def differs(self, target: Target, key: str, context: Context) -> Q:
        holds = [EVERYTHING] if Constant(self.schema.core.id).value != key else []
        holds += [self._carrying(e.id, context) for e in self.schema.extensions if e.id != key]
        return any_of(holds) if holds else NOTHING

    def present(self, target: Target, context: Context) -> Q:
        return EVERYTHING

    def shared_key(self, target: Target) -> str | None:
        return self.schema.core.id
