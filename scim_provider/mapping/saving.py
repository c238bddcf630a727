"""INSERT and UPDATE of one row, with statements that are written once.

Ours always; those of the site where nobody would notice the difference to ``save``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connections, router
from django.db.models import AutoField, BigAutoField, Field, Model
from django.db.models.fields import NOT_PROVIDED

from .one_statement import write
from .rows import OthersOfRow, saves_are_watched


def save_new(row: Any) -> None:
    """``save`` an unsaved row of any model."""
    if _is_plain(row):
        row._prepare_related_fields_for_save("save")
        insert(row)
    else:
        row.save(force_insert=True)


def save_changed(row: Any, names: Sequence[str]) -> None:
    """``save`` the fields ``names`` of a row of any model that is locked."""
    if _is_plain(row):
        row._prepare_related_fields_for_save("save", fields=_related(type(row), names))
        update(row, names)
    else:
        row.save(update_fields=names)


def _is_plain(row: Model) -> bool:
    """Whether ``save`` does no more than to write values to the columns of one table.

    Django's accounts tell the validators of a password that was set before.
    """
    values = vars(row)
    return (
        _has_plain_columns(type(row))
        and not saves_are_watched(type(row))
        and values.get("_password") is None
        and not any(hasattr(value, "resolve_expression") for value in values.values())
    )


@cache
def _has_plain_columns(model: type[Model]) -> bool:
    """No parents, no values that the database makes, no fields that write SQL of their own."""
    fields: list[Any] = list(model._meta.concrete_fields)
    return (
        not model._meta.parents
        and type(model._meta.pk) in (AutoField, BigAutoField)
        and not any(
            field.generated
            or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
            or hasattr(field, "get_placeholder")
            or hasattr(field, "get_placeholder_sql")
            for field in fields
        )
    )


def _related(model: type[Model], names: Sequence[str]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.name in names]


def insert(row: Model, others: OthersOfRow | None = None) -> None:
    """INSERT an unsaved row, which has its key afterwards, and the others that refer to it.

    PostgreSQL does so in one statement.
    """
    model = type(row)
    using = router.db_for_write(model, instance=row)
    connection = connections[using]
    fields = _fields(model)
    sql, returns = _insert_sql(model, using, connection.features.can_return_columns_from_insert)
    parameters = _values(row, fields, connection, add=True)
    together = others is not None and others.fit_into_statement(connection)
    if others and together:
        sql, parameters = others.beside(sql, parameters, connection)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        key = cursor.fetchone()[0] if returns else cursor.lastrowid
    row.pk = key
    row._state.adding, row._state.db = False, using
    if others and not together:
        others.insert(key)


def update(row: Model, names: Sequence[str]) -> None:
    """UPDATE the fields ``names`` of a saved row."""
    model = type(row)
    using = router.db_for_write(model, instance=row)
    connection = connections[using]
    fields = [model._meta.get_field(name) for name in names]
    sql = _update_sql(model, using, tuple(names), (model._meta.pk.name,))
    parameters = [*_values(row, fields, connection, add=False), row.pk]
    write(connection, model._meta.db_table, (sql, parameters))


def update_where(model: type[Model], where: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """UPDATE the rows whose fields are ``where``; values are as the database takes them."""
    using = router.db_for_write(model)
    sql = _update_sql(model, using, tuple(changes), tuple(where))
    write(connections[using], model._meta.db_table, (sql, [*changes.values(), *where.values()]))


def _values(row: Model, fields: Sequence[Any], connection: Any, *, add: bool) -> list[Any]:
    return [field.get_db_prep_save(field.pre_save(row, add), connection) for field in fields]


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
