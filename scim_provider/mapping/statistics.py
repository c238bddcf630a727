"""Statistics of PostgreSQL's planner for tables that are being filled.

A table that was never analysed is planned as if a condition left one row of it, and what joins it
goes through the rows of one table for each of the other: minutes at 20,000 people. PostgreSQL's
autovacuum comes by within minutes, where it is on; the first load of a site does not wait for it.
"""

from __future__ import annotations

import logging

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connections, router, transaction

from scim_provider.models import AttributeValue, Membership, Resource

logger = logging.getLogger("scim_provider")

#: How many rows a process writes between two looks at the tables.
LOOK_EVERY = 1000
#: Bytes of a table that any plan does for.
SMALL = 131_072
#: Those that are four times as large as they were when they were last analysed.
_GROWN = """
    SELECT relname FROM pg_class
    WHERE oid = ANY (SELECT to_regclass(quote_ident(name)) FROM unnest(%s::text[]) name)
    AND pg_relation_size(oid) > GREATEST(%s::bigint, 4 * relpages * 8192::bigint)
"""


class _Writes:
    """Rows written by this process; a lost update between threads only delays a look."""

    def __init__(self) -> None:
        self.since_look = 0

    def are_due(self, number: int) -> bool:
        self.since_look += number
        if self.since_look < LOOK_EVERY:
            return False
        self.since_look = 0
        return True


_writes = _Writes()


def note_inserted(number: int) -> None:
    """So many rows were inserted; now and then PostgreSQL is told of them, after the commit."""
    using = router.db_for_write(Resource)
    if _writes.are_due(number) and connections[using].vendor == "postgresql":
        transaction.on_commit(analyse_grown_tables, using=using, robust=True)


def analyse_grown_tables() -> list[str]:
    """Have PostgreSQL analyse those of the tables that have grown much since; says which.

    A role that may not is told so by a warning of the server.
    """
    connection = connections[router.db_for_write(Resource)]
    if connection.vendor != "postgresql":
        return []
    models = (Resource, AttributeValue, Membership, get_user_model())
    try:
        with connection.cursor() as cursor:
            cursor.execute(_GROWN, [[model._meta.db_table for model in models], SMALL])
            names = [name for (name,) in cursor.fetchall()]
            for name in names:
                cursor.execute(f"ANALYZE {connection.ops.quote_name(name)}")
    except DatabaseError:
        logger.exception("PostgreSQL could not be told of new rows")
        return []
    return names
