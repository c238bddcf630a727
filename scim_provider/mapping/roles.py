"""``role`` and ``roles``: two views of one assignment (docs/design.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import m2m_changed

from scim_provider.conf import scim_settings
from scim_provider.models import Connection, Provenance, Resource, Role, RoleAssignment, UnknownRole
from scim_provider.protocol.errors import InvalidValue
from scim_provider.protocol.schema import Schema, comparison_key
from scim_provider.protocol.values import quoted

Document = dict[str, Any]


def with_role_values(schema: Schema) -> Schema:
    """``schema``, whose ``role`` and ``roles.value`` publish the roles of the settings."""
    values = tuple(role["value"] for role in scim_settings.roles)
    single, several = schema.attribute("role"), schema.attribute("roles")
    changed = [replace(single, canonical_values=values)] if single and values else []
    if several and values:
        subs = tuple(
            replace(sub, canonical_values=values) if sub.name == "value" else sub
            for sub in several.sub_attributes
        )
        changed.append(replace(several, sub_attributes=subs))
    return schema.including(*changed)


def settle_roles(
    before: Document,
    after: Document,
    roles: dict[str, Role],
    policy: str,
    *,
    single: bool,
    whole: bool,
) -> None:
    """Make ``role`` and ``roles`` of ``after`` agree, and check them against the known roles.

    The view that changed decides; where both did, ``role``. ``whole`` tells that ``after`` is a
    whole resource, in which a view that is missing was only not mentioned. ``single`` tells
    whether the schema has ``role`` at all. Raises :class:`InvalidValue` naming the known roles
    for an unknown or protected one, as the connection's policy says.
    """
    if whole:
        _complete_views(before, after)
    if after.get("role") != before.get("role"):
        _from_role(after, roles, policy)
    elif after.get("roles") != before.get("roles"):
        _from_roles(before, after, roles, policy)
    if not single:
        after.pop("role", None)


def _complete_views(before: Document, after: Document) -> None:
    """A view that is not mentioned stands where the mentioned one stands."""
    for mentioned, other in (("role", "roles"), ("roles", "role")):
        told = mentioned in after and other not in after and other in before
        if told and (after[mentioned] == before.get(mentioned) or other == "role"):
            after[other] = before[other]


def _from_role(after: Document, roles: dict[str, Role], policy: str) -> None:
    sent = after.pop("role", None)
    after.pop("roles", None)
    role = _known(sent, roles, policy) if sent else None
    if role is not None:
        value = sent if find_role(roles, sent) == role else role.value
        after["role"] = value
        after["roles"] = [{"value": value, "display": str(role), "primary": True}]


def _from_roles(before: Document, after: Document, roles: dict[str, Role], policy: str) -> None:
    elements, known = [], []
    for sent in _without_mirror(before, after.pop("roles", None) or []):
        value = sent.get("value", "")
        role = _known(value, roles, policy)
        if role is not None:
            kept = value if find_role(roles, value) == role else role.value
            elements.append({"display": str(role), **sent, "value": kept})
            known.append(role)
    after.pop("role", None)
    if elements:
        after["roles"] = elements
        primary = next((n for n, e in enumerate(elements) if e.get("primary")), 0)
        by_id = elements[primary]["value"] == known[primary].scim_id
        after["role"] = known[primary].value if by_id else elements[primary]["value"]


def _without_mirror(before: Document, elements: list[Document]) -> list[Document]:
    """A role given through ``role`` gives way to those that come through ``roles``."""
    had = before.get("roles") or []
    if len(had) != 1 or had[0].keys() != {"value", "display", "primary"} or len(elements) < 2:
        return elements
    mirror = {**had[0], "primary": False}
    return [element for element in elements if {**element, "primary": False} != mirror]


def find_role(roles: dict[str, Role], sent: str) -> Role | None:
    """The role of that value, in any case, or of that id, which Okta sends."""
    found = roles.get(comparison_key(sent.strip()))
    return found or next((role for role in roles.values() if role.scim_id == sent), None)


def _known(sent: str, roles: dict[str, Role], policy: str) -> Role | None:
    role = find_role(roles, sent)
    if role is not None and not role.protected:
        return role
    if policy == UnknownRole.IGNORE:
        return None
    if policy == UnknownRole.DEFAULT:
        return next((r for r in roles.values() if r.is_default), None)
    allowed = ", ".join(r.value for r in roles.values() if not r.protected)
    raise InvalidValue(f"role: {quoted(sent)} is not a role here. Use one of: {allowed}.")


def roles_by_key(connection: Connection) -> dict[str, Role]:
    """The connection's roles by comparison key."""
    return {role.value_key: role for role in Role.objects.filter(connection=connection)}


def sync_assignments(user: Resource, document: Document, roles: dict[str, Role]) -> None:
    """Make the client's assignments of ``user`` those of the document; others' stay.

    The account is put into the Django groups that its roles grant, and taken out of those that
    no role of it grants any more.
    """
    granting = any(role.django_group_id for role in roles.values())
    before = _granted_groups(user) if granting else set()
    RoleAssignment.objects.filter(user=user, provenance=Provenance.CLIENT).delete()
    RoleAssignment.objects.bulk_create(
        assignments(user, document, roles),
        ignore_conflicts=True,  # the role was given by hand already: that assignment stays
    )
    if granting:
        _grant(user.account, before, _granted_groups(user))


def assignments(user: Resource, document: Document, roles: dict[str, Role]) -> list[RoleAssignment]:
    """The assignments that ``roles`` of the document ask for; nothing is saved yet."""
    wanted: dict[Role, tuple[int, Document]] = {}
    for position, element in enumerate(document.get("roles", [])):
        if role := find_role(roles, element.get("value", "")):
            wanted.setdefault(role, (position, element))
    return [_assignment(user, role, *sent) for role, sent in wanted.items()]


def _granted_groups(user: Resource) -> set[int]:
    assigned = RoleAssignment.objects.filter(user=user, role__django_group__isnull=False)
    return set(assigned.values_list("role__django_group", flat=True))


def _grant(account: Any, before: set[int], after: set[int]) -> None:
    groups = getattr(account, "groups", None)  # a user model without permissions has none
    if groups is None:
        return
    if lost := before - after:
        groups.remove(*lost)
    if gained := after - before:
        groups.add(*gained)


def grant_all(granted: dict[Any, set[int]]) -> None:
    """Put accounts into Django groups: with one statement, unless somebody watches."""
    relation: Any = getattr(get_user_model(), "groups", None)
    if relation is None or not granted:  # a user model without permissions has none
        return
    through, field = relation.through, relation.field
    if m2m_changed.has_listeners(through) or not through._meta.auto_created:
        for account, groups in granted.items():
            account.groups.add(*groups)
        return
    names = f"{field.m2m_field_name()}_id", f"{field.m2m_reverse_field_name()}_id"
    pairs = ((account.pk, group) for account, groups in granted.items() for group in groups)
    through._default_manager.bulk_create(
        (through(**dict(zip(names, pair, strict=True))) for pair in pairs), ignore_conflicts=True
    )


def _assignment(user: Resource, role: Role, position: int, element: Document) -> RoleAssignment:
    return RoleAssignment(
        connection_id=user.connection_id,
        user=user,
        role=role,
        provenance=Provenance.CLIENT,
        primary=bool(element.get("primary")),
        position=position,
        sent=element,
    )
