"""Attributes that live in a column: of our row, or of the account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DateTimeField,
    F,
    Lookup,
    Q,
    Value,
    When,
)
from django.db.models.functions import Concat
from django.utils import timezone

from scim_provider.protocol.errors import InvalidFilter, InvalidValue
from scim_provider.protocol.filter import Operator
from scim_provider.protocol.memory import holds
from scim_provider.protocol.schema import Attribute, Target

from .context import Context
from .fitting import field_at, kind_of
from .functions import (
    EVERYTHING,
    NOTHING,
    After,
    BinaryText,
    NotBefore,
    compare_text,
    key_variants,
)
from .homes import Home
from .kinds import Kind
from .starts import Finds, by_column


class Column(Home):
    """A single-valued attribute in a column of the row or, ``account__…``, of the account.

    The kind of the field decides what it takes (:mod:`.kinds`): text, booleans, numbers, dates,
    moments, UUIDs, and choices.
    """

    def __init__(self, field: str) -> None:
        self.field = field
        self.paths = (field,)
        self.joins = (field.rpartition("__")[0],) if "__" in field else ()
        *self._steps, self._name = field.split("__")
        #: By identity, as each value that is read or written asks; with the attribute itself, so
        #: that no other one comes to have the same identity.
        self._kinds: dict[int, tuple[Attribute, Kind]] = {}

    @property
    def account_fields(self) -> frozenset[str]:
        on_account = self.field.startswith("account__")
        return frozenset({self._name}) if on_account else frozenset()

    def kind(self, target: Target) -> Kind:
        """How the column holds the attribute; as text where it cannot, which a check reports."""
        leaf = target.leaf
        known = self._kinds.get(id(leaf))
        if known is None:
            kind = kind_of(field_at(self.field), leaf) or Kind(None, leaf)
            known = self._kinds[id(leaf)] = leaf, kind
        return known[1]

    def _owner(self, row: Any) -> Any:
        for step in self._steps:
            row = getattr(row, step)
        return row

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        return self.kind(target).compare(self.field, target, operator, key)

    def present(self, target: Target, context: Context) -> Q:
        return self.kind(target).present(self.field)

    def order(self, target: Target, context: Context) -> Any:
        return self.kind(target).order(self.field)

    def converter(self, target: Target) -> Callable[[Any], Any] | None:
        return self.kind(target).reader

    def read(self, row: Any, target: Target) -> Any:
        value = getattr(self._owner(row), self._name)
        if value is None or value == "":
            return None
        convert = self.converter(target)
        return value if convert is None else convert(value)

    def rewrites(self, target: Target) -> bool:
        return self.kind(target).rewrites

    def rewritten(self, target: Target, value: Any) -> Any:
        held, convert = self.kind(target).value(target, value), self.converter(target)
        return held if convert is None else convert(held)

    def write(self, row: Any, target: Target, value: Any) -> None:
        kind = self.kind(target)
        held = kind.unassigned(target) if value is None else kind.value(target, value)
        setattr(self._owner(row), self._name, held)


class Flag(Column):
    """A boolean attribute in a column that holds other values: a status, say.

    ``true`` and ``false`` are what is written; any other value of the column reads as false.
    """

    def __init__(self, field: str, *, true: Any, false: Any) -> None:
        super().__init__(field)
        self.true, self.false = true, false

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        holds = Q(**{self.field: self.true})
        return holds if key == "true" else ~holds & self.present(target, context)

    def present(self, target: Target, context: Context) -> Q:
        return Q(**{f"{self.field}__isnull": False})

    def order(self, target: Target, context: Context) -> Any:
        empty = When(**{f"{self.field}__isnull": True}, then=None)
        true = When(**{self.field: self.true}, then=True)
        return Case(empty, true, default=False, output_field=BooleanField())

    def converter(self, target: Target) -> Callable[[Any], Any] | None:
        return self._holds

    def _holds(self, value: Any) -> bool:
        return bool(value == self.true)

    def rewrites(self, target: Target) -> bool:
        return False

    def write(self, row: Any, target: Target, value: Any) -> None:
        if value is not None and self.read(row, target) != value:
            setattr(self._owner(row), self._name, self.true if value else self.false)


class KeyColumn(Column):
    """A column of ours that holds the text as sent, beside one that holds its key."""

    def __init__(self, field: str, key_field: str) -> None:
        super().__init__(field)
        self.key_field = key_field

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        # A column that is its own key holds the text as the client composed it.
        keys = key_variants(key, operator) if self.key_field == self.field else (key,)
        found = NOTHING
        for variant in keys:
            found |= self._compare_key(operator, variant)
        finds = {"eq": Finds.ONE, "sw": Finds.SOME}.get(operator, Finds.MANY)
        if operator != "eq" or not key:
            found &= self.present(target, context)
        return by_column(found, finds)

    def _compare_key(self, operator: Operator, key: str) -> Q:
        if operator == "eq":
            return Q(**{self.key_field: key})
        return compare_text(F(self.key_field), operator, key)

    def present(self, target: Target, context: Context) -> Q:
        return Q(**{f"{self.key_field}__gt": ""})

    def order(self, target: Target, context: Context) -> Any:
        return F(self.key_field)

    def write(self, row: Any, target: Target, value: Any) -> None:
        super().write(row, target, value)
        if self.key_field != self.field:
            setattr(row, self.key_field, self._key(row, target, value))

    def _key(self, row: Any, target: Target, value: str) -> str:
        """The comparison key, which a few letters make longer than the text: İ becomes two."""
        key = target.leaf.key(value)
        limit = row._meta.get_field(self.key_field).max_length
        if len(key) > limit:
            raise InvalidValue(f"{target} is too long in lower case: {len(key)} characters.")
        return key


#: What clients that look for changes ask.
_SINCE: dict[str, type[Lookup]] = {"gt": After, "ge": NotBefore}


class MomentColumn(Column):
    """``meta.created`` and ``meta.lastModified``."""

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        if operator in ("co", "sw", "ew"):
            raise InvalidFilter(
                f"{target} is a dateTime; compare it with eq, ne, gt, ge, lt or le."
            )
        lookup = {"eq": "exact", "le": "lte"}.get(operator, operator)
        moment = datetime.fromisoformat(key)
        if not settings.USE_TZ:
            moment = timezone.make_naive(moment)
        if operator in _SINCE:
            since = _SINCE[operator](F(self.field), Value(moment, DateTimeField()))
            return by_column(Q(since), Finds.MANY)
        return Q(**{f"{self.field}__{lookup}": moment})

    def present(self, target: Target, context: Context) -> Q:
        return Q(**{f"{self.field}__isnull": False})

    def order(self, target: Target, context: Context) -> Any:
        return F(self.field)


class Constant(Home):
    """The same value in every row of the resource type (``meta.resourceType``)."""

    def __init__(self, value: str) -> None:
        self.value = value

    def holds(self, target: Target, operator: Operator, key: str) -> bool:
        """Whether ``value operator key``."""
        return holds(target.leaf.key(self.value), operator, key)

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        return EVERYTHING if self.holds(target, operator, key) else NOTHING

    def shared_key(self, target: Target) -> str | None:
        return target.leaf.key(self.value)

    def present(self, target: Target, context: Context) -> Q:
        return EVERYTHING


class Composed(Home):
    """A text made of columns: ``meta.location``, ``meta.version``."""

    def __init__(self, make: Callable[[Context], tuple[Any, ...]]) -> None:
        self.make = make

    def _expression(self, context: Context) -> Any:
        return BinaryText(Concat(*self.make(context), output_field=CharField()))

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        return compare_text(self._expression(context), operator, key)

    def present(self, target: Target, context: Context) -> Q:
        return EVERYTHING

    def order(self, target: Target, context: Context) -> Any:
        return self._expression(context)
