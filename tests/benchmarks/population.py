"""The people and groups of one organization, grown from size to size through the mapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model

from example_project.accounts.models import Account, Organization
from scim_provider import connections, keys
from scim_provider.models import Connection, Event, FormerUser, Membership, Resource
from scim_provider.resources import Context, resource_types
from scim_provider.simulator.population import Population

COMPANY = Population(users=0, groups=0, domain="bench.example")
GROUP_SIZE = 10
_BATCH = 1_000
#: Rows of accounts and of ours start apart, so that no id of one is an id of another, or a number.
_FIRST: dict[type[Model], int] = {
    Resource: 10_000_000,
    Account: 500_000_000,
    Event: 600_000_000,
    FormerUser: 700_000_000,
}
_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


@dataclass(frozen=True)
class Row:
    """A person or a group, as the operations name them."""

    pk: int
    scim_id: str
    name: str
    external: str
    account: int | None


@dataclass(frozen=True, eq=False)
class Site:
    """The organization, its key and a sample of who is in it."""

    connection: Connection
    key: str
    size: int
    people: Sequence[Row]
    #: People who are in no group: they come and go.
    extras: Sequence[Row]
    groups: Sequence[Row]
    everybody: Row


def open_site() -> tuple[Connection, str]:
    """The enabled connection of the benchmark's organization and a fresh key of it."""
    organization, created = Organization.objects.get_or_create(name="Bench", slug="bench")
    if created:
        for model, first in _FIRST.items():
            _start_apart(model._meta.db_table, first)
    own = connections.connection_for(organization)
    keys.revoke_all(own)
    new = connections.enable(own)
    assert new is not None, "only a repeated nonce makes no key"
    return own, new.secret


def grow(own: Connection, size: int) -> None:
    """Bring the organization to ``size`` people, with groups of ten and a group of most."""
    present = _people(own).count()
    create_people(own, map(COMPANY.person, range(present + 1, size + 1)))
    members = list(_people(own).values_list("pk", "scim_id"))[: size - extras_of(size)]
    known = {row.name for row in _rows(own, "Group")}
    teams = {f"Team {number:06d}": number * GROUP_SIZE for number in range(groups_of(size))}
    bodies = [
        {"schemas": [_GROUP], "displayName": name, "externalId": name, "members": []}
        | {"members": [{"value": scim_id} for _, scim_id in members[first : first + GROUP_SIZE]]}
        for name, first in {**teams, "Everybody": size}.items()
        if name not in known
    ]
    _create(own, "Group", bodies)
    everybody = Resource.objects.get(connection=own, name="Everybody")
    Membership.objects.bulk_create(
        [Membership(connection=own, group=everybody, member_id=pk) for pk, _ in members],
        batch_size=_BATCH,
        ignore_conflicts=True,
    )


def extras_of(size: int) -> int:
    return min(200, size // 2)


def groups_of(size: int) -> int:
    """Groups of ten: one for every fifty people, but enough for a page of a hundred."""
    return max(1, min(size // GROUP_SIZE // 2, max(100, size // 50)))


def site(own: Connection, key: str, size: int) -> Site:
    """A sample of what is there; at most some thousands, spread over the table."""
    people = _rows(own, "User")[:size]
    groups = [row for row in _rows(own, "Group") if row.name.startswith("Team")]
    everybody = next(row for row in _rows(own, "Group") if row.name == "Everybody")
    members, extras = people[: -extras_of(size)], people[-extras_of(size) :]
    spread = members[:: max(1, len(members) // 2_000)]
    return Site(own, key, size, spread, extras, groups, everybody)


def create_people(own: Connection, bodies: Iterable[dict[str, Any]]) -> list[Row]:
    """The people that as many POSTs would make."""
    names = _create(own, "User", bodies)
    rows = {row.name: row for row in _rows(own, "User", name__in=names[-_BATCH:])}
    return [rows[name] for name in names if name in rows]


def _create(own: Connection, kind: str, bodies: Iterable[dict[str, Any]]) -> list[str]:
    """Their names."""
    served = next(each for each in resource_types() if each.name == kind)
    names = []
    batch: list[dict[str, Any]] = []
    for body in (*bodies, None):
        if body is not None:
            batch.append(body)
            names.append(str(body.get("userName", body.get("displayName"))))
        if batch and (body is None or len(batch) == _BATCH):
            for made in served.create_many(Context(own, ""), batch):
                if isinstance(made, Exception):
                    raise made
            batch = []
    return names


def _people(own: Connection) -> Any:
    return Resource.objects.filter(connection=own, resource_type="User").order_by("pk")


def _rows(own: Connection, kind: str, **conditions: Any) -> list[Row]:
    rows = Resource.objects.filter(connection=own, resource_type=kind, **conditions).order_by("pk")
    fields = ("pk", "scim_id", "name", "external_id", "account_id")
    return [Row(*values) for values in rows.values_list(*fields)]


def _start_apart(table: str, first: int) -> None:
    statements = {
        "postgresql": [f'ALTER TABLE "{table}" ALTER COLUMN id RESTART WITH {first}'],
        "mysql": [f"ALTER TABLE `{table}` AUTO_INCREMENT = {first}"],
        "sqlite": [
            f"DELETE FROM sqlite_sequence WHERE name = '{table}'",
            f"INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {first})",
        ],
    }[connection.vendor]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
