"""INSERT and UPDATE of one row of our own tables, with statements that are written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connections, router
from django.db.models import Field, Model


def insert(row: Model) -> None:
    """INSERT an unsaved row, which has its key afterwards."""
    model = type(row)
    using = router.db_for_write(model, instance=row)
    connection = connections[using]
    fields = _fields(model)
    sql, returns = _insert_sql(model, using, connection.features.can_return_columns_from_insert)
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(row, fields, connection))
        key = cursor.fetchone()[0] if returns else cursor.lastrowid
    row.pk = key
    row._state.adding, row._state.db = False, using


def update(row: Model, names: Sequence[str]) -> None:
    """UPDATE the fields ``names`` of a saved row."""
    model = type(row)
    using = router.db_for_write(model, instance=row)
    connection = connections[using]
    fields = [model._meta.get_field(name) for name in names]
    sql = _update_sql(model, using, tuple(names), (model._meta.pk.name,))
    with connection.cursor() as cursor:
        cursor.execute(sql, [*_values(row, fields, connection), row.pk])


def update_where(model: type[Model], where: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """UPDATE the rows whose fields are ``where``; values are as the database takes them."""
    using = router.db_for_write(model)
    with connections[using].cursor() as cursor:
        sql = _update_sql(model, using, tuple(changes), tuple(where))
        cursor.execute(sql, [*changes.values(), *where.values()])


def _values(row: Model, fields: Sequence[Any], connection: Any) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]


@cache
def _fields(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    return tuple(field for field in model._meta.concrete_fields if not field.primary_key)


def _columns(model: type[Model], using: str, names: Sequence[str]) -> list[str]:
    """The quoted columns of the fields ``names``."""
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    return [connections[using].ops.quote_name(field.column) for field in fields]


def _table(model: type[Model], using: str) -> str:
    return connections[using].ops.quote_name(model._meta.db_table)


@cache
def _insert_sql(model: type[Model], using: str, can_return: bool) -> tuple[str, bool]:
    columns = _columns(model, using, [field.name for field in _fields(model)])
    places = ", ".join(["%s"] * len(columns))
    (key,) = _columns(model, using, [model._meta.pk.name])
    returning = f" RETURNING {key}" if can_return else ""
    into = f"INSERT INTO {_table(model, using)} ({', '.join(columns)})"
    return f"{into} VALUES ({places}){returning}", can_return


@cache
def _update_sql(
    model: type[Model], using: str, changes: tuple[str, ...], where: tuple[str, ...]
) -> str:
    values = ", ".join(f"{column} = %s" for column in _columns(model, using, changes))
    conditions = " AND ".join(f"{column} = %s" for column in _columns(model, using, where))
    return f"UPDATE {_table(model, using)} SET {values} WHERE {conditions}"
