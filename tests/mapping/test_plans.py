"""No look-up that an identity provider makes reads a table whole, on any engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from scim_provider.mapping.context import Context
from scim_provider.models import Connection
from scim_provider.protocol.core import ENTERPRISE_USER_URN
from scim_provider.protocol.messages import ListQuery
from scim_provider.protocol.projection import Projection
from scim_provider.resources import GroupResource, ResourceType, UserResource

from .people import START, Person, group, settled
from .plan import Plan, large_tables, plan_of

USERS, GROUPS, MEMBERS = 4000, 200, 20
#: A twentieth of the people. A look-up of ours looks at a few dozen rows, a table at thousands.
FEW = 200

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def connections(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Connection]]:
    with django_db_blocker.unblock(), settled(2, USERS, GROUPS, MEMBERS) as made:
        yield made


@pytest.fixture
def acme(connections: list[Connection]) -> Context:
    return Context(connections[0], "https://example.com/scim/v2")


def users_lookups(connection: Connection) -> dict[str, str]:
    one, other = Person(connection, 1234), Person(connection, 2345)
    absent, work = Person(connection, USERS + 1), one.email("work")
    a_group = group(connection, 7).scim_id
    mailed, imported = f'emails.value eq "{work}"', f'externalId eq "{other.external_id}"'
    enterprise = ENTERPRISE_USER_URN
    return {
        "userName": f'userName eq "{one.user_name}"',
        "no such userName": f'userName eq "{absent.user_name}"',
        "externalId": f'externalId eq "{one.external_id}"',
        "id": f'id eq "{one.scim_id}"',
        "e-mail": f'emails.value eq "{work}"',
        "e-mail by its attribute": f'emails eq "{work}"',
        "e-mail of a type": f'emails[type eq "work"].value eq "{work}"',
        "e-mail in a value path": f'emails[type eq "work" and value eq "{work}"]',
        "no such e-mail": f'emails[type eq "work"].value eq "{absent.email("work")}"',
        "displayName": 'displayName eq "Person 0001234"',
        "start of a userName": 'userName sw "person000123"',
        "start of a displayName": 'displayName sw "Person 000123"',
        "changed since": f'meta.lastModified gt "{moment(USERS - 20)}"',
        "department": f'{enterprise}:department eq "Department 12"',
        "employeeNumber": f'{enterprise}:employeeNumber eq "E0001234"',
        "manager": f'{enterprise}:manager.value eq "{Person(connection, 12).scim_id}"',
        "manager by its attribute": f'{enterprise}:manager eq "{Person(connection, 12).scim_id}"',
        "groups": f'groups.value eq "{a_group}"',
        "groups in a value path": f'groups[value eq "{a_group}"]',
        "name and active": f'userName eq "{one.user_name}" and active eq true',
        "active and name": f'active eq true and userName eq "{one.user_name}"',
        "e-mail and family name": f'{mailed} and name.familyName eq "Lovelace0001234"',
        "e-mail and title": f'title eq "analyst" and emails.value eq "{work}"',
        "name and not a title": f'userName eq "{one.user_name}" and title ne "Engineer"',
        "name and no e-mail": f'userName eq "{one.user_name}" and not (emails pr)',
        "either userName": f'userName eq "{one.user_name}" or userName eq "{other.user_name}"',
        "either externalId": f'externalId eq "{one.external_id}" or {imported}',
        "userName or externalId": f'userName eq "{one.user_name}" or {imported}',
        "userName or e-mail": f'userName eq "{one.user_name}" or emails.value eq "{work}"',
        "either e-mail": f'emails.value eq "{work}" or emails.value eq "{other.email("work")}"',
    }


def groups_lookups(connection: Connection) -> dict[str, str]:
    a_group, member = group(connection, 7), Person(connection, 7 * MEMBERS + 3).scim_id
    return {
        "displayName": 'displayName eq "Group 00007"',
        "externalId": f'externalId eq "{a_group.external_id}"',
        "id": f'id eq "{a_group.scim_id}"',
        "member": f'members.value eq "{member}"',
        "member by its attribute": f'members eq "{member}"',
        "member in a value path": f'members[value eq "{member}"]',
        "member of a group": f'id eq "{a_group.scim_id}" and members eq "{member}"',
        "member of a group, value": f'id eq "{a_group.scim_id}" and members[value eq "{member}"]',
        "not a member of a group": f'id eq "{a_group.scim_id}" and not (members eq "{member}")',
        "name or member": f'displayName eq "Group 00007" or members eq "{member}"',
        "changed since": f'meta.lastModified gt "{moment(GROUPS - 20)}"',
    }


def moment(minutes: int) -> str:
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def plans(resource_type: ResourceType, context: Context, query: ListQuery) -> list[Plan]:
    """The plans of every statement that a query really sends."""
    with CaptureQueriesContext(database) as sent:
        resource_type.query(context, query)
    return [plan_of(statement["sql"]) for statement in sent.captured_queries]


def complaints(found: list[Plan], few: int = FEW) -> list[str]:
    return [
        f"{sorted(plan.scanned)} {plan.rows} rows\n{plan.text}"
        for plan in found
        if plan.scanned & large_tables() or plan.rows > few
    ]


@pytest.mark.parametrize("name", users_lookups(Connection(pk=1)))
def test_a_user_is_looked_up_by_an_index(name: str, acme: Context) -> None:
    query = ListQuery(filter=users_lookups(acme.connection)[name], count=100)
    assert complaints(plans(UserResource(), acme, query)) == []


@pytest.mark.parametrize("name", groups_lookups(Connection(pk=1)))
def test_a_group_is_looked_up_by_an_index(name: str, acme: Context) -> None:
    query = ListQuery(
        filter=groups_lookups(acme.connection)[name],
        excluded_attributes=("members",),
        count=100,
    )
    assert complaints(plans(GroupResource(), acme, query)) == []


@pytest.mark.parametrize("resource_type", [UserResource, GroupResource])
def test_a_resource_is_read_by_an_index(resource_type: type[ResourceType], acme: Context) -> None:
    served = resource_type()
    one = Person(acme.connection, 99) if served.name == "User" else group(acme.connection, 99)
    everything = Projection.parse((), (), served.resource_schema)
    with CaptureQueriesContext(database) as sent:
        served.retrieve(acme, one.scim_id, everything)
    assert complaints([plan_of(s["sql"]) for s in sent.captured_queries]) == []
