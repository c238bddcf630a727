"""Members and groups as they are answered: read for a whole page at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from django.db import connections, router

from scim_provider.models import Membership, Resource
from scim_provider.protocol.projection import Window

from .context import Context
from .paths import Document
from .sets import each_joined

#: Whoever is in groups: a row id, or a text that stands for several.
Owner = TypeVar("Owner", int, str)

#: Rows that are turned into elements at a time.
_CHUNK = 2000


_MEMBERS = """
SELECT m.group_id, r.scim_id, r.resource_type,
    CASE WHEN LENGTH(m.display) > 0 THEN m.display ELSE r.name END
FROM {table} m JOIN {resources} r ON r.id = m.member_id
WHERE m.group_id {placed} ORDER BY m.id {window}
"""


def members_of(
    group_ids: Sequence[int],
    context: Context,
    endpoints: Mapping[str, str],
    window: Window | None = None,
) -> dict[int, list[Document]]:
    """Group row id → its members as elements, in the order they were added: one statement.

    ``endpoints`` are by resource type; a ``window`` is one of all members of all groups.
    """
    bases = {kind: f"{context.base_url}{endpoint}/" for kind, endpoint in endpoints.items()}
    elements: dict[int, list[Document]] = defaultdict(list)
    limits = "" if window is None else "LIMIT %s OFFSET %s"
    parameters = [] if window is None else [window.most, window.start - 1]
    for group_id, scim_id, kind, name in _rows(_MEMBERS, group_ids, parameters, window=limits):
        reference = bases[kind] + scim_id
        elements[group_id].append(
            {"value": scim_id, "$ref": reference, "display": name, "type": kind}
        )
    return elements


_DIRECT = """
SELECT m.member_id, r.id, r.scim_id, r.name,
    EXISTS (SELECT 1 FROM {table} above WHERE above.member_id = m.group_id)
FROM {table} m JOIN {resources} r ON r.id = m.group_id
WHERE m.member_id {placed} ORDER BY r.id
"""
_ABOVE = """
WITH RECURSIVE scim_above (start_id, group_id) AS (
    SELECT m.member_id, m.group_id FROM {table} m WHERE m.member_id {placed}
    UNION
    SELECT a.start_id, m.group_id FROM scim_above a {m_of_groups}
)
SELECT a.start_id, r.id, r.scim_id, r.name
FROM scim_above a {r_of_above}
"""


def groups_of(member_ids: Sequence[int], context: Context) -> dict[int, list[Document]]:
    """Row id → the groups it is in as elements, ``direct`` ones first, then ``indirect``.

    One statement, and a second one where a group of theirs is itself a member.
    """
    base = context.location("/Groups", "")
    groups: dict[int, list[Document]] = defaultdict(list)
    nested: dict[int, list[int]] = defaultdict(list)
    for owner, group, scim_id, name, has_above in _rows(_DIRECT, member_ids):
        groups[owner].append(group_element(base, scim_id, name, "direct"))
        if has_above:
            nested[group].append(owner)
    if nested:
        _add_above(groups, nested, base)
    return groups


_GROUPS = """
SELECT r.id, r.scim_id, r.name, EXISTS (SELECT 1 FROM {table} above WHERE above.member_id = r.id)
FROM {resources} r WHERE r.id {placed} {people} ORDER BY 1
"""
_PEOPLE = """
UNION ALL SELECT 0, u.scim_id, u.name, FALSE
FROM {resources} u WHERE u.connection_id = %s AND u.resource_type = 'User' AND u.scim_id {ids}
"""


def groups_named(
    texts: Collection[str], context: Context, people: Collection[str] = ()
) -> tuple[dict[str, list[Document]], set[str]]:
    """As :func:`groups_of`, by the row ids of the direct groups with commas between: "3,8".

    Whoever is in the same groups shares a list. And those of the ids ``people`` that are known,
    by the same statement.
    """
    base = context.location("/Groups", "")
    named: dict[int, list[str]] = defaultdict(list)
    for text in texts:
        for key in set(map(int, text.split(","))):
            named[key].append(text)
    groups: dict[str, list[Document]] = defaultdict(list)
    nested: dict[int, list[str]] = {}
    known: set[str] = set()
    and_people, parameters = _people(people, context)
    keys: Collection[int] = named or ([0] if people else [])  # no row has the key 0
    for key, scim_id, name, has_above in _rows(_GROUPS, keys, parameters, people=and_people):
        if not key:
            known.add(scim_id)
            continue
        element = group_element(base, scim_id, name, "direct")
        for text in named[key]:
            groups[text].append(element)
        if has_above:
            nested[key] = named[key]
    if nested:
        _add_above(groups, nested, base)
    return groups, known


def _among(placed: Collection[int], vendor: str, *, few: bool) -> tuple[str, list[Any]]:
    """The condition of a key that is among ``placed``, and its parameters.

    Of one group, and of the ``few`` of a page, PostgreSQL makes one plan for all.
    """
    if vendor != "postgresql":
        return f"IN ({', '.join(map(str, placed))})", []
    if len(placed) == 1 and not few:
        return "= (SELECT %s::bigint)", list(placed)
    return _any_unseen("bigint[]") if few else "= ANY(%s)", [list(placed)]


def _any_unseen(kind: str) -> str:
    """``= ANY`` of an array that PostgreSQL's planner does not look at: see ``Unseen``."""
    return f"= ANY((SELECT %s::{kind})::{kind})"


def _people(ids: Collection[str], context: Context) -> tuple[str, list[Any]]:
    """The part of a statement that looks people up by their ids, and its parameters."""
    if not ids:
        return "", []
    takes_arrays = connections[router.db_for_read(Resource)].vendor == "postgresql"
    placed = _any_unseen("varchar[]") if takes_arrays else f"IN ({', '.join(['%s'] * len(ids))})"
    parameters = [list(ids)] if takes_arrays else ids
    sql = _PEOPLE.format(resources=Resource._meta.db_table, ids=placed)
    return sql, [context.connection.pk, *parameters]


def group_element(base: str, scim_id: str, name: str, kind: str) -> Document:
    """A value of ``groups``; ``base`` is the URI of groups with a slash (RFC 7643 §4.1.2)."""
    return {"value": scim_id, "$ref": base + scim_id, "display": name, "type": kind}


def _add_above(
    groups: Mapping[Owner, list[Document]], nested: Mapping[int, list[Owner]], base: str
) -> None:
    """Add the groups above the ``nested`` ones to the groups of those who are in these."""
    known = {
        owner: {e["value"] for e in groups[owner]} for some in nested.values() for owner in some
    }
    for start, _, scim_id, name in sorted(_rows(_ABOVE, nested), key=itemgetter(1)):
        for owner in nested[start]:
            if scim_id not in known[owner]:
                known[owner].add(scim_id)
                groups[owner].append(group_element(base, scim_id, name, "indirect"))


def _rows(
    template: str, placed: Collection[int], parameters: Sequence[Any] = (), **parts: str
) -> Iterator[tuple[Any, ...]]:
    """The rows for the keys ``placed``: one parameter where the database takes an array.

    Elsewhere they stand in the statement as they are, as they are our own: drivers take longer
    over a hundred parameters than databases over the answer.
    """
    if not placed:
        return
    connection = connections[router.db_for_read(Membership)]
    table, resources = Membership._meta.db_table, Resource._meta.db_table
    condition, keys = _among(placed, connection.vendor, few=template is _GROUPS)
    sql = template.format(
        table=table,
        resources=resources,
        placed=condition,
        m_of_groups=each_joined(table, "m", "member_id", "a.group_id", connection.vendor),
        r_of_above=each_joined(resources, "r", "id", "a.group_id", connection.vendor),
        **parts,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*keys, *parameters])
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows
