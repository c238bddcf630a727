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
        self._sort = ("scim_sort",) if sorts else ()
        direction = "DESC" if descending else "ASC"
        by_key = ("scim_sort IS NULL", "scim_sort") if sorts else ()
        self._order = ", ".join(f"{term} {direction}" for term in (*by_key, "scim_pk"))

    def rows(
        self, *values: Any, limit: int, offset: int = 0, total: Total | None = None
    ) -> tuple[list[Row], int | None]:
        """``limit`` rows from the one at ``offset``, each with its sort key at the end.

        And the ``total`` where one is asked for and there are rows to tell it.
        """
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
