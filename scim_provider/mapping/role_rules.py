"""Roles by rule: who is in a group has a role. Applied to what changes, in sets (docs/roles.md).

The row of a group says whether a rule may concern its members, so that a group without rules
costs nothing. Whoever changes members holds the lock of that row; what follows from rules holds
the locks of their roles, so that two changes of one person's groups see each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from scim_provider.models import (
    Connection,
    Membership,
    MissingRole,
    Provenance,
    Resource,
    Role,
    RoleAssignment,
    RoleRule,
)
from scim_provider.organizations import organizations, owner_of

from .functions import InSet
from .last_admin import keeping_an_admin
from .role_effects import Pair, is_hooked, taking_effect
from .sets import KeySets, each_joined
from .transactions import database, locking

_MEMBERSHIPS, _RESOURCES = Membership._meta.db_table, Resource._meta.db_table
_RULES, _ASSIGNMENTS = RoleRule._meta.db_table, RoleAssignment._meta.db_table

#: The group itself, and every group that it is in.
_ABOVE = """
scim_above (group_id) AS (
    SELECT r.id FROM {resources} r WHERE r.id = {group}
    UNION SELECT m.group_id FROM scim_above a {m_of_above}
)
"""
#: Those whose keys are given, and everybody in them.
_BELOW = """
scim_below (id) AS (
    SELECT k.id FROM ({keys}) k UNION SELECT m.member_id FROM scim_below b {m_of_below}
)
"""
_GOVERNING = """
WITH RECURSIVE {above}
SELECT DISTINCT rule.role_id FROM scim_above a JOIN {rules} rule ON rule.group_id = a.group_id
"""
_GAINED = """
WITH RECURSIVE {above}, {below}
SELECT DISTINCT r.id, rule.role_id
FROM scim_above a JOIN {rules} rule ON rule.group_id = a.group_id CROSS JOIN scim_below b
JOIN {resources} r ON r.id = b.id
WHERE r.resource_type = 'User' AND rule.role_id IN ({roles}) AND NOT EXISTS (
    SELECT 1 FROM {assignments} x
    WHERE x.user_id = r.id AND x.role_id = rule.role_id AND x.provenance = 'rule'
)
"""
#: Without those who are in a group with the same rule all the same.
_LOST = """
WITH RECURSIVE {below}, scim_had (user_id, role_id) AS (
    SELECT x.user_id, x.role_id FROM scim_below b JOIN {assignments} x ON x.user_id = b.id
    WHERE x.provenance = 'rule' AND x.role_id IN ({roles})
), scim_up (user_id, group_id) AS (
    SELECT h.user_id, m.group_id FROM (SELECT DISTINCT user_id FROM scim_had) h {m_of_had}
    UNION SELECT u.user_id, m.group_id FROM scim_up u {m_of_up}
)
SELECT user_id, role_id FROM scim_had
EXCEPT
SELECT u.user_id, rule.role_id FROM scim_up u JOIN {rules} rule ON rule.group_id = u.group_id
"""
_GROUPS_BELOW = """
WITH RECURSIVE {below}
SELECT r.id FROM scim_below b JOIN {resources} r ON r.id = b.id WHERE r.resource_type = 'Group'
"""


class RoleRules:
    """What rules make of changes of the members of ``group``, whose row is locked."""

    def __init__(self, group: Resource, connection: Connection) -> None:
        self.group, self.connection, self.sets = group, connection, KeySets()
        self.roles = self._governing()

    def _governing(self) -> dict[int, Role]:
        """The roles of rules on this group or above it, locked: whoever else would change who
        has them waits, and sees what was done here.
        """
        keys = [key for (key,) in self.sets.select(self._sql(_GOVERNING))]
        if not keys:
            return {}
        rows = (
            Role.objects.select_for_update(**locking(database())).filter(pk__in=keys).order_by("pk")
        )
        return {role.pk: role for role in rows}

    def moved(self, added: Collection[int], removed: Collection[int]) -> None:
        """Members came and went: the keys of their rows, people or groups."""
        if added:
            mark(self.below(added))
        if not self.roles:
            return
        gained = self._gained(added) if added else []
        lost = self._lost(removed) if removed else []
        change_by_rule(self.connection, gained, lost, self._grants())

    def below(self, keys: Collection[int]) -> list[int]:
        """The groups among ``keys`` and in them."""
        rows = self.sets.select(self._sql(_GROUPS_BELOW), self.sets.of_keys(keys))
        return sorted(key for (key,) in rows)

    def _grants(self) -> bool:
        return any(role.django_group_id for role in self.roles.values()) or (
            self.connection.missing_role == MissingRole.DEFAULT
        )

    def _gained(self, added: Collection[int]) -> list[Pair]:
        if not any(role.by_rule for role in self.roles.values()):
            return []
        return self._pairs(_GAINED, added, (r.pk for r in self.roles.values() if r.by_rule))

    def _lost(self, removed: Collection[int]) -> list[Pair]:
        return self._pairs(_LOST, removed, self.roles)

    def _pairs(self, template: str, keys: Collection[int], roles: Iterable[int]) -> list[Pair]:
        sql = self._sql(template, roles=", ".join(map(str, roles)))
        return [(user, role) for user, role in self.sets.select(sql, self.sets.of_keys(keys))]

    def _sql(self, template: str, **parts: str) -> str:
        def members(alias: str, column: str, value: str) -> str:
            return each_joined(_MEMBERSHIPS, alias, column, value, self.sets.vendor)

        above = _ABOVE.format(
            resources=_RESOURCES,
            group=self.group.pk,
            m_of_above=members("m", "member_id", "a.group_id"),
        )
        below = _BELOW.format(keys=self.sets.keys, m_of_below=members("m", "group_id", "b.id"))
        return template.format(
            above=above,
            below=below,
            rules=_RULES,
            resources=_RESOURCES,
            assignments=_ASSIGNMENTS,
            m_of_had=members("m", "member_id", "h.user_id"),
            m_of_up=members("m", "member_id", "u.group_id"),
            **parts,
        )


def mark(groups: Collection[int]) -> None:
    """Lock the rows of groups, and note on them that rules may concern their members."""
    if not groups:
        return
    rows = Resource.objects.filter(InSet(F("pk"), list(groups))).order_by("pk")
    locked = list(rows.select_for_update(**locking(database())).values_list("pk", "has_rules"))
    if unmarked := [key for key, has_rules in locked if not has_rules]:
        Resource.objects.filter(InSet(F("pk"), unmarked)).update(has_rules=True)


def members_of_group(group: Resource) -> list[int]:
    """The keys of its direct members."""
    return list(Membership.objects.filter(group=group).values_list("member_id", flat=True))


def change_by_rule(
    connection: Connection, gained: list[Pair], lost: list[Pair], grants: bool
) -> None:
    """Write what rules give and take, and what follows from it."""
    people = {user for user, _ in (*gained, *lost)}
    if not people:
        return
    losing = people if lost or is_hooked() else ()
    with (
        keeping_an_admin(connection, losing, grants=grants),
        taking_effect(connection, people, grants=grants),
    ):
        take(lost, Provenance.RULE)
        give(connection, gained, Provenance.RULE)
        settle_defaults(connection, people)


# -- assignments as sets -----------------------------------------------------------------------


def give(
    connection: Connection,
    pairs: Collection[Pair],
    provenance: Provenance,
    *,
    primary: bool = False,
) -> None:
    """Assign roles, unless they are assigned for that reason already: one statement."""
    sets = KeySets()
    moment = sets.connection.ops.adapt_datetimefield_value(timezone.now())
    columns = {
        "connection": "%s",
        "user": "p.first",
        "role": "p.second",
        "provenance": "%s",
        "primary": "%s",
        "created_at": "%s",
    }
    values = [connection.pk, provenance.value, primary, moment]
    sets.insert_pairs(RoleAssignment, pairs, columns, values)


def take(pairs: Collection[Pair], provenance: Provenance) -> None:
    """Take roles away that were assigned for that reason: one statement for each role."""
    people: dict[int, list[int]] = defaultdict(list)
    for user, role in pairs:
        people[role].append(user)
    for role, users in sorted(people.items()):
        rows = RoleAssignment.objects.filter(role=role, provenance=provenance)
        rows.filter(InSet(F("user_id"), users)).delete()


def default_role(connection: Connection) -> Role | None:
    """The role of people to whom neither the client nor a rule gives one.

    Locked: who takes another reason away from a person meanwhile waits, and sees what was done.
    """
    if connection.missing_role != MissingRole.DEFAULT:
        return None
    rows = Role.objects.filter(connection=connection, is_default=True, protected=False)
    return rows.order_by("pk").select_for_update(**locking(database())).first()


def give_default(connection: Connection, people: Collection[int]) -> None:
    """Give the default role to people who came without any, where the policy says so.

    Not to administrators of the organization where a hook of the site decides by roles: to be
    listed is no reason to lose what somebody was given by hand.
    """
    if connection.missing_role != MissingRole.DEFAULT:
        return
    if is_hooked():
        people = _others_than_admins(connection, people)
    with taking_effect(connection, people, grants=True):
        settle_defaults(connection, people)


def _others_than_admins(connection: Connection, people: Collection[int]) -> list[int]:
    admins = organizations().admins(owner_of(connection)).order_by().values("pk")
    rows = Resource.objects.filter(InSet(F("pk"), sorted(people)), account__isnull=False)
    return list(rows.exclude(account__in=admins).values_list("pk", flat=True))


def settle_defaults(connection: Connection, people: Collection[int]) -> None:
    """Give the default role to those of the people who have none, and take it from the others."""
    role = default_role(connection)
    if role is None:
        return
    reasons = RoleAssignment.objects.filter(
        user=OuterRef("pk"), provenance__in=[Provenance.CLIENT, Provenance.RULE]
    )
    rows = Resource.objects.filter(InSet(F("pk"), list(people)), resource_type="User")
    rows = rows.annotate(has_role=Exists(reasons))
    by_need: dict[bool, list[Any]] = {True: [], False: []}
    for key, has_role in rows.values_list("pk", "has_role"):
        by_need[not has_role].append(key)
    if by_need[False]:
        given = RoleAssignment.objects.filter(provenance=Provenance.DEFAULT)
        given.filter(InSet(F("user_id"), by_need[False])).delete()
    give(connection, [(user, role.pk) for user in by_need[True]], Provenance.DEFAULT)
