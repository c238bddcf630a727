"""What roles do: Django groups, the site's hook, the signal. For one person or for thousands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F, Model
from django.db.models.signals import m2m_changed

from scim_provider.models import Connection, GrantedGroup, Resource, Role, RoleAssignment
from scim_provider.organizations import Organizations, organizations, owner_of
from scim_provider.signals import announce, roles_changed

from .functions import InSet
from .sets import KeySets

#: A person's row and a role that they have, whoever gave it.
Pair = tuple[int, int]
#: An account and a Django group.
Grant = tuple[Any, int]


@contextmanager
def taking_effect(
    connection: Connection, people: Collection[int], *, grants: bool
) -> Iterator[None]:
    """What is assigned or taken within takes effect on ``people``, the keys of their rows.

    ``grants`` tells whether any role of the connection has a Django group. Where nobody looks
    at roles, nothing is read.
    """
    watched = _is_watched() and bool(people)
    before = _pairs(people) if watched else set()
    yield
    if grants and people:
        settle_groups(Resource.objects.filter(InSet(F("pk"), list(people))).values("account"))
    if watched:
        _tell(connection, before, _pairs(people))


def _is_watched() -> bool:
    return is_hooked() or roles_changed.has_listeners(Connection)


def is_hooked() -> bool:
    """Whether the site does something of its own with roles."""
    return type(organizations()).roles_changed is not Organizations.roles_changed


def _pairs(people: Collection[int]) -> set[Pair]:
    rows = RoleAssignment.objects.filter(InSet(F("user_id"), list(people)))
    return set(rows.values_list("user_id", "role_id"))


def _tell(connection: Connection, before: set[Pair], after: set[Pair]) -> None:
    given, taken = after - before, before - after
    if not given and not taken:
        return
    names = dict(Role.objects.filter(connection=connection).values_list("pk", "value"))
    announce(
        roles_changed,
        connection,
        given=_people_by_role(given, names),
        taken=_people_by_role(taken, names),
    )
    if is_hooked():
        people = {user for user, _ in given | taken}
        changed = get_user_model()._default_manager.filter(
            pk__in=Resource.objects.filter(InSet(F("pk"), sorted(people))).values("account")
        )
        organizations().roles_changed(list(changed), owner_of(connection))


def roles_ended(accounts: Sequence[Any], owner: Model | None) -> None:
    """What follows for accounts whose rows are gone, and their roles with them."""
    settle_groups([account.pk for account in accounts])
    if accounts and is_hooked():
        organizations().roles_changed(list(accounts), owner)


def _people_by_role(pairs: set[Pair], names: dict[int, str]) -> dict[str, list[int]]:
    people: dict[str, list[int]] = defaultdict(list)
    for user, role in sorted(pairs):
        people[names[role]].append(user)
    return dict(people)


# -- Django groups -----------------------------------------------------------------------------


def settle_groups(accounts: Any) -> None:
    """Put accounts into the Django groups that their roles grant, and out of those no role does.

    ``accounts`` are keys, or a query of them. Only what was put in here is taken out: a group
    that an account was in before any role granted it is the site's own doing.
    """
    if getattr(get_user_model(), "groups", None) is None:  # no permissions, no groups
        return
    granted = set(
        GrantedGroup.objects.filter(account__in=accounts).values_list("account_id", "group_id")
    )
    wanted, people = _wanted(accounts)
    _take(granted - wanted)
    if missing := wanted - granted:
        _give(missing - _held(missing, accounts), people)


def _wanted(accounts: Any) -> tuple[set[Grant], dict[Any, int]]:
    """What the roles of the accounts grant, and a row of each account."""
    assigned = RoleAssignment.objects.filter(
        user__account__in=accounts, role__django_group__isnull=False
    )
    wanted, people = set(), {}
    for user, account, group in assigned.values_list(
        "user_id", "user__account_id", "role__django_group_id"
    ):
        wanted.add((account, group))
        people[account] = user
    return wanted, people


def _relation() -> tuple[Any, str, str]:
    """The table of accounts' groups, and its foreign keys to the account and to the group."""
    field: Any = get_user_model()._meta.get_field("groups")
    return field.remote_field.through, field.m2m_field_name(), field.m2m_reverse_field_name()


def _is_plain() -> bool:
    """Whether nobody watches who is put into groups."""
    through, *_ = _relation()
    return bool(through._meta.auto_created) and not m2m_changed.has_listeners(through)


def _held(grants: set[Grant], accounts: Any) -> set[Grant]:
    """What the accounts have already of the groups that are granted."""
    through, account, group = _relation()
    groups = {granted for _, granted in grants}
    rows = through._default_manager.filter(**{f"{account}__in": accounts, f"{group}__in": groups})
    return set(rows.values_list(f"{account}_id", f"{group}_id"))


def _take(grants: set[Grant]) -> None:
    through, account, group = _relation()
    for taken, some in _by_group(grants):
        if _is_plain():
            through._default_manager.filter(**{group: taken, f"{account}__in": some}).delete()
        else:
            for one in _people(some):
                one.groups.remove(taken)
        GrantedGroup.objects.filter(group=taken, account__in=some).delete()


def _give(grants: set[Grant], people: dict[Any, int]) -> None:
    """INSERT the memberships by the rows of the people, whose keys every engine compares alike."""
    through, account, group = _relation()
    pairs = [(people[key], granted) for key, granted in grants]
    joined = f"JOIN {Resource._meta.db_table} r ON r.id = p.first"
    found = "r.account_id", "p.second"
    KeySets().insert_pairs(
        GrantedGroup, pairs, dict(zip(("account", "group"), found, strict=True)), joined=joined
    )
    if _is_plain():
        columns = dict(zip((account, group), found, strict=True))
        KeySets().insert_pairs(through, pairs, columns, joined=joined)
        return
    for given, some in _by_group(grants):
        for one in _people(some):
            one.groups.add(given)


def _by_group(grants: set[Grant]) -> Iterator[tuple[int, list[Any]]]:
    accounts: dict[int, list[Any]] = defaultdict(list)
    for account, group in grants:
        accounts[group].append(account)
    yield from sorted(accounts.items())


def _people(keys: list[Any]) -> Iterator[Any]:
    yield from get_user_model()._default_manager.filter(pk__in=keys)
