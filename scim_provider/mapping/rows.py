"""Many new rows at once, without an object each where nobody looks at the objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import StringIO
from itertools import islice
from typing import Any, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connections, router
from django.db.models import JSONField, Model
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from scim_provider.fields import DocumentField
from scim_provider.layouts import document_text
from scim_provider.models import Resource

from .one_statement import write
from .statistics import note_inserted

#: Rows of one statement.
_BATCH = 10_000
#: Up to so many, one statement that is always the same beats COPY, which takes several trips.
_FEW = 100
T = TypeVar("T")
Row = Sequence[Any]

_PLAIN_SAVES = (Model.save, AbstractBaseUser.save)
_OURS = Resource._meta.app_label


def saves_are_watched(model: type[Model]) -> bool:
    """Whether the site wants to see each save: by a receiver, or by its own ``save``."""
    listeners = any(signal.has_listeners(model) for signal in (pre_save, post_save))
    return listeners or model.save not in _PLAIN_SAVES


def deletes_are_watched(model: type[Model]) -> bool:
    """Whether the site has a hand in what becomes of deleted rows: by a receiver, by its own
    ``delete``, or by a model of its own that refers to them.
    """
    listeners = any(signal.has_listeners(model) for signal in (pre_delete, post_delete))
    return listeners or model.delete is not Model.delete or _is_referred_to_by_others(model)


@cache
def _is_referred_to_by_others(model: type[Model]) -> bool:
    others = (relation.related_model for relation in referring(model))
    generic = (hasattr(field, "bulk_related_objects") for field in model._meta.private_fields)
    return any(other._meta.app_label != _OURS for other in others) or any(generic)


def referring(model: type[Model]) -> list[Any]:
    """The relations of foreign keys to ``model``, also of those without a name for the way back."""
    fields: Any = model._meta.get_fields(include_hidden=True)
    return [
        field
        for field in fields
        if field.auto_created and not field.concrete and (field.one_to_many or field.one_to_one)
    ]


def insert_objects(model: type[Model], objects: Sequence[Any]) -> None:
    """INSERT unsaved objects, which have their keys afterwards; one by one if that is watched."""
    features = connections[router.db_for_write(model)].features
    in_sets = features.can_return_rows_from_bulk_insert and not model._meta.parents
    if in_sets and not saves_are_watched(model):
        model._default_manager.bulk_create(objects)
        return
    for made in objects:
        made.save(force_insert=True)


def new_keys(model: type[Model], count: int) -> list[int] | None:
    """Primary keys for rows to come, where the engine hands them out: PostgreSQL."""
    connection = connections[router.db_for_write(model)]
    if connection.vendor != "postgresql":
        return None
    table = connection.ops.quote_name(model._meta.db_table)
    sequence = "nextval(pg_get_serial_sequence(%s, %s)::regclass)"
    with connection.cursor() as cursor:
        column = model._meta.pk.column
        cursor.execute(f"SELECT {sequence} FROM generate_series(1, %s)", [table, column, count])
        return [key for (key,) in cursor.fetchall()]


def insert_resources(resources: Sequence[Resource]) -> None:
    """INSERT unsaved resources, whose documents a statement of values takes long to carry."""
    keys = None if saves_are_watched(Resource) else new_keys(Resource, len(resources))
    if keys is None:
        insert_objects(Resource, resources)
        return
    for resource, key in zip(resources, keys, strict=True):
        resource.pk = key
    fields = Resource._meta.concrete_fields
    names = [field.name for field in fields]
    insert_rows(Resource, names, ([_value(r, field) for field in fields] for r in resources))
    for resource in resources:
        resource._state.adding = False
        resource._state.db = router.db_for_write(Resource)


def _value(resource: Resource, field: Any) -> Any:
    value = getattr(resource, field.attname)
    if isinstance(field, DocumentField):
        return document_text(value)
    return json.dumps(value) if isinstance(field, JSONField) else value


def update_objects(model: type[Model], objects: Sequence[Any], fields: Sequence[str]) -> None:
    """UPDATE the fields of saved objects; one by one if that is watched."""
    if not saves_are_watched(model):
        model._default_manager.bulk_update(objects, fields)
        return
    for changed in objects:
        changed.save(update_fields=fields)


def batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Slices of at most ``size`` items."""
    return (items[start : start + size] for start in range(0, len(items), size))


def insert_rows(model: type[Model], names: Sequence[str], rows: Iterable[Row]) -> None:
    """INSERT rows of values for the columns of the fields ``names``."""
    using = router.db_for_write(model)
    remaining = iter(rows)
    while some := list(islice(remaining, _BATCH)):
        _insert(model, names, some, using)
        note_inserted(len(some))


@dataclass(frozen=True)
class OthersOfRow:
    """Rows of ``model`` that refer by ``relation`` to a row that is about to be made.

    Each has a value for each of ``names``.
    """

    model: type[Model]
    relation: str
    names: Sequence[str]
    rows: Sequence[Row]

    def fit_into_statement(self, connection: Any) -> bool:
        return connection.vendor == "postgresql" and 0 < len(self.rows) <= _FEW

    def behind(self, made: str, connection: Any) -> tuple[str, list[Any]]:
        """The INSERT of these rows, as a part of a statement whose part ``made`` has the key."""
        into = _into(self.model, (*self.names, self.relation), connection)
        arrays, values = _arrays(self.model, self.names, self.rows, connection)
        key = f"SELECT other.*, {made}.id FROM {made}, unnest({arrays}) AS other"
        return f"INSERT INTO {into} {key}", values

    def insert(self, key: Any) -> None:
        """The same by a statement of its own, once the key is known."""
        rows = ((*row, key) for row in self.rows)
        insert_rows(self.model, (*self.names, self.relation), rows)


def replace_rows(
    model: type[Model], gone: Mapping[str, Sequence[Any]], names: Sequence[str], rows: Sequence[Row]
) -> None:
    """DELETE the rows whose fields are among the values in ``gone``, and INSERT ``rows``.

    Neither where there is nothing to do. PostgreSQL does both as one statement.
    """
    using = router.db_for_write(model)
    connection = connections[using]
    statements = [_delete(model, gone, connection)] if gone else []
    if connection.vendor == "postgresql" and 0 < len(rows) <= _FEW:
        statements.append(_unnested(model, names, rows, connection))
        note_inserted(len(rows))
        rows = ()
    if statements:
        write(connection, model._meta.db_table, *statements)
    if rows:
        insert_rows(model, names, rows)


def _delete(
    model: type[Model], gone: Mapping[str, Sequence[Any]], connection: Any
) -> tuple[str, list[Any]]:
    """One parameter for all values of a field where the database takes an array."""
    is_array = connection.vendor == "postgresql"
    conditions: list[str] = []
    parameters: list[Any] = []
    for name, values in gone.items():
        column = _column(model, name, connection)
        if is_array and len(values) > 1:
            conditions.append(f"{column} = ANY(%s)")
            parameters.append(list(values))
        else:
            conditions.append(f"{column} IN ({', '.join(['%s'] * len(values))})")
            parameters += values
    table = connection.ops.quote_name(model._meta.db_table)
    return f"DELETE FROM {table} WHERE {' AND '.join(conditions)}", parameters


def _column(model: type[Model], name: str, connection: Any) -> str:
    field: Any = model._meta.get_field(name)
    return str(connection.ops.quote_name(field.column))


def _unnested(
    model: type[Model], names: Sequence[str], rows: Sequence[Row], connection: Any
) -> tuple[str, list[Any]]:
    """An INSERT that is the same for any number of rows."""
    arrays, values = _arrays(model, names, rows, connection)
    return f"INSERT INTO {_into(model, names, connection)} SELECT * FROM unnest({arrays})", values


def _arrays(
    model: type[Model], names: Sequence[str], rows: Sequence[Row], connection: Any
) -> tuple[str, list[Any]]:
    """Arguments of PostgreSQL's ``unnest``: an array for each column."""
    values = [_array(column) for column in zip(*rows, strict=True)]
    return _array_places(model, tuple(names), connection.alias), values


@cache
def _array_places(model: type[Model], names: tuple[str, ...], using: str) -> str:
    types = (_element_type(model._meta.get_field(name), connections[using]) for name in names)
    return ", ".join(f"%s::{type_}[]" for type_ in types)


def _array(values: Iterable[Any]) -> str:
    """An array as PostgreSQL reads it: its driver takes longer to write one."""
    return f"{{{','.join(map(_array_element, values))}}}"


def _array_element(value: Any) -> str:
    if isinstance(value, str):
        if "\\" in value or '"' in value:
            value = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{value}"'
    return "NULL" if value is None else str(value)


def _into(model: type[Model], names: Sequence[str], connection: Any) -> str:
    return _columns_of(model, tuple(names), connection.alias)


@cache
def _columns_of(model: type[Model], names: tuple[str, ...], using: str) -> str:
    connection = connections[using]
    columns = ", ".join(_column(model, name, connection) for name in names)
    return f"{connection.ops.quote_name(model._meta.db_table)} ({columns})"


def _insert(model: type[Model], names: Sequence[str], rows: Sequence[Row], using: str) -> None:
    connection = connections[using]
    into = _into(model, names, connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(rows) <= _FEW:
            cursor.execute(*_unnested(model, names, rows, connection))
        elif connection.vendor == "postgresql":
            with connection.wrap_database_errors:
                _copy(cursor, f"COPY {into} FROM STDIN", "".join(map(_copy_line, rows)))
        else:
            places = ", ".join(["%s"] * len(names))
            cursor.executemany(f"INSERT INTO {into} VALUES ({places})", rows)


def _element_type(field: Any, connection: Any) -> str:
    """The column's type without a length, which would cut silently instead of refusing."""
    return str(field.db_type(connection)).partition("(")[0]


def _copy(cursor: Any, sql: str, text: str) -> None:
    if hasattr(cursor, "copy_expert"):  # psycopg 2
        cursor.copy_expert(sql, StringIO(text))
        return
    with cursor.copy(sql) as copy:
        copy.write(text)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _copy_line(row: Row) -> str:
    """A row as COPY reads it: tabs between the values, a newline after them."""
    texts = [
        value.translate(_ESCAPES)
        if isinstance(value, str)
        else "\\N"
        if value is None
        else str(value)
        for value in row
    ]
    return "\t".join(texts) + "\n"
