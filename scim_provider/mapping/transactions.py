"""One operation, one transaction: retried when the database asks for it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

T = TypeVar("T")

_TRIES = 5
#: PostgreSQL's SQLSTATEs and MariaDB's numbers for "serialization failure" and "deadlock".
_TRANSIENT_STATES = frozenset({"40001", "40P01"})
_TRANSIENT_NUMBERS = frozenset({1020, 1205, 1213})
#: SQLite's code for a reader that may not become a writer, as somebody else wrote meanwhile.
_SQLITE_BUSY = 5


def atomically(operation: Callable[[], T], using: str = DEFAULT_DB_ALIAS) -> T:
    """Run ``operation`` in a transaction, again after a deadlock.

    Inside a caller's transaction there is nothing to retry: that transaction is lost.
    """
    for attempt in range(_TRIES):
        try:
            with transaction.atomic(using=using):
                return operation()
        except OperationalError as error:
            lost = connections[using].in_atomic_block or attempt == _TRIES - 1
            if lost or not is_transient(error):
                raise
            time.sleep(random.uniform(0.005, 0.03) * (attempt + 1))
    raise AssertionError("unreachable")


def is_transient(error: OperationalError) -> bool:
    """Whether the database says that trying again may work."""
    cause: Any = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    number = cause.args[0] if cause is not None and cause.args else None
    if state in _TRANSIENT_STATES or number in _TRANSIENT_NUMBERS:
        return True
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF == _SQLITE_BUSY


def locking(using: str = DEFAULT_DB_ALIAS) -> dict[str, Any]:
    """Arguments of ``select_for_update`` that lock the resource's row and no more than needed.

    On PostgreSQL ``FOR NO KEY UPDATE OF self`` leaves the foreign-key checks of a membership
    INSERT for the same person free to go on.
    """
    features = connections[using].features
    arguments: dict[str, Any] = {}
    if features.has_select_for_update_of:
        arguments["of"] = ("self",)
    if features.has_select_for_no_key_update:
        arguments["no_key"] = True
    return arguments
