"""What is worth another try."""

from __future__ import annotations

import sqlite3

import pytest
from django.db import OperationalError

from scim_provider.mapping.transactions import atomically, is_transient


def refused(code: int) -> OperationalError:
    """Django's error for one of SQLite's result codes."""
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = code
    error = OperationalError("database is locked")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("code", "transient"),
    [
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True),
        (sqlite3.SQLITE_FULL, False),
    ],
)
def test_a_busy_sqlite_is_asked_again(code: int, transient: bool) -> None:
    assert is_transient(refused(code)) is transient


@pytest.mark.parametrize(
    ("number", "transient"),
    [(1205, True), (1213, True), (1467, True), (1020, True), (1062, False), (1040, False)],
)
def test_a_deadlock_of_mariadb_is_tried_again(number: int, transient: bool) -> None:
    error = OperationalError("refused")
    error.__cause__ = Exception(number, "refused")
    assert is_transient(error) is transient


@pytest.mark.django_db(transaction=True)
def test_an_operation_gets_through_once_the_other_writer_is_done() -> None:
    outcomes = iter([refused(sqlite3.SQLITE_BUSY), refused(sqlite3.SQLITE_BUSY), None])

    def operation() -> str:
        if error := next(outcomes):
            raise error
        return "done"

    assert atomically(operation) == "done"
