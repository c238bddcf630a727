"""Members as sets: a fixed number of statements whatever the size of group or request."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connections, router
from django.db.models import F, Value
from django.db.models.constants import OnConflict
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from scim_provider.fields import binary_collation
from scim_provider.models import Membership, Resource, UnknownMember
from scim_provider.protocol.delta import ValueDelta
from scim_provider.protocol.errors import InvalidValue

from .context import Context

Element = Mapping[str, Any]

_NAMED_AT_MOST = 5
_DISPLAY_LENGTH = 256


class Reference(NamedTuple):
    """One element of ``members`` or ``groups`` as it is read from the rows."""

    owner_id: int
    scim_id: str
    kind: str
    name: str


def apply_delta(group: Resource, delta: ValueDelta, context: Context) -> bool:
    """Change the members of a locked group; True when that changed anything.

    Raises :class:`InvalidValue` for an id that is no resource of the connection, unless the
    connection's policy leaves it out.
    """
    wanted = list(delta.added)
    _refuse_unknown(group, wanted, context)
    rows = Membership.objects.filter(group=group)
    removed = 0
    if delta.cleared:
        removed = (
            rows.exclude(member__in=_resources(wanted, context)) if wanted else rows
        ).delete()[0]
    elif delta.removed:
        removed = rows.filter(member__in=_resources(delta.removed, context)).delete()[0]
    added = _insert(group, delta.added, context) if wanted else 0
    return bool(added or removed)


def _resources(scim_ids: Collection[str], context: Context) -> Any:
    return Resource.objects.filter(
        connection=context.connection, scim_id__in_set=list(scim_ids)
    ).values("pk")


def _refuse_unknown(group: Resource, wanted: Sequence[str], context: Context) -> None:
    if not wanted:
        return
    if group.scim_id in wanted:
        raise InvalidValue(f"members: the group {group.scim_id} cannot be a member of itself.")
    if context.connection.unknown_member == UnknownMember.IGNORE:
        return
    found = Resource.objects.filter(connection=context.connection, scim_id__in_set=list(wanted))
    known = set(found.values_list("scim_id", flat=True))
    if unknown := [scim_id for scim_id in wanted if scim_id not in known]:
        named = ", ".join(repr(scim_id[:80]) for scim_id in unknown[:_NAMED_AT_MOST])
        more = f" and {len(unknown) - _NAMED_AT_MOST} more" if len(unknown) > _NAMED_AT_MOST else ""
        raise InvalidValue(
            f"members: no User or Group has the id {named}{more}. Create it first, or leave it out."
        )


#: Rows ``(scim_id, display)`` out of one JSON parameter, and the collation to compare ids in.
_SENT = {
    "sqlite": (
        "SELECT json_extract(value, '$[0]') AS scim_id, json_extract(value, '$[1]') AS display"
        " FROM json_each(%s)"
    ),
    "postgresql": (
        "SELECT element->>0 AS scim_id, element->>1 AS display"
        " FROM jsonb_array_elements(%s::jsonb) AS element"
    ),
    "mysql": (
        "SELECT scim_id, display FROM JSON_TABLE(%s, '$[*]' COLUMNS ("
        "scim_id VARCHAR(254) PATH '$[0]', display VARCHAR(256) PATH '$[1]')) AS element"
    ),
}
_INSERT = """
{insert} {table} (connection_id, group_id, member_id, created_at, display)
SELECT %s, %s, r.id, %s, sent.display
FROM {resources} r JOIN ({sent}) sent ON r.scim_id = sent.scim_id COLLATE {collation}
WHERE r.connection_id = %s {suffix}
"""


def _insert(group: Resource, added: Mapping[str, Element], context: Context) -> int:
    """INSERT … SELECT, ignoring those who are members already: how many were added."""
    using = router.db_for_write(Membership)
    connection = connections[using]
    collation = binary_collation(connection) or "BINARY"
    sql = _INSERT.format(
        insert=connection.ops.insert_statement(on_conflict=OnConflict.IGNORE),
        table=Membership._meta.db_table,
        resources=Resource._meta.db_table,
        sent=_SENT[connection.vendor],
        collation=f'"{collation}"' if connection.vendor == "postgresql" else collation,
        suffix=connection.ops.on_conflict_suffix_sql(None, OnConflict.IGNORE, (), ()),
    )
    moment = connection.ops.adapt_datetimefield_value(timezone.now())
    sent = json.dumps([[scim_id, _display(element)] for scim_id, element in added.items()])
    owner = context.connection.pk
    with connection.cursor() as cursor:
        cursor.execute(sql, [owner, group.pk, moment, sent, owner])
        return max(int(cursor.rowcount), 0)


def _display(element: Element) -> str:
    return str(element.get("display", ""))[:_DISPLAY_LENGTH]


def members_of(group_ids: Collection[int]) -> dict[int, list[Reference]]:
    """Group row id → its members in the order they were added: one statement."""
    rows = (
        Membership.objects.filter(group__in=group_ids)
        .order_by("pk")
        .annotate(shown=Coalesce(NullIf("display", Value("")), "member__name"))
        .values_list("group_id", "member__scim_id", "member__resource_type", "shown")
    )
    return _grouped(Reference(*row) for row in rows)


_ABOVE = """
WITH RECURSIVE scim_above(start_id, group_id, direct) AS (
    SELECT m.member_id, m.group_id, 1 FROM {table} m WHERE m.member_id IN ({places})
    UNION
    SELECT a.start_id, m.group_id, 0 FROM scim_above a JOIN {table} m ON m.member_id = a.group_id
)
SELECT a.start_id, r.scim_id, MAX(a.direct), r.name
FROM scim_above a JOIN {resources} r ON r.id = a.group_id
GROUP BY a.start_id, r.id, r.scim_id, r.name ORDER BY MAX(a.direct) DESC, r.id
"""


def groups_of(member_ids: Sequence[int]) -> dict[int, list[Reference]]:
    """Row id → the groups it is in, ``direct`` ones first, then ``indirect``: one statement."""
    if not member_ids:
        return {}
    sql = _ABOVE.format(
        table=Membership._meta.db_table,
        resources=Resource._meta.db_table,
        places=", ".join(["%s"] * len(member_ids)),
    )
    with connections[router.db_for_read(Membership)].cursor() as cursor:
        cursor.execute(sql, list(member_ids))
        rows = cursor.fetchall()
    return _grouped(
        Reference(owner, scim_id, "direct" if direct else "indirect", name)
        for owner, scim_id, direct, name in rows
    )


def _grouped(references: Iterable[Reference]) -> dict[int, list[Reference]]:
    grouped: dict[int, list[Reference]] = defaultdict(list)
    for reference in references:
        grouped[reference.owner_id].append(reference)
    return grouped


def touch_groups_of(resource: Resource, moment: Any) -> None:
    """A member goes: its groups change, and their version says so (RFC 7644 §3.14)."""
    groups = Membership.objects.filter(member=resource).values("group_id")
    Resource.objects.filter(pk__in=list(groups.values_list("group_id", flat=True))).update(
        version=F("version") + 1, last_modified=moment
    )
