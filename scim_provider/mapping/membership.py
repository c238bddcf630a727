"""Members as sets: a fixed number of statements whatever the size of group or request.

What a request sends goes to the database as one parameter, and is compared with the rows there:
a group's members are never read in order to change them.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F, QuerySet

from scim_provider.models import Membership, Resource, UnknownMember, new_scim_id
from scim_provider.prepared import Number, Prepared
from scim_provider.protocol.delta import ValueDelta
from scim_provider.protocol.errors import InvalidValue

from .context import Context
from .member_sql import MemberSql
from .role_rules import RoleRules
from .transactions import database, locking

Element = Mapping[str, Any]

_NAMED_AT_MOST = 5
_DISPLAY_LENGTH = 256
_ID_LENGTH = 254
#: The ids that we make; nothing else has one of them.
_OWN_ID_LENGTH = len(new_scim_id())


def apply_delta(group: Resource, delta: ValueDelta, context: Context) -> bool:
    """Change the members of a locked group; True when that changed anything.

    Those who stay keep their row, and with it their place in the order. Raises
    :class:`InvalidValue` for an id that is no resource of the connection, unless the
    connection's policy leaves it out.
    """
    refuse_itself(group, delta.added)
    refuse_shared(delta.added, context)
    if not group.has_rules:
        return _apply(group, delta, context)
    rules = RoleRules(group, context.connection)
    before = _among(group, delta, context)
    changed = _apply(group, delta, context)
    if changed:
        after = _among(group, delta, context)
        rules.moved(after - before, before - after)
    return changed


def _among(group: Resource, delta: ValueDelta, context: Context) -> set[int]:
    """The members whom the delta is about: the keys of their rows."""
    members = Membership.objects.filter(group=group)
    if not delta.cleared:
        named = _possible([*delta.added, *delta.removed])
        owned = {"member__connection": context.connection, "member__scim_id__in_set": named}
        members = members.filter(**owned)
    return set(members.values_list("member_id", flat=True))


def _apply(group: Resource, delta: ValueDelta, context: Context) -> bool:
    if delta.cleared:
        return _replace(group, delta.added, context)
    removed = _remove(group, delta.removed, context) if delta.removed else 0
    added = _add(group, delta.added, context) if delta.added else 0
    return bool(added or removed)


def refuse_itself(group: Resource, wanted: Container[str]) -> None:
    """Raise :class:`InvalidValue` where the group is to be its own member."""
    if group.scim_id in wanted and not _is_users(group):
        raise InvalidValue(f"members: the group {group.scim_id} cannot be a member of itself.")


def refuse_shared(wanted: Mapping[str, Element], context: Context) -> None:
    """Raise :class:`InvalidValue` where a Group is to be a member whose id a User has too.

    Only ids that were brought from elsewhere are shared.
    """
    brought = (each for each in wanted if len(each) != _OWN_ID_LENGTH)
    groups = [each for each in brought if _says_group(wanted[each])]
    if groups:
        users = Resource.objects.filter(connection=context.connection, resource_type="User")
        for shared in users.filter(scim_id__in_set=groups).values_list("scim_id", flat=True)[:1]:
            raise InvalidValue(
                f"members: {shared!r} is the id of a User and of a Group, and names the User as a "
                "member. Create the Group anew to put it into another one."
            )


def meant(rows: QuerySet[Resource], ids: Collection[str]) -> dict[str, int]:
    """id → key of its row; an id that several types share is the User's, as in the SQL."""
    found: dict[str, int] = {}
    named = rows.filter(scim_id__in_set=sorted(ids))
    for scim_id, key, kind in named.values_list("scim_id", "pk", "resource_type"):
        if kind == "User" or scim_id not in found:
            found[scim_id] = key
    return found


def refuse_others(wanted: Collection[str], known: Container[str]) -> None:
    """Raise :class:`InvalidValue` that names the ids outside ``known``."""
    if unknown := [scim_id for scim_id in wanted if scim_id not in known]:
        named = ", ".join(repr(scim_id[:80]) for scim_id in unknown[:_NAMED_AT_MOST])
        more = f" and {len(unknown) - _NAMED_AT_MOST} more" if len(unknown) > _NAMED_AT_MOST else ""
        raise InvalidValue(
            f"members: no User or Group has the id {named}{more}. Create it first, or leave it out."
        )


def display_of(element: Element) -> str:
    """What the client calls a member, as it is kept."""
    return str(element.get("display", ""))[:_DISPLAY_LENGTH]


def touch_groups_of(resource: Resource, moment: Any) -> None:
    """A member goes: its groups change, and their version says so (RFC 7644 §3.14)."""
    _touch(_GROUPS.rows(resource.pk), moment)


def touch_groups_of_all(keys: Sequence[int], moment: Any) -> None:
    """:func:`touch_groups_of` for members with these primary keys."""
    _touch(_locked_groups(keys), moment)


def _locked_groups(members: Sequence[int]) -> QuerySet[Resource, tuple[int]]:
    """The keys of their groups, locked in one order: two members of one may go at once."""
    groups = Membership.objects.filter(member__in=members).values("group_id")
    rows = Resource.objects.filter(pk__in=groups).order_by("pk")
    return rows.select_for_update(**locking(database())).values_list("pk")


_MEMBER = Number()
_GROUPS = Prepared(lambda: _locked_groups([_MEMBER]), _MEMBER)


def _touch(groups: Iterable[Sequence[int]], moment: Any) -> None:
    if keys := [key for (key,) in groups]:
        changed = Resource.objects.filter(pk__in=keys)
        changed.update(version=F("version") + 1, last_modified=moment)


# -- the parts ---------------------------------------------------------------------------------


def _is_users(group: Resource) -> bool:
    """Whether the group's id is a User's as well."""
    same = Resource.objects.filter(connection=group.connection_id, scim_id=group.scim_id)
    return same.filter(resource_type="User").exists()


def _says_group(element: Element) -> bool:
    reference = str(element.get("$ref", ""))
    return str(element.get("type", "")).lower() == "group" or "/Groups/" in reference


def _replace(group: Resource, wanted: Mapping[str, Element], context: Context) -> bool:
    if not wanted:
        return bool(Membership.objects.filter(group=group).delete()[0])
    sql = MemberSql(context.connection.pk)
    known = sql.known(_possible(wanted))
    _refuse_unknown(wanted, known, context)
    added = {known[scim_id]: display_of(e) for scim_id, e in wanted.items() if scim_id in known}
    removed = sql.keep_only(group.pk, added)
    return bool(sql.insert_by_key(group.pk, added) + removed)


def _add(group: Resource, wanted: Mapping[str, Element], context: Context) -> int:
    """One statement where all are known and new, which is what most clients send."""
    sql = MemberSql(context.connection.pk)
    possible = _possible(wanted)
    displays = {scim_id: display_of(wanted[scim_id]) for scim_id in possible}
    added = sql.insert_by_id(group.pk, displays)
    if added < len(wanted):
        _refuse_unknown(wanted, sql.known(possible), context)
    return added


def _refuse_unknown(wanted: Collection[str], known: Container[str], context: Context) -> None:
    if context.connection.unknown_member != UnknownMember.IGNORE:
        refuse_others(wanted, known)


def _remove(group: Resource, unwanted: Iterable[str], context: Context) -> int:
    return MemberSql(context.connection.pk).remove(group.pk, _possible(unwanted))


def _possible(scim_ids: Iterable[str]) -> list[str]:
    """What can be an id at all: nothing longer than the column, which a database would cut."""
    return [scim_id for scim_id in scim_ids if len(scim_id) <= _ID_LENGTH]
