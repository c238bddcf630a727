"""``role`` and ``roles``: two views of one assignment (docs/design.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scim_provider.conf import scim_settings
from scim_provider.models import (
    Connection,
    Provenance,
    Resource,
    Role,
    RoleAssignment,
    UnknownRole,
    role_key,
)
from scim_provider.protocol.errors import InvalidValue
from scim_provider.protocol.schema import Schema
from scim_provider.protocol.values import quoted

from .last_admin import keeping_an_admin
from .role_effects import taking_effect
from .role_rules import settle_defaults

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
        primary = _main(elements, known)
        by_id = elements[primary]["value"] == known[primary].scim_id
        after["role"] = known[primary].value if by_id else elements[primary]["value"]


def _main(elements: list[Document], known: list[Role]) -> int:
    """Which of the elements ``role`` is: the primary one, else the first with most priority."""
    chosen = (n for n, element in enumerate(elements) if element.get("primary"))
    highest = max(range(len(known)), key=lambda n: known[n].priority)
    return next(chosen, highest)


def _without_mirror(before: Document, elements: list[Document]) -> list[Document]:
    """A role given through ``role`` gives way to those that come through ``roles``."""
    had = before.get("roles") or []
    if len(had) != 1 or had[0].keys() != {"value", "display", "primary"} or len(elements) < 2:
        return elements
    mirror = {**had[0], "primary": False}
    return [element for element in elements if {**element, "primary": False} != mirror]


def find_role(roles: dict[str, Role], sent: str) -> Role | None:
    """The role of that value, in any case, of an alias, or of that id, which Okta sends."""
    return roles.get(role_key(sent))


def _known(sent: str, roles: dict[str, Role], policy: str) -> Role | None:
    role = find_role(roles, sent)
    if role is not None and role.by_client:
        return role
    if policy == UnknownRole.IGNORE:
        return None
    usable = [role for role in dict.fromkeys(roles.values()) if role.by_client]
    if policy == UnknownRole.DEFAULT:
        return next((role for role in usable if role.is_default), None)
    allowed = ", ".join(role.value for role in usable)
    raise InvalidValue(f"role: {quoted(sent)} is not a role here. Use one of: {allowed}.")


def roles_by_key(connection: Connection) -> dict[str, Role]:
    """The connection's roles by each key that they are found by; the value itself goes first."""
    roles = list(Role.objects.filter(connection=connection))
    by_value = {role.value_key: role for role in roles}
    others = {key: role for role in reversed(roles) for key in role.keys}
    return by_value | {key: role for key, role in others.items() if key not in by_value}


def sync_assignments(
    user: Resource,
    document: Document,
    roles: dict[str, Role],
    connection: Connection,
    *,
    is_new: bool,
) -> None:
    """Make the client's assignments of ``user`` those of the document; others' stay.

    The account is put into the Django groups that its roles grant, and taken out of those that
    no role of it grants any more. Raises :class:`Forbidden` where that leaves nobody to manage the
    organization; an account that ``is_new`` has managed nothing yet.
    """
    granting = any(role.django_group_id for role in roles.values())
    with (
        keeping_an_admin(connection, () if is_new else [user.pk], grants=granting),
        taking_effect(connection, [user.pk], grants=granting),
    ):
        RoleAssignment.objects.filter(user=user, provenance=Provenance.CLIENT).delete()
        RoleAssignment.objects.bulk_create(assignments(user, document, roles))
        settle_defaults(connection, [user.pk])


def assignments(user: Resource, document: Document, roles: dict[str, Role]) -> list[RoleAssignment]:
    """The assignments that ``roles`` of the document ask for; nothing is saved yet."""
    wanted: dict[Role, bool] = {}
    for element in document.get("roles", []):
        role = find_role(roles, element.get("value", ""))
        if role is not None and role.by_client:
            wanted[role] = wanted.get(role, False) or bool(element.get("primary"))
    return [_assignment(user, role, primary=primary) for role, primary in wanted.items()]


def _assignment(user: Resource, role: Role, *, primary: bool) -> RoleAssignment:
    return RoleAssignment(
        connection_id=user.connection_id,
        user=user,
        role=role,
        provenance=Provenance.CLIENT,
        primary=primary,
    )
