"""SELECTs that are compiled once and then run with other values.

Building and compiling a query takes Django longer than most databases take to answer it. What
runs with every request is therefore built once, with placeholders for what will differ.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
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

M = TypeVar("M", bound=Model)
Row = Sequence[Any]


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


class _Compiled(NamedTuple):
    sql: str
    parameters: tuple[Any, ...]
    #: Which parameter is given when it runs: its position and its place among the values.
    open: tuple[tuple[int, int], ...]
    convert: Callable[[list[Row]], Iterator[Row]] | None
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
        self._compiled: dict[tuple[str, bool], _Compiled | None] = {}

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
            sql, parameters = f"{sql} LIMIT %s OFFSET %s", [*parameters, limit, offset]
        return using, compiled.converted(_fetched(sql, parameters, using))

    def count(self, *values: Any, most: int | None = None) -> int:
        """How many rows there are; no more than ``most`` are counted. One statement."""
        using, compiled = self.compile()
        if compiled is None:
            return 0
        sql, parameters = compiled.sql, compiled.filled(values)
        if most is not None:
            sql, parameters = f"{sql} LIMIT %s", [*parameters, most]
        ((number,),) = _fetched(f"SELECT COUNT(*) FROM ({sql}) scim_counted", parameters, using)
        return int(number)

    def compile(self, using: str | None = None) -> tuple[str, _Compiled | None]:
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


class PreparedPair:
    """The rows of one query, and beside each the one row of another query: one statement."""

    def __init__(self, first: Prepared, other: Prepared) -> None:
        self._first, self._other = first, other

    def select(
        self, values: Sequence[Any], other_values: Sequence[Any]
    ) -> tuple[str, list[tuple[Row, Row | None]]]:
        """The database that was asked, and the pairs; None in place of a row that is not there.

        Raises :class:`NotPreparable` where the other query is for another database.
        """
        using, first = self._first.compile()
        elsewhere, other = self._other.compile()
        if using != elsewhere or first is None or other is None:
            raise NotPreparable
        parameters = [*first.filled(values), *other.filled(other_values)]
        rows = _fetched(_paired(first, other), parameters, using)
        found = first.converted([row[: first.width] for row in rows])
        beside = other.converted([row[first.width :] for row in rows])
        return using, [
            (row, None if all(value is None for value in next_to) else next_to)
            for row, next_to in zip(found, beside, strict=True)
        ]


def _paired(first: _Compiled, other: _Compiled) -> str:
    return (
        f"WITH scim_first ({_columns('f', first)}) AS ({first.sql}), "
        f"scim_other ({_columns('o', other)}) AS ({other.sql}) "
        "SELECT * FROM scim_first LEFT JOIN scim_other ON 1 = 1"
    )


def _columns(letter: str, compiled: _Compiled) -> str:
    return ", ".join(f"{letter}{number}" for number in range(compiled.width))


class PreparedPage:
    """A page of rows whose keys are found first, and in order, by a statement of their own.

    ``keys`` has the primary key of each, and a sort key where there is one; ``rows`` has neither
    conditions nor an order. Both run as one statement. ``index`` holds the keys in their order:
    MariaDB must be told, or it may walk the primary key through other connections' rows.
    """

    def __init__(
        self,
        keys: Prepared,
        rows: Prepared,
        model: type[Model],
        *,
        sorts: bool,
        descending: bool,
        index: str = "",
    ) -> None:
        self._keys, self._rows, self._model, self._index = keys, rows, model, index
        self._names = ("scim_pk", "scim_sort") if sorts else ("scim_pk",)
        direction = "DESC" if descending else "ASC"
        by_key = ("scim_sort IS NULL", "scim_sort") if sorts else ()
        self._order = ", ".join(f"{term} {direction}" for term in (*by_key, "scim_pk"))

    def rows(self, *values: Any, limit: int, offset: int = 0) -> list[Row]:
        """``limit`` rows from the one at ``offset``, each with its sort key at the end."""
        using, keys = self._keys.compile()
        _, rows = self._rows.compile(using)
        if keys is None or rows is None:
            return []
        names = ", ".join(self._names)
        sql = (
            f"WITH scim_page ({names}) AS ({self._led(keys.sql, using)} LIMIT %s OFFSET %s) "
            f"SELECT {names}, {rows.sql.removeprefix('SELECT ')} "
            f"INNER JOIN scim_page ON scim_pk = {self._key(using)} ORDER BY {self._order}"
        )
        found = _fetched(sql, [*keys.filled(values), limit, offset, *rows.parameters], using)
        width = len(self._names)
        ordered = keys.converted([row[:width] for row in found])
        read = rows.converted([row[width:] for row in found])
        return [(*row, *key[1:]) for key, row in zip(ordered, read, strict=True)]

    def _key(self, using: str) -> str:
        key = connections[using].ops.quote_name(str(self._model._meta.pk.column))
        return f"{self._table(using)}.{key}"

    def _table(self, using: str) -> str:
        return connections[using].ops.quote_name(self._model._meta.db_table)

    def _led(self, sql: str, using: str) -> str:
        if not self._index or connections[using].vendor != "mysql":
            return sql
        table = f"FROM {self._table(using)}"
        return sql.replace(table, f"{table} FORCE INDEX ({self._index})", 1)


def _compiled(
    queryset: QuerySet[Any, Any], using: str, placeholders: Sequence[Placeholder]
) -> _Compiled | None:
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
    return _Compiled(
        sql, tuple(parameters), tuple(found.items()), _converter(compiler), len(compiler.select)
    )


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


def _converter(compiler: Any) -> Callable[[list[Row]], Iterator[Row]] | None:
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


def _fetched(sql: str, parameters: Sequence[Any], using: str) -> list[Row]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, parameters)
        return cast("list[Row]", cursor.fetchall())


@cache
def field_names(model: type[Model]) -> tuple[str, ...]:
    """The attribute names of all columns of ``model``, as ``Model.from_db`` wants them."""
    return tuple(field.attname for field in model._meta.concrete_fields)


@cache
def related_names(model: type[Model], relation: str) -> tuple[str, ...]:
    """``relation__…`` for all columns of the model that ``relation`` of ``model`` leads to."""
    related = model._meta.get_field(relation).related_model
    return tuple(f"{relation}__{name}" for name in field_names(cast("type[Model]", related)))


def instance(model: type[M], using: str, values: Row) -> M:
    """The instance whose columns, in the order of :func:`field_names`, are ``values``."""
    return model.from_db(using, field_names(model), values)


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


@cache
def prepared_by_key(model: type[Model]) -> Prepared:
    """The columns of the row whose primary key, of which :func:`key_value` knows, is given."""
    key = Identity() if type(model._meta.pk) is UUIDField else Number()
    return Prepared(
        lambda: model._base_manager.filter(pk=key).order_by().values_list(*field_names(model)), key
    )
