"""INSERT, UPDATE and DELETE of one row, with statements that are written once.

Ours always; those of the site where nobody would notice the difference to ``save``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import NoneType
from typing import Any, NamedTuple

from django.db import connections, router
from django.db.models import (
    CASCADE,
    AutoField,
    BigAutoField,
    BooleanField,
    CharField,
    EmailField,
    Field,
    ForeignKey,
    Model,
    TextField,
)
from django.db.models.constants import OnConflict
from django.db.models.fields import NOT_PROVIDED

from scim_provider.fields import KeyField

from .one_statement import send_what_waits, write, write_at_once
from .rows import OthersOfRow, deletes_are_watched, referring, saves_are_watched

#: Rows of a statement that names each column of each.
_PUT_AT_ONCE = 1000


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


def can_wait(row: Model, using: str) -> bool:
    """Whether an unsaved row can be INSERTed with the one that refers to it: see :func:`insert`."""
    return (
        connections[using].vendor == "postgresql"
        and router.db_for_write(type(row), instance=row) == using
        and _is_plain(row)
    )


def insert(row: Model, others: OthersOfRow | None = None, *, first: str = "") -> None:
    """INSERT an unsaved row, which has its key afterwards, and the others that refer to it.

    And before it the unsaved row that its foreign key ``first`` leads to, of which :func:`can_wait`
    is true. PostgreSQL does so in one statement.
    """
    model = type(row)
    using = router.db_for_write(model, instance=row)
    connection = connections[using]
    earlier: Any = getattr(row, first) if first else None
    sql, returns = _insert_sql(
        model, using, connection.features.can_return_columns_from_insert, first
    )
    fields = [field for field in _fields(model) if field.name != first]
    parts = [("made", sql, _values(row, fields, connection, add=True))]
    if earlier is not None:
        parts.insert(0, ("earlier", *_insert_of(earlier, using)))
    together = others is not None and others.fit_into_statement(connection)
    if others and together:
        parts.append(("others", *others.behind("made", connection)))
    with connection.cursor() as cursor:
        cursor.execute(*_as_one(parts, [one for one in (row, earlier) if one is not None], using))
        keys = cursor.fetchone() if returns else [cursor.lastrowid]
    _saved(row, keys[0], using)
    if earlier is not None:
        _saved(earlier, keys[1], using)
        setattr(row, first, earlier)  # its key is known only now
    if others and not together:
        others.insert(row.pk)


#: The name of a part of a statement, its SQL and its parameters.
_Part = tuple[str, str, Sequence[Any]]


def _insert_of(row: Any, using: str) -> tuple[str, list[Any]]:
    row._prepare_related_fields_for_save("save")
    model: type[Model] = type(row)
    sql, _ = _insert_sql(model, using, True)
    return sql, _values(row, _fields(model), connections[using], add=True)


def _as_one(parts: Sequence[_Part], rows: Sequence[Model], using: str) -> tuple[str, list[Any]]:
    """The statement of all parts, which returns the keys of the ``rows`` made and earlier."""
    parameters = [parameter for *_, some in parts for parameter in some]
    if len(parts) == 1:
        return parts[0][1], parameters
    named = ", ".join(f"{name} AS ({sql})" for name, sql, _ in parts)
    names = ("made", "earlier")[: len(rows)]
    keys = (f"{name}.{_key(type(row), using)}" for name, row in zip(names, rows, strict=True))
    return f"WITH {named} SELECT {', '.join(keys)} FROM {', '.join(names)}", parameters


def _saved(row: Model, key: Any, using: str) -> None:
    row.pk = key
    row._state.adding, row._state.db = False, using


def add_object(row: Model) -> None:
    """INSERT an unsaved row whose key nobody will ask for. No signal is sent."""
    model: type[Model] = type(row)
    connection = connections[router.db_for_write(model, instance=row)]
    sql, _ = _insert_sql(model, connection.alias, False)
    parameters = _values(row, _fields(model), connection, add=True)
    write(connection, model._meta.db_table, (sql, parameters))


def put_objects(
    model: type[Model], objects: Sequence[Model], unique: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """INSERT unsaved rows, or UPDATE the fields ``names`` of those that are there by ``unique``.

    As of :func:`add_object` they have no keys afterwards.
    """
    connection = connections[router.db_for_write(model)]
    if len(objects) == 1:
        sql = _put_sql(model, connection.alias, unique, names)
        parameters = _values(objects[0], _fields(model), connection, add=True)
        write(connection, model._meta.db_table, (sql, parameters))
        return
    targeted = connection.features.supports_update_conflicts_with_target
    model._default_manager.bulk_create(
        objects,
        batch_size=_PUT_AT_ONCE,
        update_conflicts=True,
        unique_fields=unique if targeted else None,
        update_fields=names,
    )


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


def delete(row: Model) -> Mapping[str, int]:
    """``row.delete()`` of a row of ours that is locked: how many went with it, by model.

    PostgreSQL does so in one statement, with all that waits.
    """
    model = type(row)
    using = router.db_for_write(model, instance=row)
    connection = connections[using]
    going = _going(model, using)
    if any(map(deletes_are_watched, (model, *going))):
        send_what_waits(using)  # receivers may read
        return row.delete()[1]
    if connection.vendor == "postgresql":
        numbers = _delete_at_once(row, connection)
    else:
        numbers = _delete_in_order(row, connection)
    row.pk = None
    return {each._meta.label: number for each, number in zip(going, numbers, strict=True)}


class _Going(NamedTuple):
    """Rows that go: what finds them, and how often that names the key."""

    found: str
    places: int


@cache
def _going(model: type[Model], using: str) -> Mapping[type[Model], _Going]:
    """What goes with a row of ``model``, in the order in which Django deletes it."""
    keys: dict[type[Model], list[str]] = {}
    for relation in referring(model):
        if relation.on_delete is CASCADE:
            keys.setdefault(relation.related_model, []).append(relation.field.name)
    return {each: _found(each, using, names) for each, names in keys.items()}


def _found(model: type[Model], using: str, names: Sequence[str]) -> _Going:
    conditions = (f"{column} = %s" for column in _columns(model, using, names))
    return _Going(f"{_table(model, using)} WHERE {' OR '.join(conditions)}", len(names))


def _delete_in_order(row: Model, connection: Any) -> list[int]:
    model, using, numbers = type(row), connection.alias, []
    itself = _found(model, using, [model._meta.pk.name])
    with connection.cursor() as cursor:
        for found, places in (*_going(model, using).values(), itself):
            cursor.execute(f"DELETE FROM {found}", [row.pk] * places)
            numbers.append(cursor.rowcount)
    return numbers[:-1]


def _delete_at_once(row: Model, connection: Any) -> Sequence[int]:
    """The row is told to wait for the others: to lock it for good while somebody who changes one
    of them is about to refer to it would be a deadlock.
    """
    model, using = type(row), connection.alias
    parts = {
        f"scim_gone_{number}": (f"DELETE FROM {found} RETURNING 1", [row.pk] * places)
        for number, (found, places) in enumerate(_going(model, using).values())
    }
    numbers = [f"(SELECT COUNT(*) FROM {name})" for name in parts]
    found, _ = _found(model, using, [model._meta.pk.name])
    sql = f"DELETE FROM {found} AND {' + '.join(numbers)} >= 0 RETURNING {', '.join(numbers)}"
    counted: Sequence[int] | None = write_at_once(connection, parts, (sql, [row.pk]))
    return counted or [0] * len(parts)  # a hook of the site has deleted it


#: The values of which Django makes the same for a database: most, and it takes long to say so.
_AS_THEY_ARE: Mapping[type, tuple[type, ...]] = {
    **dict.fromkeys((CharField, EmailField, KeyField, TextField), (str, NoneType)),
    BooleanField: (bool, NoneType),
    ForeignKey: (NoneType,),
}


def _values(row: Model, fields: Sequence[Any], connection: Any, *, add: bool) -> list[Any]:
    return [_value(row, field, connection, add=add) for field in fields]


def _value(row: Model, field: Any, connection: Any, *, add: bool) -> Any:
    value = getattr(row, field.attname)
    if type(value) in _AS_THEY_ARE.get(type(field), ()):
        return value
    return field.get_db_prep_save(field.pre_save(row, add), connection)


@cache
def _fields(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    return tuple(field for field in model._meta.concrete_fields if not field.primary_key)


def _columns(model: type[Model], using: str, names: Sequence[str]) -> list[str]:
    """The quoted columns of the fields ``names``."""
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    return [connections[using].ops.quote_name(field.column) for field in fields]


def _table(model: type[Model], using: str) -> str:
    return connections[using].ops.quote_name(model._meta.db_table)


def _key(model: type[Model], using: str) -> str:
    """The quoted column of the primary key."""
    return _columns(model, using, [model._meta.pk.name])[0]


@cache
def _insert_sql(
    model: type[Model], using: str, can_return: bool, first: str = ""
) -> tuple[str, bool]:
    """The INSERT, and whether it returns the key. ``first`` refers to the row made ``earlier``."""
    fields: Any = _fields(model)
    places = [
        f"(SELECT {_key(field.related_model, using)} FROM earlier)" if field.name == first else "%s"
        for field in fields
    ]
    columns = _columns(model, using, [field.name for field in fields])
    returning = f" RETURNING {_key(model, using)}" if can_return else ""
    into = f"INSERT INTO {_table(model, using)} ({', '.join(columns)})"
    return f"{into} VALUES ({', '.join(places)}){returning}", can_return


@cache
def _put_sql(
    model: type[Model], using: str, unique: tuple[str, ...], names: tuple[str, ...]
) -> str:
    sql, _ = _insert_sql(model, using, False)
    changed, known = ([_field(model, name).column for name in some] for some in (names, unique))
    operations = connections[using].ops
    return f"{sql} " + operations.on_conflict_suffix_sql(
        list(_fields(model)), OnConflict.UPDATE, changed, known
    )


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)


@cache
def _update_sql(
    model: type[Model], using: str, changes: tuple[str, ...], where: tuple[str, ...]
) -> str:
    values = ", ".join(f"{column} = %s" for column in _columns(model, using, changes))
    conditions = " AND ".join(f"{column} = %s" for column in _columns(model, using, where))
    return f"UPDATE {_table(model, using)} SET {values} WHERE {conditions}"
