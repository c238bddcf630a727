"""Who ought to have which role, and who has it: compared by the database, for many at a time.

The plan comes as parameters, so that a plan that is not saved yet is compared in the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scim_provider.models import (
    AttributeValue,
    Connection,
    Membership,
    MissingRole,
    Provenance,
    Resource,
    Role,
    RoleAssignment,
    RoleRule,
)

from .role_effects import Pair
from .role_rules import give, take
from .sets import KeySets

# Nothing here is joined that statistics could be wrong about: everything is read once, in order.

#: The elements of ``roles`` that name a role of the plan.
_CLIENT = """
SELECT e.user_id, CASE TRIM(e.sent) {cases} END AS role_id, 'client' AS provenance,
    MAX(e.main) AS main
FROM (
    SELECT v.resource_id AS user_id, MAX(CASE WHEN v.path = 'roles.value' THEN v.key END) AS sent,
        MAX(CASE WHEN v.path = 'roles.primary' AND v.key = 'true' THEN 1 ELSE 0 END) AS main
    FROM {values} v
    WHERE v.resource_id > {first} AND v.resource_id <= {last} AND v.connection_id = {connection}
        AND v.path IN ('roles.value', 'roles.primary')
    GROUP BY v.resource_id, v.element
) e
WHERE TRIM(e.sent) IN ({keys})
GROUP BY 1, 2
"""
_RULE = """
SELECT m.member_id AS user_id, g.second AS role_id, 'rule' AS provenance, 0 AS main
FROM {memberships} m JOIN ({pairs}) g ON g.first = m.group_id
WHERE m.member_id > {first} AND m.member_id <= {last}
GROUP BY m.member_id, g.second
"""
#: Members may be groups; who is a person is known by the rows of people.
_WANTED = """
SELECT w.user_id, w.role_id, w.provenance, 1 AS weight, w.main FROM scim_wanted w
JOIN {resources} r ON r.id = w.user_id WHERE r.resource_type = 'User'
"""
_NOBODY = """
SELECT r.id AS user_id, r.id AS role_id, '' AS provenance, 0 AS main FROM {resources} r WHERE 1 = 0
"""
_DEFAULT = """
SELECT d.user_id, {default} AS role_id, 'default' AS provenance, 1 AS weight, 0 AS main FROM (
    SELECT r.id AS user_id, 0 AS has FROM {resources} r
    WHERE r.connection_id = {connection} AND r.resource_type = 'User'
        AND r.id > {first} AND r.id <= {last}
    UNION ALL SELECT w.user_id, 1 AS has FROM scim_wanted w
) d GROUP BY d.user_id HAVING SUM(d.has) = 0
"""
_HAND = """
SELECT a.user_id, {moved} AS role_id, a.provenance, 1 AS weight, 0 AS main
FROM {assignments} a
WHERE a.connection_id = {connection} AND a.user_id > {first} AND a.user_id <= {last}
    AND a.provenance = 'hand' AND a.role_id NOT IN ({ended})
GROUP BY a.user_id, {moved}, a.provenance
"""
_CURRENT = """
SELECT a.user_id, a.role_id, a.provenance, -1 AS weight, 0 AS main FROM {assignments} a
WHERE a.connection_id = {connection} AND a.user_id > {first} AND a.user_id <= {last}
"""
_DIFFERING = """
WITH scim_wanted AS ({wanted})
SELECT d.user_id, d.role_id, d.provenance, SUM(d.weight), MAX(d.main) FROM ({rows}) d
GROUP BY d.user_id, d.role_id, d.provenance HAVING SUM(d.weight) <> 0
ORDER BY d.user_id, d.role_id, d.provenance
"""
#: No key of a row.
_NONE = "0"


class Difference(NamedTuple):
    """A person who ought to have a role for a reason and has not, or has and ought not."""

    user: int
    role: int
    provenance: str
    gained: bool
    primary: bool


@dataclass(frozen=True)
class RolePlan:
    """What gives roles, which are named by their keys; those of roles to come are negative.

    ``by_key``: what clients may send → role. ``by_group``: groups, also those in others, and
    roles. ``moved``: roles that end → what becomes of those that were given by hand.
    """

    connection: Connection
    by_key: Mapping[str, int]
    by_group: Sequence[Pair]
    default: int | None
    moved: Mapping[int, int | None]

    def differences(self, first: int, last: int) -> list[Difference]:
        """Of the people whose keys are above ``first`` and up to ``last``: one statement."""
        sets = KeySets()
        wanted, parameters = [], []
        if self.by_key:
            wanted.append(_CLIENT)
            parameters += [*self.by_key, *self.by_key]
        if self.by_group:
            wanted.append(_RULE)
            parameters += sets.of_pairs(self.by_group)
        rows = [_HAND, _CURRENT, _WANTED, *([] if self.default is None else [_DEFAULT])]
        template = _DIFFERING.format(
            wanted=" UNION ALL ".join(wanted or [_NOBODY]), rows=" UNION ALL ".join(rows)
        )
        found = sets.select(self._sql(template, sets, first, last), parameters)
        return [
            Difference(user, role, provenance, weight > 0, bool(main))
            for user, role, provenance, weight, main in found
        ]

    def _sql(self, template: str, sets: KeySets, first: int, last: int) -> str:
        connection = self.connection.pk
        moves = " ".join(
            f"WHEN {old} THEN {new}" for old, new in self.moved.items() if new is not None
        )
        ended = [str(old) for old, new in self.moved.items() if new is None]
        return template.format(
            cases=" ".join(f"WHEN %s THEN {role}" for role in self.by_key.values()),
            keys=", ".join(["%s"] * len(self.by_key)),
            pairs=sets.pairs,
            moved=f"CASE a.role_id {moves} ELSE a.role_id END" if moves else "a.role_id",
            ended=", ".join(ended) or _NONE,
            default=self.default,
            connection=connection,
            first=first,
            last=last,
            values=AttributeValue._meta.db_table,
            memberships=Membership._meta.db_table,
            resources=Resource._meta.db_table,
            assignments=RoleAssignment._meta.db_table,
        )


def settle(connection: Connection, differences: Iterable[Difference]) -> None:
    """Write the differences: a statement for each reason, and for each role that is taken."""
    gained: dict[tuple[str, bool], list[Pair]] = defaultdict(list)
    lost: dict[str, list[Pair]] = defaultdict(list)
    for user, role, provenance, is_gained, primary in differences:
        if is_gained:
            gained[provenance, primary].append((user, role))
        else:
            lost[provenance].append((user, role))
    for provenance, pairs in sorted(lost.items()):
        take(pairs, Provenance(provenance))
    for (provenance, primary), pairs in sorted(gained.items()):
        give(connection, pairs, Provenance(provenance), primary=primary)


def with_groups_below(connection: Connection, pairs: Collection[Pair]) -> list[Pair]:
    """Groups and roles, and with them the groups that are in these groups: one statement."""
    if not pairs:
        return []
    inside = Membership.objects.filter(
        member__connection=connection, member__resource_type="Group"
    ).values_list("group_id", "member_id")
    below: dict[int, list[int]] = defaultdict(list)
    for group, member in inside:
        below[group].append(member)
    found, waiting = set(pairs), list(pairs)
    while waiting:
        group, role = waiting.pop()
        fresh = {(member, role) for member in below[group]} - found
        found |= fresh
        waiting += fresh
    return sorted(found)


def client_keys(numbered: Iterable[tuple[int, Role]]) -> dict[str, int]:
    """What clients may send → the number of the role; as :func:`~.roles.roles_by_key` has it."""
    roles = list(numbered)
    found = {key: pair for pair in reversed(roles) for key in pair[1].keys}
    found |= {role.value_key: (number, role) for number, role in roles}
    return {key: number for key, (number, role) in found.items() if role.by_client}


def default_number(missing_role: str, numbered: Iterable[tuple[int, Role]]) -> int | None:
    """The number of the role of people who get none otherwise."""
    usable = (number for number, role in numbered if role.is_default and role.by_client)
    return next(usable, None) if missing_role == MissingRole.DEFAULT else None


def saved_plan(
    connection: Connection, roles: Collection[Role], moved: Mapping[int, int | None]
) -> RolePlan:
    """The plan that the connection's roles and rules are, without the roles that end."""
    numbered = [(role.pk, role) for role in roles]
    ruled = {role.pk for role in roles if role.by_rule}
    rules = RoleRule.objects.filter(connection=connection).values_list("group_id", "role_id")
    return RolePlan(
        connection,
        by_key=client_keys(numbered),
        by_group=with_groups_below(connection, [pair for pair in rules if pair[1] in ruled]),
        default=default_number(connection.missing_role, numbered),
        moved=moved,
    )
