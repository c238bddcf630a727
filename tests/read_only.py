"""A database that takes no changes: a replica, or one that is being moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection as database

#: How each engine is told so, and otherwise. Not within a transaction.
_WORDS = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "postgresql": (
        "SET default_transaction_read_only = on",
        "SET default_transaction_read_only = off",
    ),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE"),
}


@contextmanager
def read_only() -> Iterator[None]:
    """Within it this thread's connection refuses every change."""
    on, off = _WORDS[database.vendor]
    with database.cursor() as cursor:
        cursor.execute(on)
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute(off)
