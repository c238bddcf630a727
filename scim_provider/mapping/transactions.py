"""One operation, one transaction: retried when the database asks for it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import (
    DatabaseError,
    IntegrityError,
    InternalError,
    OperationalError,
    connections,
    router,
    transaction,
)

from scim_provider.events import record_refusal
from scim_provider.models import Connection, Resource
from scim_provider.protocol.errors import ScimError
from scim_provider.routers import primary

T = TypeVar("T")

_TRIES = 12
#: Seconds to wait at most before the second try, which doubles, and before any.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
#: PostgreSQL's SQLSTATEs and MariaDB's numbers for "serialization failure" and "deadlock"; the last
#: is a deadlock met while an INSERT … SELECT waits for its next key.
_TRANSIENT_STATES = frozenset({"40001", "40P01"})
_TRANSIENT_NUMBERS = frozenset({1020, 1205, 1213, 1467})
#: PostgreSQL's for a change where it takes none for a while.
_READ_ONLY_STATE = "25006"
#: SQLite's code for a reader that may not become a writer, as somebody else wrote meanwhile.
_SQLITE_BUSY = 5
#: The same for a reference to a row that is gone, or the deletion of one that is referred to.
_DANGLING_STATE = "23503"
_DANGLING_NUMBERS = frozenset({1451, 1452})
_SQLITE_DANGLING = 787


def database() -> str:
    """The alias of the database where SCIM's tables are written."""
    using: str = router.db_for_write(Resource)
    return using


def together() -> transaction.Atomic:
    """What a ``with`` statement makes one transaction of that database."""
    return transaction.atomic(using=database())


def atomically(operation: Callable[[], T]) -> T:
    """Run ``operation`` in a transaction of SCIM's database, again after a deadlock.

    And again where what it refers to was deleted under its hands: then it sees so at once.
    Inside a caller's transaction there is nothing to retry: that transaction is lost. The event
    that a refusal carries is written after all else was rolled back.
    """
    try:
        with primary():
            return _retried(operation, database())
    except ScimError as error:
        record_refusal(error)
        raise


def _retried(operation: Callable[[], T], using: str) -> T:
    for attempt in range(_TRIES):
        try:
            with transaction.atomic(using=using):
                _become_writer(using)
                return operation()
        except (OperationalError, IntegrityError) as error:
            lost = connections[using].in_atomic_block or attempt == _TRIES - 1
            if lost or not (is_transient(error) or is_dangling(error)):
                raise
            time.sleep(random.uniform(0.1, 1) * min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE))
        except InternalError as error:
            if _codes(error)[0] != _READ_ONLY_STATE:
                raise
            raise OperationalError(*error.args) from error  # as other databases call it
    raise AssertionError("unreachable")


def _become_writer(using: str) -> None:
    """On a SQLite that is not set to IMMEDIATE: wait for other writers now, before reading.

    Who has read may not wait any more, and would fail.
    """
    connection = connections[using]
    mode = getattr(connection, "transaction_mode", None) or "DEFERRED"
    if connection.vendor == "sqlite" and mode.upper() == "DEFERRED":
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {Resource._meta.db_table} WHERE 0")


def is_transient(error: DatabaseError) -> bool:
    """Whether the database says that trying again may work."""
    state, number, code = _codes(error)
    if state in _TRANSIENT_STATES or number in _TRANSIENT_NUMBERS:
        return True
    return code & 0xFF == _SQLITE_BUSY


def is_dangling(error: DatabaseError) -> bool:
    """Whether a foreign key refused the change, and no unique name."""
    state, number, code = _codes(error)
    return state == _DANGLING_STATE or number in _DANGLING_NUMBERS or code == _SQLITE_DANGLING


def _codes(error: DatabaseError) -> tuple[str | None, Any, int]:
    """PostgreSQL's SQLSTATE, MariaDB's number and SQLite's extended code, as far as there."""
    cause: Any = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    number = cause.args[0] if cause is not None and cause.args else None
    return state, number, getattr(cause, "sqlite_errorcode", 0)


def locking(using: str, *relations: str) -> dict[str, Any]:
    """Arguments of ``select_for_update`` that lock the resource's row and no more than needed.

    On PostgreSQL ``FOR NO KEY UPDATE OF self`` leaves the foreign-key checks of a membership
    INSERT for the same person free to go on. What is joined is as it was before the wait for the
    lock, unless it is among the ``relations`` that are locked too.
    """
    features = connections[using].features
    arguments: dict[str, Any] = {}
    if features.has_select_for_update_of:
        arguments["of"] = ("self", *relations)
    if features.has_select_for_no_key_update:
        arguments["no_key"] = True
    return arguments


def one_at_a_time(connection: Connection) -> None:
    """Wait, until the transaction ends, for others who list or name rows of ``connection``.

    And for those who take an administrator away: one row to lock, so that nobody waits in a circle.
    """
    using = database()
    row = Connection.objects.using(using).filter(pk=connection.pk).order_by()
    row.select_for_update(**locking(using)).values_list("pk").first()
