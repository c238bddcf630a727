"""Moments as PostgreSQL's JSON has them: its driver takes ten times as long to make one of a column
as Python does of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import DateTimeField
from django.db.models.expressions import Col

Row = Sequence[Any]
#: Makes Python's values of a driver's.
Convert = Callable[[list[Row]], Iterator[Row]]


def moments_as_texts(sql: str, compiler: Any) -> tuple[str, tuple[int, ...]]:
    """A SELECT so that it reads its columns of moments as JSON, and their places.

    As it is where anything has an order, which may be that of such a column by its number.
    """
    is_plain = not compiler.query.distinct and compiler.query.group_by is None
    if not (settings.USE_TZ and is_plain) or " ORDER BY " in sql:
        return sql, ()
    quote = connections[compiler.using].ops.quote_name
    named = [(f" AS {quote(alias)}" if alias else "") for *_, alias in compiler.select]
    columns = [column for _, (column, _), _ in compiler.select]
    moments = tuple(
        place
        for place, (selected, *_) in enumerate(compiler.select)
        if type(selected) is Col and type(selected.target) is DateTimeField
    )
    start = f"SELECT {', '.join(map(''.join, zip(columns, named, strict=True)))} FROM "
    if not moments or not sql.startswith(start):
        return sql, ()
    for place in moments:
        columns[place] = f"to_json({columns[place]})::text"
    read = ", ".join(map("".join, zip(columns, named, strict=True)))
    return f"SELECT {read} FROM {sql.removeprefix(start)}", moments


def reading_moments(moments: Sequence[int], convert: Convert | None) -> Convert:
    """``convert`` of rows whose values at the places ``moments`` are such JSON."""

    def read(rows: list[Row]) -> Iterator[Row]:
        found: list[Row] = []
        for row in rows:
            values = list(row)
            for place in moments:
                if (text := values[place]) is not None:
                    values[place] = datetime.fromisoformat(text[1:-1])
            found.append(values)
        return iter(found) if convert is None else convert(found)

    return read
