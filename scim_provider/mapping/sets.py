"""Sets of our own keys as one parameter, for statements that are written by hand."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.constants import OnConflict

from scim_provider.models import Resource

#: Rows ``(first, second)``.
_PAIRS = {
    "sqlite": (
        "SELECT json_extract(value, '$[0]') AS first, json_extract(value, '$[1]') AS second"
        " FROM json_each(%s)"
    ),
    "postgresql": (
        "SELECT first, second FROM unnest(%s::bigint[], %s::bigint[]) AS pair (first, second)"
    ),
    "mysql": (
        "SELECT DISTINCT first, second FROM JSON_TABLE(%s, '$[*]' COLUMNS"
        " (first BIGINT PATH '$[0]', second BIGINT PATH '$[1]')) AS pair"
    ),
}
#: Rows ``(id)``; MariaDB makes a table of what is distinct.
_KEYS = {
    "sqlite": "SELECT value AS id FROM json_each(%s)",
    "postgresql": "SELECT id FROM unnest(%s::bigint[]) AS key (id)",
    "mysql": "SELECT DISTINCT id FROM JSON_TABLE(%s, '$[*]' COLUMNS (id BIGINT PATH '$')) AS k",
}


def each_joined(table: str, alias: str, column: str, value: str, vendor: str) -> str:
    """A join of the rows of ``table`` whose ``column`` is ``value``, found by index row by row.

    Inside a recursion PostgreSQL knows no numbers, and would rather read the whole table.
    """
    if vendor != "postgresql":
        return f"JOIN {table} {alias} ON {alias}.{column} = {value}"
    rows = f"SELECT * FROM {table} joined WHERE joined.{column} = {value} OFFSET 0"
    return f"CROSS JOIN LATERAL ({rows}) {alias}"


class KeySets:
    """Statements over sets of keys, on the database that resources are written to."""

    def __init__(self) -> None:
        self.connection: BaseDatabaseWrapper = connections[router.db_for_write(Resource)]
        self.vendor = self.connection.vendor
        #: SELECTs of what :meth:`of_keys` and :meth:`of_pairs` make parameters of.
        self.keys, self.pairs = _KEYS[self.vendor], _PAIRS[self.vendor]

    def of_keys(self, keys: Collection[int]) -> list[Any]:
        """The parameter of :attr:`keys`."""
        return [list(keys)] if self.vendor == "postgresql" else [json.dumps(list(keys))]

    def of_pairs(self, pairs: Collection[tuple[int, int]]) -> list[Any]:
        """The parameters of :attr:`pairs`."""
        if self.vendor == "postgresql":
            return [[first for first, _ in pairs], [second for _, second in pairs]]
        return [json.dumps(list(pairs))]

    def select(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def insert_pairs(
        self,
        model: type[Model],
        pairs: Collection[tuple[int, int]],
        columns: dict[str, str],
        parameters: Sequence[Any] = (),
        joined: str = "",
    ) -> None:
        """INSERT a row for each pair, ``p.first`` and ``p.second``, unless it is there already.

        ``columns`` are SQL expressions by the name of the field; ``parameters`` are theirs.
        """
        if not pairs:
            return
        operations = self.connection.ops
        fields: list[Any] = [model._meta.get_field(name) for name in columns]
        names = [operations.quote_name(field.column) for field in fields]
        into = f"{operations.quote_name(model._meta.db_table)} ({', '.join(names)})"
        conflict = operations.on_conflict_suffix_sql(None, OnConflict.IGNORE, (), ())
        sql = (
            f"{operations.insert_statement(on_conflict=OnConflict.IGNORE)} {into}"
            f" SELECT {', '.join(columns.values())} FROM ({self.pairs}) p {joined}"
            f" WHERE 1 = 1 {conflict}"
        )
        with self.connection.cursor() as cursor:
            cursor.execute(sql, [*parameters, *self.of_pairs(pairs)])
