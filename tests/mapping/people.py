"""Organizations of a realistic size, inserted in sets: what plans are read over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection as database

from scim_provider.mapping.index import index_rows
from scim_provider.models import AttributeValue, Connection, Membership, Resource
from scim_provider.protocol.core import ENTERPRISE_USER, ENTERPRISE_USER_URN, GROUP, USER
from scim_provider.protocol.schema import ResourceSchema
from tests.factories import ConnectionFactory, OrganizationFactory

SCHEMA = ResourceSchema(USER, (ENTERPRISE_USER,))
GROUP_SCHEMA = ResourceSchema(GROUP)
START = datetime(2024, 1, 1, tzinfo=UTC)
BATCH = 2000
TITLES = ("Engineer", "Manager", "Analyst", "Director")
GIVEN = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Ken")
#: People in one department.
DEPARTMENT = 10


@dataclass(frozen=True)
class Person:
    """What the ``number``-th person of a connection is called."""

    connection: Connection
    number: int

    @property
    def scim_id(self) -> str:
        return f"{self.connection.pk:08d}-0000-4000-8000-{self.number:012d}"

    @property
    def external_id(self) -> str:
        return f"00u{self.number:09d}"

    @property
    def user_name(self) -> str:
        return f"Person{self.number:07d}@example.com"

    @property
    def family_name(self) -> str:
        return f"Lovelace{self.number:07d}"

    def email(self, kind: str) -> str:
        return f"person{self.number:07d}@{kind}.example.com"

    @property
    def document(self) -> dict[str, Any]:
        number = self.number
        emails = [{"value": self.email("work"), "type": "work", "primary": True}]
        if number % 3 == 0:
            emails.append({"value": self.email("home"), "type": "home"})
        return {
            "displayName": f"Person {number:07d}",
            "title": TITLES[number % len(TITLES)],
            "locale": "en-US",
            "emails": emails,
            ENTERPRISE_USER_URN: {
                "employeeNumber": f"E{number:07d}",
                "department": f"Department {number // DEPARTMENT}",
                "manager": {"value": Person(self.connection, number // DEPARTMENT).scim_id},
            },
        }


def account(person: Person, organization: Any) -> Any:
    """The unsaved account of a person; user names of different organizations differ."""
    return get_user_model()(
        username=f"{person.connection.pk}-{person.user_name}",
        email=person.email("work"),
        first_name=GIVEN[person.number % len(GIVEN)],
        last_name=person.family_name,
        is_active=person.number % 20 != 0,
        password="!",
        organization=organization,
    )


def user(person: Person, owner: Any) -> Resource:
    """The unsaved row of a person."""
    moment = START + timedelta(minutes=person.number)
    return Resource(
        connection=person.connection,
        resource_type="User",
        scim_id=person.scim_id,
        external_id=person.external_id,
        name=person.user_name,
        name_key=person.user_name.lower(),
        unique_key=person.user_name.lower(),
        account=owner,
        document=person.document,
        created=moment,
        last_modified=moment,
    )


def group(connection: Connection, number: int) -> Resource:
    """The unsaved row of a group."""
    name = f"Group {number:05d}"
    return Resource(
        connection=connection,
        resource_type="Group",
        scim_id=f"{connection.pk:08d}-0000-4000-9000-{number:012d}",
        external_id=f"00g{number:09d}",
        name=name,
        name_key=name.lower(),
        unique_key=name.lower(),
        created=START,
        last_modified=START + timedelta(minutes=number),
    )


def populate(
    connection: Connection, organization: Any, users: int, groups: int, members: int
) -> None:
    """``users`` people, and ``groups`` groups of ``members`` each; the last is in the first."""
    people: list[Resource] = []
    for first in range(0, users, BATCH):
        some = [Person(connection, n) for n in range(first, min(first + BATCH, users))]
        people += _add_people(some, organization)
    rows = Resource.objects.bulk_create(group(connection, number) for number in range(groups))
    memberships = [
        Membership(connection=connection, group=row, member=people[(n * members + m) % users])
        for n, row in enumerate(rows)
        for m in range(members)
    ]
    if groups > 1:
        memberships.append(Membership(connection=connection, group=rows[0], member=rows[-1]))
    Membership.objects.bulk_create(memberships, batch_size=BATCH)


def _add_people(people: Sequence[Person], organization: Any) -> list[Resource]:
    model = get_user_model()
    model._default_manager.bulk_create(account(person, organization) for person in people)
    names = [f"{person.connection.pk}-{person.user_name}" for person in people]
    accounts = {a.username: a for a in model._default_manager.filter(username__in=names)}
    rows = Resource.objects.bulk_create(
        user(person, accounts[name]) for person, name in zip(people, names, strict=True)
    )
    AttributeValue.objects.bulk_create(_values(rows), batch_size=BATCH)
    return rows


def _values(rows: Sequence[Resource]) -> Iterator[AttributeValue]:
    for row in rows:
        for path, element, key in index_rows(row.document, SCHEMA):
            yield AttributeValue(
                connection_id=row.connection_id, resource=row, path=path, element=element, key=key
            )


def analyze() -> None:
    """Give the planner the statistics that a database gathers by itself in time."""
    models = (get_user_model(), Resource, AttributeValue, Membership)
    tables = ", ".join(database.ops.quote_name(model._meta.db_table) for model in models)
    statement = {"mysql": f"ANALYZE TABLE {tables}", "postgresql": f"ANALYZE {tables}"}
    with database.cursor() as cursor:
        cursor.execute(statement.get(database.vendor, "ANALYZE"))
        if database.vendor == "mysql":
            cursor.fetchall()


def depopulate(connections: Sequence[Connection]) -> None:
    """Remove everything that :func:`populate` made."""
    accounts = get_user_model()._default_manager.filter(
        organization__in=[connection.owner for connection in connections]
    )
    for model in (Membership, AttributeValue, Resource):
        rows = model._default_manager.filter(connection__in=connections)
        rows._raw_delete(rows.db)
    accounts._raw_delete(accounts.db)
    for connection in connections:
        owner = connection.owner
        connection.delete()
        owner.delete()


@contextmanager
def settled(count: int, users: int, groups: int, members: int) -> Iterator[list[Connection]]:
    """``count`` organizations with the same people and groups, committed, analyzed; removed after.

    Committed, because MariaDB ends a transaction before it gathers statistics.
    """
    owners = [OrganizationFactory(name=f"Large {n}", slug=f"large-{n}") for n in range(count)]
    connections = [ConnectionFactory(owner=owner) for owner in owners]
    try:
        for connection in connections:
            populate(connection, connection.owner, users, groups, members)
        analyze()
        yield connections
    finally:
        depopulate(connections)
