"""The database: migrations, indexes, constraints and collations, its clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from scim_provider.fields import KeyField, KeyTextField, binary_collation
from scim_provider.mapping.transactions import database

from .finding import Finding, error, first_line, info, ok, warning

APP = "scim_provider"
_MIGRATE = "Run python manage.py migrate."
#: Of the clock; requests carry no time, but keys and cursors end by it.
_SKEW = 60
_CLOCKS = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM clock_timestamp())",
    "mysql": "SELECT UNIX_TIMESTAMP(SYSDATE(6))",
}


def check_migrations() -> Iterator[Finding]:
    """An error first where nothing else can be asked of the database."""
    try:
        connection = connections[database()]
        executor = MigrationExecutor(connection)
        targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] == APP]
        plan = [migration for migration, _ in executor.migration_plan(targets)]
    except (Error, ImproperlyConfigured) as away:
        yield error(
            "database",
            f"It does not answer: {first_line(away)}.",
            "Nothing works without it.",
            "Look at DATABASES and at the server that it names.",
        )
        return
    if plan:
        ours = [str(migration) for migration in plan if migration.app_label == APP]
        what = f"Not applied: {', '.join(ours or map(str, plan))}."
        why = "Requests fail where a table or a column is missing."
        yield error("migrations", what, why, _MIGRATE)
        return
    yield ok("migrations", "All are applied.")


def check_tables() -> Iterator[Finding]:
    """The tables are as the migrations made them."""
    connection = connections[database()]
    there = set(connection.introspection.table_names())
    problems: list[Finding] = []
    for model in apps.get_app_config(APP).get_models():
        if model._meta.proxy:
            continue
        if model._meta.db_table not in there:
            what = f"The table {model._meta.db_table} is missing."
            problems.append(error("database", what, "Requests fail that need it.", _REPAIR))
            continue
        problems += [*_missing(connection, model), *_collations(connection, model)]
    yield from problems
    if not problems:
        yield ok("database", "Columns, indexes, constraints and collations are as they should be.")


def _missing(connection: BaseDatabaseWrapper, model: type[Model]) -> Iterator[Finding]:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        there: dict[str, Any] = connection.introspection.get_constraints(cursor, table)
        described = connection.introspection.get_table_description(cursor, table)
    columns = {each.name for each in described}
    for field in model._meta.local_concrete_fields:
        if field.column not in columns:
            what = f"The column {field.column} of {table} is missing."
            yield error("database", what, "Requests fail that need it.", _REPAIR)
    names = {name.lower() for name in there}
    keys = [each for each in there.values() if each["unique"] or each["primary_key"]]
    unique = {tuple(each["columns"]) for each in keys}
    why = "The same name, id or key could come twice, and nobody would refuse it."
    for constraint in model._meta.constraints:
        if constraint.name.lower() not in names:
            what = f"The constraint {constraint.name} of {table} is missing."
            yield error("database", what, why, _REPAIR)
    for field in model._meta.local_concrete_fields:
        if field.unique and (field.column,) not in unique:
            what = f"{table}.{field.column} is not unique."
            yield error("database", what, why, _REPAIR)
    for index in model._meta.indexes:
        if index.name.lower() not in names:
            yield warning(
                "database",
                f"The index {index.name} of {table} is missing.",
                "Look-ups read the whole table: slower with every person.",
                _REPAIR,
            )


_REPAIR = (
    "Somebody changed the table by hand, or a restore left it out. Compare with "
    "python manage.py sqlmigrate scim_provider, and make it anew."
)


def _collations(connection: BaseDatabaseWrapper, model: type[Model]) -> Iterator[Finding]:
    """SQLite's default is byte-wise already, and it says nothing of it."""
    expected, table = binary_collation(connection), model._meta.db_table
    if connection.vendor == "sqlite" or expected is None:
        return
    keys = {
        field.column
        for field in model._meta.local_concrete_fields
        if isinstance(field, KeyField | KeyTextField)
    }
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
    wrong = [each.name for each in described if each.name in keys and each.collation != expected]
    if wrong:
        yield error(
            "database",
            f"{table}: {', '.join(sorted(wrong))} are not in the collation {expected}.",
            "What differs only in case or accents is taken for the same, or sorted otherwise: "
            "people and cursors go missing.",
            "Set the collation of these columns back; a conversion of the whole database to "
            "another one usually is the cause.",
        )


def check_clock() -> Iterator[Finding]:
    """The clock of the database server against the one of this process."""
    connection = connections[database()]
    sql = _CLOCKS.get(connection.vendor)
    if sql is None:
        yield ok("clock", "The database is a file: there is one clock.")
        return
    with connection.cursor() as cursor:
        cursor.execute(sql)
        skew = float(cursor.fetchone()[0]) - time.time()
    if abs(skew) > _SKEW:
        yield warning(
            "clock",
            f"The database's clock is {skew:+.0f} seconds from this machine's.",
            "Times of members come from one, all others from the other.",
            "Let both keep time by NTP.",
        )
        return
    yield ok("clock", "Database and site agree on the time.")


def check_statistics() -> Iterator[Finding]:
    """What PostgreSQL plans by, and whether it compiles what it runs."""
    connection = connections[database()]
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('autovacuum'), current_setting('jit')")
        autovacuum, jit = cursor.fetchone()
    if autovacuum == "on":
        yield ok("database", "PostgreSQL keeps its statistics up to date.")
    else:
        yield warning(
            "database",
            "PostgreSQL's autovacuum is off.",
            "Plans get worse as tables change, and space of deleted rows is never used again.",
            "Turn it on, or run VACUUM ANALYZE every night.",
        )
    if jit == "on":
        yield info(
            "database",
            "PostgreSQL compiles statements that it takes for long ones (jit).",
            "Look-ups through nested groups look long and are not: compiling takes ten times as "
            "long as running them.",
            'Set "options": "-c jit=off" in the OPTIONS of the database.',
        )


def check_engine() -> Iterator[Finding]:
    """What the engine can bear."""
    if connections[database()].vendor == "sqlite":
        yield info(
            "database",
            "It is SQLite.",
            "One writer at a time: fine for a trial and for few people.",
            "Use PostgreSQL or MariaDB where identity providers send by the thousand.",
        )
