"""The writes of one change as one statement, where the database can do that: PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connections

#: An INSERT, UPDATE or DELETE, and its parameters.
Statement = tuple[str, Sequence[Any]]


class _Waiting:
    """What was written to one database and is not sent yet, each table's once."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._tables: set[str] = set()
        self._statements: list[Statement] = []

    def add(self, table: str, statements: Sequence[Statement]) -> None:
        """PostgreSQL changes no row twice by one statement: the second change sends the first."""
        if table in self._tables:
            self.send()
        self._tables.add(table)
        self._statements += statements

    def send(self) -> None:
        if statements := self.take():
            _execute(self.connection, statements)

    def take(self) -> list[Statement]:
        """What waits, for somebody else to send it."""
        statements = self._statements
        self._tables, self._statements = set(), []
        return statements


_waiting: ContextVar[_Waiting | None] = ContextVar("scim_waiting_writes", default=None)


@contextmanager
def as_one_statement(using: str) -> Iterator[None]:
    """What :func:`write` is given within waits for the end, and is sent as one statement.

    What is read within does not see it. Nothing is sent where something is raised. Within another
    one, it is that one's end.
    """
    waiting = _Waiting(connections[using])
    if waiting.connection.vendor != "postgresql" or _outer(waiting.connection):
        yield
        return
    token = _waiting.set(waiting)
    try:
        yield
        waiting.send()
    finally:
        _waiting.reset(token)


def _outer(connection: Any) -> _Waiting | None:
    waiting = _waiting.get()
    return waiting if waiting is not None and waiting.connection is connection else None


def send_what_waits(using: str) -> None:
    """Send now what waits for the end of :func:`as_one_statement`: somebody is going to read."""
    if waiting := _outer(connections[using]):
        waiting.send()


def write(connection: Any, table: str, *statements: Statement) -> None:
    """Run statements that write to ``table``, now or at the end of :func:`as_one_statement`."""
    if waiting := _outer(connection):
        waiting.add(table, statements)
    else:
        _execute(connection, statements)


def write_at_once(connection: Any, parts: Mapping[str, Statement], last: Statement) -> Any:
    """Run ``last`` as one statement with what waits, which writes to other tables: PostgreSQL.

    It may refer to the ``parts`` by their names. The first row that it returns.
    """
    waiting = _outer(connection)
    others = _numbered(waiting.take() if waiting else [])
    sql, parameters = _together({**others, **parts}, last)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()


def _execute(connection: Any, statements: Sequence[Statement]) -> None:
    if connection.vendor == "postgresql" and len(statements) > 1:
        statements = [_together(_numbered(statements[:-1]), statements[-1])]
    with connection.cursor() as cursor:
        for sql, parameters in statements:
            cursor.execute(sql, parameters)


def _numbered(statements: Sequence[Statement]) -> dict[str, Statement]:
    return {f"scim_write_{number}": statement for number, statement in enumerate(statements)}


def _together(parts: Mapping[str, Statement], last: Statement) -> Statement:
    named = ", ".join(f"{name} AS ({sql})" for name, (sql, _) in parts.items())
    parameters = [parameter for _, some in (*parts.values(), last) for parameter in some]
    return f"WITH {named} {last[0]}", parameters
