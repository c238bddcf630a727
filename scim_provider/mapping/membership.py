"""Members as sets: a fixed number of statements whatever the size of group or request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connections, router
from django.db.models import F, Value
from django.db.models.constants import OnConflict
from django.db.models.functions import Now

from scim_provider.models import Membership, Resource, UnknownMember
from scim_provider.protocol.delta import ValueDelta
from scim_provider.protocol.errors import InvalidValue

from .context import Context

_NAMED_AT_MOST = 5


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
    return bool(_insert(group, wanted, context) + removed) if wanted else bool(removed)


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
        named = ", ".join(unknown[:_NAMED_AT_MOST])
        raise InvalidValue(
            f"members: no User or Group has the id {named}"
            f"{f' (and {len(unknown) - _NAMED_AT_MOST} more)' if len(unknown) > _NAMED_AT_MOST else ''}."
            " Create it first, or leave it out."
        )


def _insert(group: Resource, wanted: Collection[str], context: Context) -> int:
    """INSERT … SELECT, ignoring those who are members already: how many were added."""
    rows = (
        Resource.objects.filter(connection=context.connection, scim_id__in_set=list(wanted))
        .annotate(owner=Value(context.connection.pk), container=Value(group.pk), moment=Now())
        .values_list("owner", "container", "pk", "moment")
        .order_by()
    )
    using = router.db_for_write(Membership)
    connection = connections[using]
    sql, parameters = rows.query.get_compiler(using).as_sql()
    columns = ("connection", "group", "member", "created_at")
    names = ", ".join(
        connection.ops.quote_name(Membership._meta.get_field(name).column) for name in columns
    )
    insert = connection.ops.insert_statement(on_conflict=OnConflict.IGNORE)
    table = connection.ops.quote_name(Membership._meta.db_table)
    suffix = connection.ops.on_conflict_suffix_sql(None, OnConflict.IGNORE, (), ())
    with connection.cursor() as cursor:
        cursor.execute(f"{insert} {table} ({names}) {sql} {suffix}", parameters)
        return max(int(cursor.rowcount), 0)


def members_of(group_ids: Collection[int]) -> dict[int, list[Reference]]:
    """Group row id → its members in the order they were added: one statement."""
    rows = (
        Membership.objects.filter(group__in=group_ids)
        .order_by("pk")
        .values_list("group_id", "member__scim_id", "member__resource_type", "member__name")
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
