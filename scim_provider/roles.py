"""Who has which role, and roles given by hand: for the site's own code and pages.

Roles that the identity provider or a rule gives come and go by themselves; what is given here
stays until it is taken here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import F

from .mapping.role_effects import taking_effect
from .mapping.role_rules import give, take
from .mapping.transactions import together
from .models import Connection, Provenance, Resource, Role, RoleAssignment
from .routers import primary

__all__ = ["give_by_hand", "main_role", "roles_of", "take_by_hand"]


def roles_of(
    accounts: Iterable[Any], connection: Connection | None = None
) -> dict[Any, list[Role]]:
    """The roles of each account by its key, the main one first: one statement.

    First the one with the highest priority, among equals what the identity provider calls
    primary, then what was there first. ``connection`` is one organization's; without it, all.
    """
    assigned = RoleAssignment.objects.filter(user__account__in=list(accounts))
    if connection is not None:
        assigned = assigned.filter(connection=connection)
    rows = assigned.select_related("role").annotate(account=F("user__account"))
    rows = rows.order_by("-role__priority", "-primary", "role_id", "pk")
    found: dict[Any, dict[int, Role]] = defaultdict(dict)
    for row in rows:
        found[row.account].setdefault(row.role_id, row.role)
    return {account: list(roles.values()) for account, roles in found.items()}


def main_role(account: Any, connection: Connection | None = None) -> Role | None:
    """The role to show where there is room for one; None where the account has none."""
    roles = roles_of([account], connection).get(account.pk, [])
    return roles[0] if roles else None


def give_by_hand(role: Role, users: Iterable[Resource]) -> None:
    """Give a role to people, the rows of :class:`~.models.ScimUser`: a fixed number of statements.

    It may be a protected one.
    """
    people = {user.pk for user in users}
    with _together(role, people):
        give(role.connection, {(user, role.pk) for user in people}, Provenance.HAND)


def take_by_hand(role: Role, users: Iterable[Resource]) -> None:
    """Take back what was given by hand; who has the role for another reason keeps it."""
    people = {user.pk for user in users}
    with _together(role, people):
        take({(user, role.pk) for user in people}, Provenance.HAND)


@contextmanager
def _together(role: Role, people: set[int]) -> Iterator[None]:
    grants = role.django_group_id is not None
    with primary(), together(), taking_effect(role.connection, people, grants=grants):
        yield
