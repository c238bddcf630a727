"""Changing which roles there are, what they grant and who gets them: previewed, then applied.

Page and command share it. :func:`preview` tells who would change, and saves nothing;
:func:`apply` saves the change and makes it true for everybody, a batch of people at a time, with
a fixed number of statements for each. A run that was killed is finished by the same call again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.db.models import F
from django.utils import timezone

from .events import event, record
from .mapping.functions import InSet
from .mapping.role_effects import taking_effect
from .mapping.role_plan import Difference, RolePlan, saved_plan, settle, with_groups_below
from .mapping.role_rules import mark
from .mapping.transactions import atomically, database, locking
from .models import Connection, EventKind, Resource, Role, RoleAssignment, RoleRule
from .role_drafts import Draft, MappingError, RoleDraft, draft
from .routers import primary

__all__ = ["MappingError", "Outcome", "Tally", "apply", "current", "preview"]

#: People of one transaction.
BATCH = 10_000
#: People who are named of each change.
NAMED = 5
#: Who came while the others were worked through is seen to in another pass.
_PASSES = 3

#: Called with how many more people were looked at.
Progress = Callable[[int], None]


@dataclass
class Tally:
    """How many people get something, how many lose it, and who the first of them are."""

    gained: int = 0
    lost: int = 0
    first_gained: list[int] = field(default_factory=list)
    first_lost: list[int] = field(default_factory=list)

    def gain(self, user: int) -> None:
        self.gained += 1
        _remember(self.first_gained, user)

    def lose(self, user: int) -> None:
        self.lost += 1
        _remember(self.first_lost, user)


def _remember(first: list[int], user: int) -> None:
    if len(first) < NAMED:
        first.append(user)


@dataclass
class Outcome:
    """Who changes: by the value of the role, by the name of the Django group.

    ``people`` counts those who have other roles or Django groups than before, ``without``
    those who had a role and have none.
    """

    people: int = 0
    roles: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    groups: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    without: Tally = field(default_factory=Tally)

    def add(self, user: int, changes: _Changes) -> None:
        """Count one person."""
        self.people += changes.is_any
        changes.count(self.roles, changes.roles, user)
        changes.count(self.groups, changes.groups, user)
        if changes.roles[0] and not changes.roles[1]:
            self.without.lose(user)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the first people by name: one statement."""
        tallies = [self.without, *self.roles.values(), *self.groups.values()]
        keys = {key for each in tallies for key in (*each.first_gained, *each.first_lost)}
        names = dict(
            Resource.objects.filter(InSet(F("pk"), sorted(keys))).values_list("pk", "name")
        )

        def told(tally: Tally) -> dict[str, Any]:
            return {
                "gained": tally.gained,
                "lost": tally.lost,
                "first_gained": [names.get(key, "") for key in tally.first_gained],
                "first_lost": [names.get(key, "") for key in tally.first_lost],
            }

        return {
            "people": self.people,
            "roles": {value: told(tally) for value, tally in sorted(self.roles.items())},
            "groups": {name: told(tally) for name, tally in sorted(self.groups.items())},
            "without_role": {
                "people": self.without.lost,
                "first": told(self.without)["first_lost"],
            },
        }


@dataclass(frozen=True)
class _Changes:
    """What one person had and has: values of roles, names of Django groups."""

    roles: tuple[set[str], set[str]]
    groups: tuple[set[str], set[str]]

    @property
    def is_any(self) -> bool:
        return self.roles[0] != self.roles[1] or self.groups[0] != self.groups[1]

    @staticmethod
    def count(
        tallies: dict[str, Tally], before_and_after: tuple[set[str], set[str]], user: int
    ) -> None:
        before, after = before_and_after
        for name in after - before:
            tallies[name].gain(user)
        for name in before - after:
            tallies[name].lose(user)


@primary()
def current(connection: Connection) -> dict[str, Any]:
    """The mapping as there is, in the shape that a change has."""
    made = draft(_fresh(connection), {})
    groups = dict(
        Resource.objects.filter(pk__in={group for group, _ in made.rules}).values_list("pk", "name")
    )
    return {
        "roles": [_role_as_dict(each) for each in made.roles],
        "rules": [
            {"group": groups[group], "role": made.values[role]}
            for group, role in made.rules
            if group in groups
        ],
        **made.policies,
    }


def _role_as_dict(each: RoleDraft) -> dict[str, Any]:
    role = each.role
    return {
        "value": role.value,
        "display": role.display,
        "description": role.description,
        "aliases": role.aliases,
        "priority": role.priority,
        "django_group": each.django_group,
        "protected": role.protected,
        "rules_may_grant": role.rules_may_grant,
        "default": role.is_default,
    }


@primary()
def preview(
    connection: Connection, change: Mapping[str, Any], progress: Progress | None = None
) -> Outcome:
    """Who would change. Nothing is saved. Raises :class:`MappingError`."""
    made, outcome = draft(_fresh(connection), change), Outcome()
    plan = made.plan()
    for first, last in _batches(connection, progress):
        for user, changes in _compared(made, plan, first, last)[1]:
            outcome.add(user, changes)
    return outcome


@primary()
def apply(
    connection: Connection,
    change: Mapping[str, Any],
    *,
    by: AbstractBaseUser | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Save the change, and give and take roles accordingly. Raises :class:`MappingError`.

    From the first moment on, what clients send is taken by the new mapping.
    """
    made, outcome = atomically(lambda: _save(connection, change)), Outcome()
    for number in range(_PASSES):
        before = outcome.people
        for first, last in _batches(connection, None if number else progress):
            for user, changes in _settle_batch(made, first, last):
                outcome.add(user, changes)
        if number and outcome.people == before:
            break
        made = replace(made, groups_before=made.groups)  # they are settled now
    atomically(lambda: _finish(made, outcome, by))
    return outcome


def _fresh(connection: Connection) -> Connection:
    """The connection with its policies as they are now."""
    return Connection.objects.get(pk=connection.pk)


# -- batches -----------------------------------------------------------------------------------


def _batches(connection: Connection, progress: Progress | None) -> Iterator[tuple[int, int]]:
    """People by the keys of their rows: those above the first and up to the last."""
    rows = Resource.objects.filter(connection=connection, resource_type="User")
    keys, last = rows.order_by("pk").values_list("pk", flat=True), 0
    while batch := list(keys.filter(pk__gt=last)[:BATCH]):
        yield last, batch[-1]
        last = batch[-1]
        if progress:
            progress(len(batch))


def _compared(
    made: Draft, plan: RolePlan, first: int, last: int
) -> tuple[list[Difference], list[tuple[int, _Changes]]]:
    """What a plan makes different in a batch, and what it changes for whom."""
    differences = plan.differences(first, last)
    people = sorted({each.user for each in differences} | _regrouped(made, first, last))
    before: dict[int, set[tuple[int, str]]] = defaultdict(set)
    if people:
        rows = RoleAssignment.objects.filter(InSet(F("user_id"), people))
        for user, role, provenance in rows.values_list("user_id", "role_id", "provenance"):
            before[user].add((role, provenance))
    after = {user: set(before[user]) for user in people}
    for each in differences:
        change = after[each.user].add if each.gained else after[each.user].discard
        change((each.role, each.provenance))
    return differences, [(user, _changes(made, before[user], after[user])) for user in people]


def _regrouped(made: Draft, first: int, last: int) -> set[int]:
    """Who has a role that grants another Django group than before."""
    if not made.regrouped:
        return set()
    rows = RoleAssignment.objects.filter(
        role__in=made.regrouped, user__gt=first, user__lte=last, connection=made.connection
    )
    return set(rows.values_list("user_id", flat=True))


def _changes(made: Draft, before: set[tuple[int, str]], after: set[tuple[int, str]]) -> _Changes:
    had, has = {role for role, _ in before}, {role for role, _ in after}
    groups = made.groups
    return _Changes(
        ({made.values[role] for role in had}, {made.values[role] for role in has}),
        (
            {made.groups_before[role] for role in had if role in made.groups_before},
            {groups[role] for role in has if role in groups},
        ),
    )


def _settle_batch(made: Draft, first: int, last: int) -> list[tuple[int, _Changes]]:
    """Give and take in one batch, whose people and roles are locked: who changes them waits."""
    connection = made.connection

    def operation() -> list[tuple[int, _Changes]]:
        rows = Resource.objects.filter(connection=connection, resource_type="User")
        rows = rows.filter(pk__gt=first, pk__lte=last).order_by("pk")
        list(rows.select_for_update(**locking(database())).values_list("pk", flat=True))
        roles = Role.objects.filter(connection=connection).order_by("pk")
        locked = list(roles.select_for_update(**locking(database())))
        plan = saved_plan(connection, [r for r in locked if r.pk not in made.ended], made.ended)
        differences, compared = _compared(made, plan, first, last)
        grants = bool(made.groups or made.groups_before)
        with taking_effect(connection, [user for user, _ in compared], grants=grants):
            settle(connection, differences)
        return compared

    return atomically(operation)


# -- saving ------------------------------------------------------------------------------------


def _save(connection: Connection, change: Mapping[str, Any]) -> Draft:
    """Save what a change says about the connection, its roles and rules; people come later."""
    locked = Connection.objects.select_for_update(**locking(database())).get(pk=connection.pk)
    made = draft(locked, change)
    for name, value in made.policies.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(made.policies))
    if "roles" in change:
        made = _save_roles(made)
    _save_rules(made)
    return made


def _save_roles(made: Draft) -> Draft:
    """The draft with the keys of the roles that are new.

    Those that end stay until nobody has them, and are given to nobody from now on.
    """
    ended = Role.objects.filter(pk__in=made.ended)
    ended.update(protected=True, rules_may_grant=False, is_default=False)
    now, numbers = timezone.now(), {}
    for each in made.roles:
        role = each.role
        role.django_group = _django_group(each.django_group)
        role.last_modified = now
        role.save()
        numbers[each.number] = role.pk
    return replace(
        made,
        roles=[replace(each, number=numbers[each.number]) for each in made.roles],
        ended={key: new and numbers[new] for key, new in made.ended.items()},
        rules=[(group, numbers[number]) for group, number in made.rules],
    )


def _django_group(name: str) -> Group | None:
    return Group.objects.get_or_create(name=name)[0] if name else None


def _save_rules(made: Draft) -> None:
    saved = RoleRule.objects.filter(connection=made.connection)
    there = {(group, role): key for key, group, role in saved.values_list("pk", "group", "role")}
    wanted = set(made.rules)
    saved.filter(pk__in=[key for pair, key in there.items() if pair not in wanted]).delete()
    RoleRule.objects.bulk_create(
        RoleRule(connection=made.connection, group_id=group, role_id=role)
        for group, role in made.rules
        if (group, role) not in there
    )
    mark({group for group, _ in with_groups_below(made.connection, made.rules)})


def _finish(made: Draft, outcome: Outcome, by: AbstractBaseUser | None) -> None:
    """The roles that end go, and an event tells what was done."""
    Role.objects.filter(pk__in=made.ended).delete()
    told = outcome.as_dict()
    reason = f"by {by.get_username()}" if by else "on the command line"
    record([event(made.connection, EventKind.ROLES_APPLIED, reason=reason, data=told)])
