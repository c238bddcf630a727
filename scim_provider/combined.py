"""Compiled SELECTs put together, so that they are one statement: see :mod:`.prepared`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.models import Model

from .prepared import Compiled, NotPreparable, Prepared, Row, fetched, limited, skipped
from .totals import Total


class PreparedPair:
    """The rows of one query, and beside each the one row of another query: one statement."""

    def __init__(self, first: Prepared, other: Prepared) -> None:
        self._first, self._other = first, other
        self._sql: dict[str, str] = {}

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
        if using not in self._sql:
            self._sql[using] = _paired(first, other)
        rows = fetched(self._sql[using], parameters, using)
        found = first.converted([row[: first.width] for row in rows])
        beside = other.converted([row[first.width :] for row in rows])
        return using, [
            (row, None if all(value is None for value in next_to) else next_to)
            for row, next_to in zip(found, beside, strict=True)
        ]


def _paired(first: Compiled, other: Compiled) -> str:
    return (
        f"WITH scim_first ({_columns('f', first)}) AS ({first.sql}), "
        f"scim_other ({_columns('o', other)}) AS ({other.sql}) "
        "SELECT * FROM scim_first LEFT JOIN scim_other ON 1 = 1"
    )


class PreparedBoth:
    """The rows of two queries, of which the first finds one at most: one statement."""

    def __init__(self, first: Prepared, other: Prepared) -> None:
        self._first, self._other = first, other

    def rows(
        self, values: Sequence[Any], other_values: Sequence[Any], *, using: str
    ) -> tuple[list[Row], list[Row]]:
        _, first = self._first.compile(using)
        _, other = self._other.compile(using)
        if first is None or other is None:
            return (
                self._first.rows(*values, using=using),
                self._other.rows(*other_values, using=using),
            )
        parameters = [*first.filled(values), *other.filled(other_values)]
        found = fetched(_beside(first, other), parameters, using)
        here = [row[: first.width] for row in found[:1]]
        there = [row[first.width :] for row in found]
        return first.converted(_there(here)), other.converted(_there(there))


def _beside(first: Compiled, other: Compiled) -> str:
    return (
        f"WITH scim_first ({_columns('f', first)}) AS ({first.sql}), "
        f"scim_other ({_columns('o', other)}) AS ({other.sql}) "
        "SELECT scim_first.*, scim_other.* FROM (SELECT 1 AS scim_one) scim_always "
        "LEFT JOIN scim_first ON 1 = 1 LEFT JOIN scim_other ON 1 = 1"
    )


def _there(rows: list[Row]) -> list[Row]:
    """The rows less what an outer join puts in the place of a row that is not there."""
    return [row for row in rows if any(value is not None for value in row)]


def _columns(letter: str, compiled: Compiled) -> str:
    return ", ".join(f"{letter}{number}" for number in range(compiled.width))


#: Rows, and how many there are in all where that was asked for and there are rows to tell it.
RowsAndTotal = tuple[list[Row], int | None]


class PreparedPage:
    """A page of rows whose keys are found first, and in order, by a statement of their own.

    ``keys`` has the primary key of each, and a sort key where there is one; ``rows`` has neither
    conditions nor an order. Both run as one statement.
    """

    def __init__(
        self, keys: Prepared, rows: Prepared, model: type[Model], *, sorts: bool, descending: bool
    ) -> None:
        self._keys, self._rows, self._model = keys, rows, model
        self._sort = ("scim_sort",) if sorts else ()
        self._direction = "DESC" if descending else "ASC"
        by_key = ("scim_sort IS NULL", "scim_sort") if sorts else ()
        self._order = ", ".join(f"{term} {self._direction}" for term in (*by_key, "scim_pk"))

    def rows(
        self, *values: Any, limit: int, offset: int = 0, total: Total | None = None
    ) -> RowsAndTotal:
        """``limit`` rows from the one at ``offset``, each with its sort key at the end."""
        using, keys = self._keys.compile()
        _, rows = self._rows.compile(using)
        if keys is None or rows is None:
            return [], None
        count = total.select(using, values) if total else None
        counted = f"({count.sql}) AS scim_total, " if count else ""
        names = ", ".join(("scim_pk", *self._sort))
        sql = (
            f"WITH scim_page ({names}) AS ({self._led(keys.sql, using)}{limited(limit, offset)}) "
            f"SELECT {''.join(f'{name}, ' for name in self._sort)}{counted}"
            f"{rows.sql.removeprefix('SELECT ')} "
            f"INNER JOIN scim_page ON scim_pk = {self._key(using)} ORDER BY {self._order}"
        )
        parameters = [*keys.filled(values), *skipped(offset)]
        parameters += [*(count.parameters if count else ()), *rows.parameters]
        found = fetched(sql, parameters, using)
        sorts, width = len(self._sort), len(self._sort) + bool(count)
        number = count.number(found[0][sorts]) if count and found else None
        read = rows.converted([row[width:] for row in found] if width else found)
        if sorts:
            ordered = keys.converted([(None, row[0]) for row in found])
            read = [(*row, key) for row, (_, key) in zip(read, ordered, strict=True)]
        return read, number

    def _led(self, keys: str, using: str) -> str:
        """The statement that finds the keys as this database is to be asked."""
        return keys

    def _key(self, using: str) -> str:
        return self._column(self._model._meta.pk.name, using)

    def _column(self, field: str, using: str) -> str:
        column: Any = self._model._meta.get_field(field)
        return f"{self._table(using)}.{connections[using].ops.quote_name(column.column)}"

    def _table(self, using: str) -> str:
        return connections[using].ops.quote_name(self._model._meta.db_table)


class PreparedRange(PreparedPage):
    """A page of all rows of an index that have the same values but for the primary key at its end.

    Databases must be told to walk the ``index``, or they may walk the primary key's, through
    everybody else's rows. ``straight`` finds what ``rows`` has of the rows that ``keys`` finds,
    and ``passed`` the keys of what may be passed over by an offset; neither has an order.
    """

    def __init__(
        self,
        keys: Prepared,
        rows: Prepared,
        model: type[Model],
        *,
        straight: Prepared,
        passed: Prepared,
        index: str,
        descending: bool,
    ) -> None:
        super().__init__(keys, rows, model, sorts=False, descending=descending)
        self._straight, self._passed, self._index = straight, passed, index
        self._fields = next(each.fields for each in model._meta.indexes if each.name == index)

    def rows(
        self, *values: Any, limit: int, offset: int = 0, total: Total | None = None
    ) -> RowsAndTotal:
        using, straight = self._straight.compile()
        _, passed = self._passed.compile(using)
        ranged = straight and self._ranged(straight.sql, using)
        keys = passed and self._ranged(passed.sql, using)
        if not (straight and passed and ranged and keys):
            return super().rows(*values, limit=limit, offset=offset, total=total)
        count = total.select(using, values) if total else None
        counted = f"({count.sql}) AS scim_total, " if count else ""
        parameters = [*(count.parameters if count else ()), *straight.filled(values)]
        order = self._in_order(using)
        if offset:  # of what is passed over, only the index is read
            first = f"{keys}{order}{limited(1, offset)}"
            beyond = "<=" if self._direction == "DESC" else ">="
            ranged += f" AND {self._key(using)} {beyond} ({first})"
            parameters += [*passed.filled(values), *skipped(offset)]
        sql = f"SELECT {counted}{ranged.removeprefix('SELECT ')}{order}{limited(limit)}"
        found = fetched(sql, parameters, using)
        number = count.number(found[0][0]) if count and found else None
        return straight.converted([row[1:] for row in found] if count else found), number

    def _ranged(self, sql: str, using: str) -> str | None:
        """The statement of rows so that PostgreSQL has no other index to find them in order by.

        What is equal to a value has no say in the order, as its planner knows, and the order would
        be the primary key's. What is equal to any of several has, be it any of one. None for
        other databases.
        """
        if connections[using].vendor != "postgresql":
            return None
        column = self._column(self._fields[0], using)
        start, where, conditions = sql.rpartition(" WHERE ")
        led = conditions.replace(f"{column} = %s", f"{column} = ANY(ARRAY[%s])", 1)
        return None if led == conditions else f"{start}{where}{led}"

    def _in_order(self, using: str) -> str:
        columns = (f"{self._column(field, using)} {self._direction}" for field in self._fields)
        return f" ORDER BY {', '.join(columns)}"

    def _led(self, keys: str, using: str) -> str:
        if connections[using].vendor != "mysql":
            return keys
        table = f"FROM {self._table(using)}"
        return keys.replace(table, f"{table} FORCE INDEX ({self._index})", 1)
