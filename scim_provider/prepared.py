"""SELECTs that are compiled once and then run with other values.

Building and compiling a query takes Django longer than most databases take to answer it. What
runs with every request is therefore built once, with placeholders for what will differ.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import count
from threading import RLock
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connections
from django.db.models import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    IntegerField,
    Model,
    QuerySet,
    UUIDField,
)
from django.db.models.base import ModelState
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, pre_init

from .moments import Convert, moments_as_texts, reading_moments
from .moments import Row as Row

M = TypeVar("M", bound=Model)


#: Django's compiler adds joins to the query that it compiles and takes them away again: one at a
#: time. Building a query may compile another one.
_COMPILING = RLock()


class NotPreparable(ValueError):
    """A placeholder does not reach the database as it is: build the query for each value."""


#: Nobody outside this process can name a placeholder.
_SECRET = secrets.token_hex(8)
_numbers = count(secrets.randbelow(10**8) + 1_900_000_000)


class Text(str):
    """Stands for a text that is known only when the statement runs.

    Queries make plain text of it on the way: it is recognised by what it says, which is short,
    ASCII, and the same for the same ``name``.
    """

    def __new__(cls, name: str = "") -> Text:
        return super().__new__(cls, f"placeholder-{_SECRET}-{name}")


class Number(int):
    """Stands for an integer that is known only when the statement runs; each is another one."""

    def __new__(cls) -> Number:
        return super().__new__(cls, next(_numbers))


class Identity(UUID):
    """Stands for a UUID that is known only when the statement runs; each is another one."""

    def __init__(self) -> None:
        super().__init__(bytes=secrets.token_bytes(16))


Placeholder = Text | Number | Identity


class Compiled(NamedTuple):
    sql: str
    parameters: tuple[Any, ...]
    #: Which parameter is given when it runs: its position and its place among the values.
    open: tuple[tuple[int, int], ...]
    convert: Convert | None
    #: How many columns there are.
    width: int

    def filled(self, values: Sequence[Any]) -> list[Any]:
        """The parameters with ``values`` in place of the placeholders."""
        parameters = list(self.parameters)
        for position, number in self.open:
            parameters[position] = _like(parameters[position], values[number])
        return parameters

    def converted(self, rows: list[Row]) -> list[Row]:
        """The driver's values as Python's."""
        return rows if self.convert is None else list(self.convert(rows))


class Prepared:
    """A ``values_list`` queryset with placeholders, compiled once for each database.

    ``placeholders`` are the :data:`Placeholder` objects in the queryset, in the
    order in which :meth:`rows` takes their values. ``build`` is called on first use. Its methods
    raise :class:`NotPreparable` then.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Any]], *placeholders: Placeholder) -> None:
        self._build, self._placeholders = build, placeholders
        self._queryset: QuerySet[Any, Any] | None = None
        self._compiled: dict[tuple[str, bool], Compiled | None] = {}

    def rows(
        self,
        *values: Any,
        limit: int | None = None,
        offset: int = 0,
        using: str | None = None,
    ) -> list[Row]:
        """The rows for these values of the placeholders. One statement."""
        return self.select(*values, limit=limit, offset=offset, using=using)[1]

    def select(
        self,
        *values: Any,
        limit: int | None = None,
        offset: int = 0,
        using: str | None = None,
    ) -> tuple[str, list[Row]]:
        """The database that was asked, and the rows; ``using`` overrules the routers."""
        using, compiled = self.compile(using)
        if compiled is None:
            return using, []
        sql, parameters = compiled.sql, compiled.filled(values)
        if limit is not None:
            sql, parameters = sql + limited(limit, offset), [*parameters, *skipped(offset)]
        return using, compiled.converted(fetched(sql, parameters, using))

    def compile(self, using: str | None = None) -> tuple[str, Compiled | None]:
        """The database to ask, and the statement for it; None where nothing can be found."""
        if self._queryset is None:
            with _COMPILING:
                self._queryset = self._build()
        using = using or self._queryset.db
        key = using, settings.USE_TZ
        if key not in self._compiled:
            with _COMPILING:
                self._compiled[key] = _compiled(self._queryset, using, self._placeholders)
        return using, self._compiled[key]


def limited(limit: int, offset: int = 0) -> str:
    """The clause that cuts a page out.

    Of a number that is a parameter PostgreSQL expects a tenth of the table: it would plan for that,
    or anew each time. Clients ask for pages of one size; where they begin is another each time.
    """
    return f" LIMIT {limit:d}" + (" OFFSET %s" if offset else "")


def skipped(offset: int) -> list[int]:
    """The parameters of the clause that :func:`limited` makes."""
    return [offset] if offset else []


def _compiled(
    queryset: QuerySet[Any, Any], using: str, placeholders: Sequence[Placeholder]
) -> Compiled | None:
    """None for a queryset that can have no rows, whatever the values: it takes none."""
    compiler = queryset.query.get_compiler(using)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        if any(isinstance(placeholder, Text) for placeholder in placeholders):
            raise NotPreparable from None
        return None
    found = {
        position: number
        for position, parameter in enumerate(parameters)
        for number, placeholder in enumerate(placeholders)
        if _is(parameter, placeholder)
    }
    if set(found.values()) != set(range(len(placeholders))):
        raise NotPreparable
    convert, width = _converter(compiler), len(compiler.select)
    if connections[using].vendor == "postgresql":
        sql, moments = moments_as_texts(sql, compiler)
        convert = reading_moments(moments, convert) if moments else convert
        sql, parameters, found = _written_out(sql, parameters, found)
    return Compiled(sql, tuple(parameters), tuple(found.items()), convert, width)


def _written_out(
    sql: str, parameters: Sequence[Any], found: Mapping[int, int]
) -> tuple[str, Sequence[Any], dict[int, int]]:
    """The statement with those of its texts in it that are always the same.

    PostgreSQL keeps the plan of a statement where it is no worse than one made for the values, and
    knows how many people and how many groups there are only where it is told which are meant.
    """
    written: list[str] = []
    left: list[Any] = []
    moved: dict[int, int] = {}
    places = iter(enumerate(parameters))
    for piece in _PLACES.split(sql):
        if piece == "%s":
            position, parameter = next(places)
            if position in found:
                moved[len(left)] = found[position]
            elif type(parameter) is str and _IS_PLAIN(parameter):
                piece = f"'{parameter}'"
            if piece == "%s":
                left.append(parameter)
        written.append(piece)
    return "".join(written), left, moved


_PLACES = re.compile("(%%|%s)")
#: Texts that mean the same between quotes, whatever the settings of the database.
_IS_PLAIN = re.compile(r"[A-Za-z0-9:._-]+").fullmatch


def _is(parameter: Any, placeholder: Placeholder) -> bool:
    if isinstance(placeholder, Identity):
        return parameter in (UUID(bytes=placeholder.bytes), placeholder.hex)
    kind = str if isinstance(placeholder, Text) else int
    return isinstance(parameter, kind) and bool(parameter == placeholder)


def _like(parameter: Any, value: Any) -> Any:
    """The value as the database wants it in place of the placeholder ``parameter``."""
    kind = type(parameter)
    if issubclass(kind, int):  # PostgreSQL's driver is told the size of an integer by its class.
        return kind(value)
    return value.hex if kind is str and isinstance(value, UUID) else value


def _converter(compiler: Any) -> Convert | None:
    """What turns the driver's values into Python's, where any is to be turned."""
    converters = compiler.get_converters([selected for selected, _, _ in compiler.select])
    if not converters:
        return None

    def convert(rows: list[Row]) -> Iterator[Row]:
        connection = connections[compiler.using]
        steps = [(place, *converters[place]) for place in converters]
        for row in rows:
            values = list(row)
            for place, functions, expression in steps:
                for function in functions:
                    values[place] = function(values[place], expression, connection)
            yield values

    return convert


def fetched(sql: str, parameters: Sequence[Any], using: str) -> list[Row]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, parameters)
        return cast("list[Row]", cursor.fetchall())


@cache
def field_names(model: type[Model]) -> tuple[str, ...]:
    """The attribute names of all columns of ``model``, as ``Model.from_db`` wants them."""
    return tuple(field.attname for field in model._meta.concrete_fields)


def instance(model: type[M], using: str, values: Row, names: Sequence[str] = ()) -> M:
    """The instance whose columns ``names``, in the model's order, are ``values``; all by default.

    The others are deferred. What ``Model.from_db`` makes, in a fraction of its time where nobody
    would see the difference.
    """
    names = names or field_names(model)
    if _is_watched(model) or not _is_made_plainly(model):
        return model.from_db(using, names, values)
    made = model.__new__(model)
    made._state = ModelState()
    made._state.adding, made._state.db = False, using
    vars(made).update(zip(names, values, strict=True))
    return made


def _is_watched(model: type[Model]) -> bool:
    """Whether a receiver is told of new instances; there is seldom any at all."""
    if not (pre_init.receivers or post_init.receivers):
        return False
    return pre_init.has_listeners(model) or post_init.has_listeners(model)


@cache
def _is_made_plainly(model: type[Model]) -> bool:
    """Whether an instance is its columns as they are: no ``__init__`` or descriptor of its own."""
    made_by = ("__init__", "__new__", "__setattr__")
    is_django = all(getattr(model, name) is getattr(Model, name) for name in made_by)
    descriptors = (_vars_of(model, field.attname) for field in model._meta.concrete_fields)
    return (
        is_django
        and getattr(model.from_db, "__func__", None) is getattr(Model.from_db, "__func__", 0)
        and all(type(each) in _PLAIN for each in descriptors)
    )


#: What Django puts in the place of a column: it is read from ``__dict__``.
_PLAIN = (DeferredAttribute, ForeignKeyDeferredAttribute)


def _vars_of(model: type[Model], name: str) -> Any:
    """The attribute of a class as it stands there, without asking a descriptor."""
    return next((vars(kind)[name] for kind in model.__mro__ if name in vars(kind)), None)


#: Keys that take every :class:`Number`.
_INTEGERS = (AutoField, BigAutoField, IntegerField, BigIntegerField)
#: Any number of so many digits is one for the database.
_DIGITS = 18


def by_primary_key(model: type[M], key: str) -> M | None:
    """The row of ``model`` with that primary key, given as text: any text."""
    value = key_value(model, key)
    if value is None:
        with suppress(ValueError, ValidationError):
            return model._base_manager.filter(pk=key).first()
        return None
    using, rows = prepared_by_key(model).select(value)
    return instance(model, using, rows[0]) if rows else None


def key_value(model: type[Model], key: str) -> int | UUID | None:
    """The key given as text as :func:`prepared_by_key` takes it; None where that is not sure."""
    kind = type(model._meta.pk)
    if kind in _INTEGERS and key.isascii() and key.isdecimal() and len(key) <= _DIGITS:
        return int(key)
    if kind is UUIDField:
        with suppress(ValueError):
            return UUID(key)
    return None


def placeholder_of_key(model: type[Model]) -> Number | Identity | None:
    """Stands for a primary key of ``model``; None where the key is of another kind."""
    kind = type(model._meta.pk)
    if kind in _INTEGERS:
        return Number()
    return Identity() if kind is UUIDField else None


@cache
def prepared_by_key(model: type[Model]) -> Prepared:
    """The columns of the row whose primary key, of which :func:`key_value` knows, is given."""
    key = placeholder_of_key(model)
    if key is None:
        raise NotPreparable
    return Prepared(
        lambda: model._base_manager.filter(pk=key).order_by().values_list(*field_names(model)), key
    )
