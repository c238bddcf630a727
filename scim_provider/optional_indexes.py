"""Indexes that a site may add: for ``co`` and ``ew``, and for names in the account's columns.

They cost room and time with every write, and many sites never need them; no migration makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, F, TextField

from .mapping.accounts import account_field
from .mapping.columns import Column
from .mapping.functions import NormalisedKey
from .models import AttributeValue, Resource
from .resources import resource_types

#: What PostgreSQL needs for an index of trigrams that is led by the connection.
EXTENSIONS = ("pg_trgm", "btree_gin")

NOT_HERE = {
    "sqlite": "SQLite has no index for text inside a text: co and ew read the values of the "
    "attribute in one connection. Every other comparison of SCIM's own attributes has its index.",
    "mysql": "MariaDB has no index for text inside a text, nor one on an expression: co and ew "
    "read the values of the attribute in one connection. Every other comparison of SCIM's own "
    "attributes has its index.",
}


@dataclass(frozen=True)
class OptionalIndex:
    """``definition`` is what stands after the table in CREATE INDEX."""

    name: str
    table: str
    definition: str
    serves: str


@dataclass(frozen=True)
class State:
    """``state`` is "built", "broken" (a build was cut off) or "absent"."""

    index: OptionalIndex
    state: str
    bytes: int


def database() -> BaseDatabaseWrapper:
    """The connection to the database that holds the resources."""
    found: BaseDatabaseWrapper = connections[router.db_for_write(Resource)]
    return found


def optional_indexes() -> list[OptionalIndex]:
    """The indexes that there are for this site; none where the engine has no such thing."""
    return [*_trigrams(), *_account_keys()] if database().vendor == "postgresql" else []


def _trigrams() -> Iterator[OptionalIndex]:
    yield OptionalIndex(
        "scim_opt_name_trigrams",
        Resource._meta.db_table,
        "USING gin (connection_id, name_key gin_trgm_ops)",
        "co and ew on userName, and on displayName of Groups",
    )
    yield OptionalIndex(
        "scim_opt_value_trigrams",
        AttributeValue._meta.db_table,
        "USING gin (connection_id, path, (COALESCE(text, key)) gin_trgm_ops)",
        "co and ew on every attribute without a column: emails.value, displayName, title",
    )


def _account_keys() -> Iterator[OptionalIndex]:
    model = get_user_model()
    for column, paths in sorted(_account_columns().items()):
        expression = NormalisedKey(F(column))
        compiler = model._default_manager.all().query.get_compiler(connection=database())
        sql, _ = compiler.compile(expression.resolve_expression(compiler.query))
        own = f'"{model._meta.db_table}".'
        yield OptionalIndex(
            f"scim_opt_account_{column}"[:63],
            model._meta.db_table,
            f"(({sql.replace(own, '')}))",
            f"eq, sw and order on {', '.join(sorted(paths))}",
        )


def _account_columns() -> dict[str, set[str]]:
    """The account's text columns that attributes live in, and which."""
    found: dict[str, set[str]] = {}
    for resource_type in resource_types():
        for target, home in resource_type.placed:
            for name in home.account_fields if type(home) is Column else ():
                if isinstance(account_field(name), CharField | TextField):
                    found.setdefault(name, set()).add(str(target))
    return found


def states() -> list[State]:
    """Each optional index, whether it is built and how large it is."""
    indexes = optional_indexes()
    there = _existing([index.name for index in indexes]) if indexes else {}
    return [State(index, *there.get(index.name, ("absent", 0))) for index in indexes]


def _existing(names: list[str]) -> dict[str, tuple[str, int]]:
    sql = (
        "SELECT c.relname, i.indisvalid, pg_relation_size(c.oid) FROM pg_class c "
        "JOIN pg_index i ON i.indexrelid = c.oid "
        "WHERE c.relname = ANY(%s) AND pg_table_is_visible(c.oid)"
    )
    with database().cursor() as cursor:
        cursor.execute(sql, [names])
        return {
            name: ("built" if valid else "broken", size) for name, valid, size in cursor.fetchall()
        }


def create_extensions() -> None:
    """Raises ``ProgrammingError`` where the database's user may not, and an extension lacks."""
    for extension in EXTENSIONS:
        _run(f"CREATE EXTENSION IF NOT EXISTS {extension}")


def create(state: State) -> None:
    """Build one index while the site goes on writing; what a cut-off build left is built anew."""
    index = state.index
    if state.state == "broken":
        drop(state)
    _run(f'CREATE INDEX CONCURRENTLY "{index.name}" ON "{index.table}" {index.definition}')
    _run(f'ANALYZE "{index.table}"')


def drop(state: State) -> None:
    """Remove one index while the site goes on."""
    _run(f'DROP INDEX CONCURRENTLY IF EXISTS "{state.index.name}"')


def _run(statement: str) -> None:
    with database().cursor() as cursor:
        cursor.execute(statement)


def as_json(state: State) -> dict[str, Any]:
    """One index as ``scim_indexes --json`` prints it."""
    index = state.index
    return {
        "name": index.name,
        "table": index.table,
        "serves": index.serves,
        "state": state.state,
        "bytes": state.bytes,
    }
