"""The SQL of members as sets: what a request sends is one parameter, compared with rows there."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from django.db import connections, router
from django.db.models import QuerySet
from django.db.models.constants import OnConflict
from django.utils import timezone

from scim_provider.fields import binary_collation
from scim_provider.models import Membership, Resource

from .statistics import note_inserted

#: The column types of what is sent: ids as clients know them, and keys of rows.
_ID = {"sqlite": "", "postgresql": "text", "mysql": "VARCHAR(254)"}
_KEY = {"sqlite": "", "postgresql": "bigint", "mysql": "BIGINT"}

#: Rows ``(sent, display, place)``, ``place`` in the order of the request.
_PAIRS = {
    "sqlite": (
        "SELECT json_extract(value, '$[0]') AS sent, json_extract(value, '$[1]') AS display,"
        " key AS place FROM json_each(%s)"
    ),
    "postgresql": (
        "SELECT sent, display, place FROM unnest(%s::{type}[], %s::text[]) WITH ORDINALITY"
        " AS pair (sent, display, place)"
    ),
    "mysql": (
        "SELECT sent, display, place FROM JSON_TABLE(%s, '$[*]' COLUMNS (place FOR ORDINALITY,"
        " sent {type} PATH '$[0]', display VARCHAR(256) PATH '$[1]')) AS pair"
    ),
}
#: The same for one member, of which PostgreSQL need not guess how many they are: it would plan anew
#: with each statement. The array is the same parameter.
_PAIR = "SELECT (%s::{type}[])[1] AS sent, (%s::text[])[1] AS display, 1 AS place"
_SINGLE = "SELECT (%s::{type}[])[1] AS sent"
#: Rows ``(sent)``. MariaDB runs a table function anew for every row that it is compared with,
#: unless something, DISTINCT here, makes a table of it.
_SINGLES = {
    "sqlite": "SELECT value AS sent FROM json_each(%s)",
    "postgresql": "SELECT sent FROM unnest(%s::{type}[]) AS single (sent)",
    "mysql": (
        "SELECT DISTINCT sent FROM JSON_TABLE(%s, '$[*]' COLUMNS (sent {type} PATH '$')) AS single"
    ),
}
#: An id that several types share, which only an import brings, is the User's.
_MEANT = """(r.resource_type = 'User' OR NOT EXISTS (
    SELECT 1 FROM {resources} t WHERE t.connection_id = r.connection_id
    AND t.scim_id = r.scim_id AND t.resource_type = 'User'
))"""
_KNOWN = f"""
SELECT r.scim_id, r.id FROM ({{ids}}) s JOIN {{resources}} r
ON r.scim_id = s.sent COLLATE {{collation}} WHERE r.connection_id = %s AND {_MEANT}
"""
_BY_ID = f"""
SELECT r.id, p.display, p.place FROM ({{id_pairs}}) p JOIN {{resources}} r
ON r.scim_id = p.sent COLLATE {{collation}} WHERE r.connection_id = %s AND {_MEANT}
"""
_BY_KEY = "SELECT p.sent AS id, p.display, p.place FROM ({key_pairs}) p"
#: So many members are looked for one by one, by index, and not joined with all of the group: with
#: a plan for any group PostgreSQL takes the largest one for a small one, and reads it whole.
_PROBED = 1000
_INSERT = """
{insert} {table} (connection_id, group_id, member_id, created_at, display)
SELECT %s, %s, found.id, %s, found.display FROM ({found}) found
WHERE NOT EXISTS (
    SELECT 1 FROM {table} m WHERE m.group_id = %s AND m.member_id = found.id {each}
)
ORDER BY found.place {suffix}
"""
_INSERT_SELECTED = """
{insert} {table} (connection_id, group_id, member_id, created_at, display) {select} {suffix}
"""
_REMOVE = f"""
{{delete}} WHERE m.group_id = %s AND m.member_id IN (SELECT id FROM (
    SELECT DISTINCT r.id FROM ({{ids}}) s JOIN {{resources}} r
    ON r.scim_id = s.sent COLLATE {{collation}} WHERE r.connection_id = %s AND {_MEANT}
) unwanted)
"""
#: PostgreSQL reads the list of a NOT IN once for each row where it is too long for its memory.
_KEEP = {
    "postgresql": (
        "{delete} WHERE m.group_id = %s"
        " AND NOT EXISTS (SELECT 1 FROM ({keys}) kept WHERE kept.sent = m.member_id)"
    ),
    "sqlite": "{delete} WHERE m.group_id = %s AND m.member_id NOT IN ({keys})",
    "mysql": "{delete} WHERE m.group_id = %s AND m.member_id NOT IN (SELECT sent FROM ({keys}) k)",
}


class MemberSql:
    """Statements on the members of groups of one connection, whose key is ``owner``."""

    def __init__(self, owner: int) -> None:
        self.owner = owner
        self.connection = connections[router.db_for_write(Membership)]
        self.vendor = self.connection.vendor

    def known(self, scim_ids: Collection[str]) -> dict[str, int]:
        """id → key of its row, of those that the connection has."""
        with self.connection.cursor() as cursor:
            cursor.execute(self._sql(_KNOWN, len(scim_ids)), [self._list(scim_ids), self.owner])
            return dict(cursor.fetchall())

    def insert_by_id(self, group: int, displays: Mapping[str, str]) -> int:
        """Add those whose ids are known and who are no members yet: how many they were."""
        parameters = [*self._pairs(displays), self.owner]
        return self._insert(_BY_ID, group, len(displays), parameters)

    def insert_by_key(self, group: int, displays: Mapping[int, str]) -> int:
        """The same by the keys of their rows."""
        return self._insert(_BY_KEY, group, len(displays), self._pairs(displays))

    def remove(self, group: int, scim_ids: Collection[str]) -> int:
        """Take out those of them who are members: how many they were."""
        sql = self._sql(_REMOVE, len(scim_ids))
        return self._run(sql, [group, self._list(scim_ids), self.owner])

    def keep_only(self, group: int, keys: Collection[int]) -> int:
        """Take out all others: how many they were."""
        return self._run(self._sql(_KEEP[self.vendor], len(keys)), [group, self._list(keys)])

    def insert_selected(self, selected: QuerySet[Any, Any]) -> int:
        """Add what a ``values_list`` of connection, group, member, moment and display selects."""
        select, parameters = selected.query.get_compiler(self.connection.alias).as_sql()
        return self._run(self._sql(_INSERT_SELECTED, 0, select=select), list(parameters))

    def _insert(self, found: str, group: int, number: int, parameters: list[Any]) -> int:
        moment = self.connection.ops.adapt_datetimefield_value(timezone.now())
        each = "OFFSET 0" if self.vendor == "postgresql" and number <= _PROBED else ""
        sql = self._sql(_INSERT, number, found=self._sql(found, number), each=each)
        note_inserted(number)
        return self._run(sql, [self.owner, group, moment, *parameters, group])

    def _run(self, sql: str, parameters: list[Any]) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return max(int(cursor.rowcount), 0)

    def _sql(self, template: str, number: int, **parts: str) -> str:
        """The statement for so many ids or keys."""
        operations, table = self.connection.ops, Membership._meta.db_table
        pairs, singles = _PAIRS[self.vendor], _SINGLES[self.vendor]
        if number == 1 and self.vendor == "postgresql":
            pairs, singles = _PAIR, _SINGLE
        collation = binary_collation(self.connection) or "BINARY"
        return template.format(
            table=table,
            resources=Resource._meta.db_table,
            insert=operations.insert_statement(on_conflict=OnConflict.IGNORE),
            suffix=operations.on_conflict_suffix_sql(None, OnConflict.IGNORE, (), ()),
            delete=f"DELETE{' m' if self.vendor == 'mysql' else ''} FROM {table} AS m",
            collation=f'"{collation}"' if self.vendor == "postgresql" else collation,
            id_pairs=pairs.format(type=_ID[self.vendor]),
            key_pairs=pairs.format(type=_KEY[self.vendor]),
            ids=singles.format(type=_ID[self.vendor]),
            keys=singles.format(type=_KEY[self.vendor]),
            **parts,
        )

    def _pairs(self, displays: Mapping[Any, str]) -> list[Any]:
        if self.vendor == "postgresql":
            return [list(displays), list(displays.values())]
        return [_json(list(displays.items()))]

    def _list(self, values: Collection[Any]) -> Any:
        return list(values) if self.vendor == "postgresql" else _json(list(values))


def _json(values: list[Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
