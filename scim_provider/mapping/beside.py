"""Homes whose values are read beside the rows: for a page at once, by one statement each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, DateTimeField, Q, Value
from django.db.models.functions import Coalesce, NullIf
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from scim_provider.models import Resource
from scim_provider.protocol.errors import InvalidFilter, InvalidValue
from scim_provider.protocol.filter import And, Comparison, Filter, Operator, Present, evaluate
from scim_provider.protocol.memory import holds
from scim_provider.protocol.schema import Attribute, Target
from scim_provider.protocol.values import key_number, quoted

from .columns import Column
from .context import Context
from .document import Document, Written, moment_text
from .elements import ElementEvaluator
from .functions import EVERYTHING, NOTHING, BinaryText, NormalisedKey, compare_text, has_text
from .homes import Home, Store
from .kinds import moment_of
from .paths import get_value, set_value
from .starts import Finds, any_of, by_column, check_of

#: A row, or what identifies one that was read without an instance; and its document.
Pair = tuple[Any, Document]


class Beside(Home):
    """The base: what reading the row itself does not tell."""

    beside = True

    def fill(self, pairs: Sequence[Pair], target: Target, context: Context) -> None:
        """Put the values into the documents of a page."""

    def save(self, changes: Sequence[tuple[Any, Any]], target: Target) -> None:
        """Write the values of ``(row, value)``; the rows are saved by now."""

    def leave(self, row: Any, moment: datetime) -> None:
        """A row is about to be deleted, and the account may stay."""


class Several(Beside):
    """A multi-valued attribute: every condition is "there is an element that …"."""

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        return self.matching(target, Comparison(target, operator, key), context)

    def differs(self, target: Target, key: str, context: Context) -> Q:
        terms = (Present(target), Comparison(target, "ne", key))
        other = self.matching(target, And(terms), context)
        return ~self.present(target, context) | check_of(other)

    def present(self, target: Target, context: Context) -> Q:
        return self.matching(target, Present(target), context)


def placed_value(target: Target) -> Target:
    """The path of an attribute's ``value``; of the attribute itself, if it has no parts."""
    value = target.attribute.value_attribute
    return target.parent.of(value) if value else target


class SingleValue(Several, Store):
    """The element of one ``type`` of a multi-valued attribute, in a column: the mobile phone, say.

    It is what the column holds: ``value``, the ``type``, and ``primary`` where that is given. The
    other elements are kept by SCIM as they were sent; ``only`` refuses them. An element without a
    type is taken for it where none has the type.
    """

    def __init__(self, field: str, *, type: str, primary: bool = False, only: bool = False) -> None:
        self.column, self.type, self.primary, self.only = Column(field), type, primary, only
        self.joins, self.paths = self.column.joins, self.column.paths

    @property
    def counts(self) -> Q:
        """The rows whose column it is."""
        return EVERYTHING

    @property
    def account_fields(self) -> frozenset[str]:
        return self.column.account_fields

    def matching(self, target: Target, tree: Filter[Target], context: Context) -> Q:
        stored = Store.matching(self, target, tree, context)
        own = evaluate(tree, ElementEvaluator(_OwnElement(self, context)))
        own &= self.column.present(placed_value(target), context)
        rows = Resource.objects.filter(connection=context.connection)
        return any_of([stored, by_column(own & self.counts, Finds.SOME)], rows)

    def order(self, target: Target, context: Context) -> Any:
        stored = Store.order(self, target, context)
        if target.leaf.name != "value":
            return stored
        return Coalesce(self.column.order(target, context), stored)

    # -- reading -------------------------------------------------------------------------------

    def fill(self, pairs: Sequence[Pair], target: Target, context: Context) -> None:
        values = self._values([row for row, _ in pairs], placed_value(target))
        for row, document in pairs:
            others = get_value(document, target) or []
            own = self._own(values.get(row.pk))
            set_value(document, target, [*own, *others] or None)

    def _values(self, rows: Sequence[Any], target: Target) -> dict[Any, Any]:
        if all(isinstance(row, Resource) for row in rows):
            return {row.pk: self.column.read(row, target) for row in rows}
        convert = self.column.converter(target) or (lambda value: value)
        found = Resource.objects.filter(self.counts, pk__in=[row.pk for row in rows])
        pairs = found.values_list("pk", self.column.field)
        return {pk: convert(value) for pk, value in pairs if value not in (None, "")}

    def _own(self, value: Any) -> list[Document]:
        if value is None:
            return []
        primary = {"primary": True} if self.primary else {}
        return [{"value": value, "type": self.type, **primary}]

    def on_account(self, row: Any, target: Target) -> Any:
        return self._own(self.column.read(row, placed_value(target))) or None

    # -- writing -------------------------------------------------------------------------------

    def split(self, target: Target, value: Any) -> tuple[Document | None, list[Document]]:
        """The element for the column, and the others. Raises :class:`InvalidValue`."""
        elements = list(value or [])
        own = next((e for e in elements if self._is_own(target, e)), None)
        if own is None:
            own = next((e for e in elements if "type" not in e and e.get("value")), None)
        others = [e for e in elements if e is not own]
        if others and self.only:
            kind = quoted(str(others[0].get("type", "")))
            raise InvalidValue(
                f"{target} holds one value here, of the type '{self.type}'. Leave {kind} out."
            )
        if own is not None and self.primary:
            others = [{k: v for k, v in e.items() if k != "primary"} for e in others]
        return own, others

    def _is_own(self, target: Target, element: Document) -> bool:
        kind: Attribute | None = target.attribute.sub("type")
        sent = element.get("type")
        if kind is None or sent is None or not element.get("value"):
            return False
        return kind.key(str(sent)) == kind.key(self.type)

    def rewrites(self, target: Target) -> bool:
        return True

    def rewritten(self, target: Target, value: Any) -> Any:
        own, others = self.split(target, value)
        held = own and self.column.rewritten(placed_value(target), own["value"])
        return [*self._own(held), *others]

    def write(self, row: Any, target: Target, value: Any) -> None:
        own, _ = self.split(target, value)
        self.column.write(row, placed_value(target), own and own["value"])

    def keep(self, stored: dict[str, Any], target: Target, value: Any) -> None:
        _, others = self.split(target, value)
        set_value(stored, target, others or None)


class _OwnElement:
    """Conditions on the element in the column."""

    def __init__(self, home: SingleValue, context: Context) -> None:
        self.home, self.context = home, context

    def compare(self, target: Target, operator: Operator, key: str) -> Q:
        name = target.leaf.name
        if name == "value" or target.sub_attribute is None:
            return self.home.column.compare(placed_value(target), operator, key, self.context)
        if name == "primary" and self.home.primary:
            return EVERYTHING if key == "true" else NOTHING
        if name == "type" and holds(target.leaf.key(self.home.type), operator, key):
            return EVERYTHING
        return NOTHING

    def present(self, target: Target) -> Q:
        known = {"value", "type"} | ({"primary"} if self.home.primary else set())
        is_there = target.sub_attribute is None or target.leaf.name in known
        return EVERYTHING if is_there else NOTHING


_ORDERED = {
    "eq": Exact,
    "gt": GreaterThan,
    "ge": GreaterThanOrEqual,
    "lt": LessThan,
    "le": LessThanOrEqual,
}


class Computed(Beside):
    """A readOnly attribute that the database makes of columns by a Django expression.

    ``Computed(Concat("account__given", Value(" "), "account__family"))``. The expression is of
    the attribute's type.
    """

    def __init__(self, expression: Any) -> None:
        self.expression = expression

    def _text(self, target: Target) -> Any:
        return (BinaryText if target.leaf.case_exact else NormalisedKey)(self.expression)

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        if _is_text(target):
            found = compare_text(self._text(target), operator, key)
        elif operator in _ORDERED:
            found = Q(_ORDERED[operator](self.expression, _literal(target, key)))
        else:
            raise InvalidFilter(f"{target} takes eq, ne, gt, ge, lt and le.")
        return found & self.present(target, context)

    def present(self, target: Target, context: Context) -> Q:
        if _is_text(target):
            return has_text(self.expression)
        return Q(IsNull(self.expression, False))

    def order(self, target: Target, context: Context) -> Any:
        return NullIf(self._text(target), Value("")) if _is_text(target) else self.expression

    def fill(self, pairs: Sequence[Pair], target: Target, context: Context) -> None:
        keys = [row.pk for row, _ in pairs]
        rows = Resource.objects.filter(pk__in=keys).annotate(scim_computed=self.expression)
        values = dict(rows.values_list("pk", "scim_computed"))
        for row, document in pairs:
            set_value(document, target, _as_json(values.get(row.pk), target))


def _is_text(target: Target) -> bool:
    return target.leaf.type in ("string", "reference", "binary")


def _literal(target: Target, key: str) -> Any:
    if target.leaf.type == "boolean":
        return Value(key == "true", BooleanField())
    if target.leaf.type == "dateTime":
        return Value(moment_of(key), DateTimeField())
    return Value(key_number(key))


def _as_json(value: Any, target: Target) -> Any:
    if value is None or value == "":
        return None
    if target.leaf.type == "dateTime":
        return moment_text(value)
    if target.leaf.type == "boolean":
        return bool(value)
    if target.leaf.type == "integer":
        return int(value)
    return float(value) if target.leaf.type == "decimal" else str(value)


def fill(placed: Iterable[tuple[Target, Home]], pairs: Sequence[Pair], context: Context) -> None:
    """Put what is read beside the rows into the documents of a page."""
    for target, home in placed:
        if isinstance(home, Beside):
            home.fill(pairs, target, context)


def save_beside(written: Sequence[tuple[Any, Written]]) -> None:
    """Save what belongs beside rows that are saved by now: by attribute, for all rows at once."""
    changes: dict[Target, list[tuple[Any, Any]]] = {}
    homes: dict[Target, Home] = {}
    for row, one in written:
        for target, home, value in one.beside:
            homes[target] = home
            changes.setdefault(target, []).append((row, value))
    for target, home in homes.items():
        if isinstance(home, Beside):
            home.save(changes[target], target)


def leave_beside(placed: Iterable[tuple[Target, Home]], row: Any, moment: datetime) -> None:
    """What homes beside the row do before it is deleted."""
    for _, home in placed:
        if isinstance(home, Beside):
            home.leave(row, moment)
