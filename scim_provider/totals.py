"""How many rows a query has: PostgreSQL counts them again only where something was changed since.

What a statement sees is told by its *snapshot*: which transactions had ended when it began. Two
statements with the same snapshot count the same rows, so that a number that is kept with it is
never out of date; any change in the whole cluster makes another snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.db import connections

from .prepared import Prepared, fetched, limited

#: From so many rows on, counting takes longer than looking whether it is needed.
WORTH_KEEPING = 2_000


class Last(NamedTuple):
    """The last number of a count, and what was seen then; "" where that is not known."""

    seen: str = ""
    number: int = 0


class _Memory:
    """Holds one :class:`Last`, which is read and replaced as a whole: threads need no lock."""

    def __init__(self) -> None:
        self.last = Last()


@lru_cache(maxsize=512, typed=True)
def _memory(session: int, count: str, parameters: tuple[Hashable, ...]) -> _Memory:
    return _Memory()


class Count(NamedTuple):
    """A SELECT of one value that tells how many there are, for one run."""

    sql: str
    parameters: list[Any]
    memory: _Memory | None = None
    last: Last = Last()

    def number(self, value: int | str | None) -> int:
        """The number that the ``value`` tells."""
        if value is None:
            return self.last.number
        text, _, seen = str(value).partition(" ")
        if self.memory is not None:
            self.memory.last = Last(seen, int(text))
        return int(text)


class Total:
    """How many rows ``counted`` has, no more than ``most``: read along with a page, or alone."""

    def __init__(self, counted: Prepared, most: int | None = None) -> None:
        self._counted, self._most = counted, most

    def alone(self, *values: Any) -> int:
        """By a statement of its own."""
        using, compiled = self._counted.compile()
        if compiled is None:
            return 0
        count = self.select(using, values)
        ((value,),) = fetched(count.sql, count.parameters, using)
        return count.number(value)

    def select(self, using: str, values: Sequence[Any]) -> Count:
        """As a part of another statement."""
        _, compiled = self._counted.compile(using)
        if compiled is None:
            return Count("SELECT 0", [])
        cut = "" if self._most is None else limited(self._most)
        sql = f"SELECT COUNT(*) FROM ({compiled.sql}{cut}) scim_counted"
        parameters = compiled.filled(values)
        session, tables = _session(using), _tables(compiled.sql)
        if session is None or not tables or not all(isinstance(p, Hashable) for p in parameters):
            return Count(sql, parameters)
        memory = _memory(session, sql, tuple(parameters))
        last = memory.last
        if last.number < WORTH_KEEPING or not _is_postgresql(using):
            return Count(sql, parameters, memory)
        return Count(_unless_seen(sql, tables), [last.seen, *parameters], memory, last)


# -- what is seen ----------------------------------------------------------------------------------

#: The snapshot, and what says that it is the same database's: a crash loses the last transactions
#: and gives their numbers out again, but ends every server process, as do a restart, a restore and
#: a change to another server. A pooler changes the process in the midst of a session. The names of
#: the tables may come to mean others (``search_path``).
_SEEN = (
    "CONCAT_WS(' ', pg_current_snapshot(), pg_backend_pid(), pg_postmaster_start_time(), {oids})"
)
#: A replica's snapshot does not tell which transactions are running. Rows on other servers (views,
#: Citus), and rows that a policy hides, which may ask for settings, change without one here; 2 is
#: how PostgreSQL itself keeps rows.
_IS_ALL = (
    "NOT pg_is_in_recovery() AND to_regclass('pg_catalog.pg_dist_partition') IS NULL"
    " AND (SELECT COUNT(*) FROM pg_class WHERE oid IN ({oids}) AND relkind = 'r'"
    " AND relam = 2 AND NOT relrowsecurity AND NOT relhassubclass) = {number:d}"
)


@lru_cache(maxsize=512)
def _unless_seen(count: str, tables: tuple[str, ...]) -> str:
    """``count`` where what is seen is not the parameter in front of its own; else NULL.

    PostgreSQL runs a sub-query that stands for a value only where that is needed.
    """
    oids = ", ".join(f"'\"{table}\"'::regclass::oid" for table in tables)
    seen, is_all = _SEEN.format(oids=oids), _IS_ALL.format(oids=oids, number=len(tables))
    return (
        f"SELECT CASE WHEN scim_seen = %s THEN NULL ELSE CONCAT(({count}), ' ', "
        f"CASE WHEN {is_all} THEN scim_seen END) END FROM (SELECT {seen} AS scim_seen) scim_now"
    )


def _session(using: str) -> int | None:
    """The number of the session, outside transactions; None where snapshots do not tell all.

    Within a transaction its own changes are seen as well.
    """
    connection = connections[using]
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return None
    connection.ensure_connection()
    session = connection.connection.info
    return None if session.transaction_status else int(session.backend_pid)


@cache
def _is_postgresql(using: str) -> bool:
    """Whether the server is PostgreSQL itself: others speak like it and keep rows in other ways."""
    ((version,),) = fetched("SELECT version()", [], using)
    return _ITSELF(version) is not None


_ITSELF = re.compile(
    r"PostgreSQL \d+\.\d+( \((Debian|Ubuntu|Homebrew|Postgres\.app)\b[^()]*\))?(,| on) "
).match


# -- what is counted -------------------------------------------------------------------------------

_TABLE = re.compile(r'\b(?:FROM|JOIN) "(\w+)"(?: [A-Z]\d+)?+(?![,.\w])')
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|%s")
_WORD = re.compile(r"[^\W\d]\w*")
_ALIAS = re.compile(r"[A-Z]\d+").fullmatch
#: What says the same of the same rows at any time: no clock, no chance, no setting.
_STEADY = frozenset((
    "SELECT", "AS", "WHERE", "INNER", "LEFT", "OUTER", "ON", "AND", "OR", "NOT", "IN", "IS", "NULL",
    "EXISTS", "LIKE", "UNION", "LIMIT", "OFFSET", "CASE", "WHEN", "THEN", "ELSE", "END", "TRUE",
    "FALSE", "ANY", "ARRAY", "COLLATE", "NFC", "COALESCE", "NULLIF", "UPPER", "LOWER", "REPLACE",
    "NORMALIZE", "LENGTH",
))  # fmt: skip


@lru_cache(maxsize=512)
def _tables(sql: str) -> tuple[str, ...]:
    """The tables that are read; none where anything else may have a say in what is found."""
    tables = dict.fromkeys(_TABLE.findall(sql))
    rest = _TABLE.sub(" ", sql)
    words = _WORD.findall(_QUOTED.sub(" ", rest))
    is_steady = all(word.upper() in _STEADY or _ALIAS(word) for word in words)
    return tuple(tables) if is_steady and '"(' not in rest else ()
