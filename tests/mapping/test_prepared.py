"""What is compiled once serves every connection, and no site's own code is passed over."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import F, Q, SmallAutoField

from scim_provider import prepared
from scim_provider.mapping import login_names
from scim_provider.mapping.context import Context
from scim_provider.models import AccessKey, Connection, Resource
from scim_provider.prepared import (
    Identity,
    NotPreparable,
    Number,
    Prepared,
    Text,
    by_primary_key,
)
from scim_provider.protocol.messages import ListQuery
from scim_provider.protocol.projection import Projection
from scim_provider.resources import Column, UserResource
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db
USER = "urn:ietf:params:scim:schemas:core:2.0:User"


def person(user_name: str, **more: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": user_name, **more}


def names(resource_type: UserResource, connection: Connection, text: str = "") -> list[str]:
    query = ListQuery(filter=text or None)
    page = resource_type.query(Context(connection, "https://example.com"), query)
    return [document["userName"] for document in page.documents]


class Prefixed(Column):
    """A site's home that asks whose attribute it is."""

    def compare(self, target: Any, operator: Any, key: str, context: Context) -> Q:
        return super().compare(target, operator, f"{context.connection.pk}:{key}", context)


def test_a_home_of_the_site_is_asked_for_each_connection(
    scim: ScimClient, connection: Connection
) -> None:
    class Users(UserResource):
        homes = UserResource.homes | {"name.givenName": Prefixed("account__first_name")}

    scim.post("/Users", person("ada", name={"givenName": f"{connection.pk}:x"}))
    assert names(Users(), connection, 'name.givenName eq "x"') == ["ada"]


def test_a_condition_of_the_site_holds(scim: ScimClient, connection: Connection) -> None:
    class Users(UserResource):
        def condition(self, query: Any, context: Any, *, lenient: bool = False) -> Q:
            return super().condition(query, context, lenient=lenient) & ~Q(name="ada")

    for name in ("ada", "bo"):
        scim.post("/Users", person(name))
    assert names(Users(), connection) == ["bo"]
    assert names(UserResource(), connection) == ["ada", "bo"]


def test_what_was_stored_before_it_had_a_column_is_not_answered(
    scim: ScimClient, connection: Connection
) -> None:
    class Users(UserResource):
        homes = UserResource.homes | {"title": Column("account__first_name")}

    made = scim.post("/Users", person("ada", title="Old")).json()
    users, context = Users(), Context(connection, "https://example.com")
    assert users.reads_values
    everything = Projection(users.resource_schema)
    assert "title" not in (users.retrieve(context, made["id"], everything).document or {})


def test_texts_that_are_looked_up_share_a_statement_and_no_answer(
    scim: ScimClient, other_scim: ScimClient
) -> None:
    for client, name in ((scim, "ada"), (other_scim, "bo")):
        client.post("/Users", person(name, title="Clerk"))
    for client, name in ((scim, "ada"), (other_scim, "bo"), (scim, "ada")):
        found = client.get("/Users", filter='title eq "clerk" and not (userName eq "x")').json()
        assert [one["userName"] for one in found["Resources"]] == [name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('meta.resourceType eq "User"', 1),
        ('meta.resourceType eq "Group"', 0),
        ('schemas eq "nothing"', 0),
        (f'schemas eq "{USER}"', 1),
        ('userName eq "é"', 0),
        ('userName eq ""', 0),
        ('groups.type eq "direct"', 0),
    ],
)
def test_a_literal_that_no_statement_holds_is_judged_each_time(
    text: str, expected: int, scim: ScimClient
) -> None:
    scim.post("/Users", person("ada"))
    for other in ('meta.resourceType eq "x"', text, 'schemas eq "y"', text):
        found = scim.get("/Users", filter=other).json()["totalResults"]
        assert found == (expected if other == text else 0)


def test_a_look_up_that_finds_many_completes_them_together(
    scim: ScimClient, django_assert_max_num_queries: Any
) -> None:
    ids = [scim.post("/Users", person(f"p{n}", userType="Employee")).json()["id"] for n in range(8)]
    members = [{"value": value} for value in ids]
    inner = scim.post("/Groups", {"displayName": "Inner", "members": members}).json()
    scim.post("/Groups", {"displayName": "Outer", "members": [{"value": inner["id"]}]})
    with django_assert_max_num_queries(7):
        found = scim.get("/Users", filter='userType eq "Employee"').json()["Resources"]
    assert [[group["display"] for group in one["groups"]] for one in found] == [
        ["Inner", "Outer"]
    ] * 8


def test_a_placeholder_that_does_not_arrive_is_an_error() -> None:
    text = Text("lost")
    statement = Prepared(lambda: AccessKey.objects.annotate(x=F("pk")).values_list("pk"), text)
    with pytest.raises(NotPreparable):
        statement.rows("x")


def test_a_key_of_another_kind_is_looked_up_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    account = get_user_model().objects.create(username="ada")
    assert by_primary_key(type(account), str(account.pk)) == account
    assert SmallAutoField not in prepared._INTEGERS  # its range is too small for a Number
    monkeypatch.setattr(prepared, "_INTEGERS", ())
    assert by_primary_key(type(account), str(account.pk)) == account
    assert by_primary_key(type(account), "0") is None


def test_a_uuid_is_given_as_each_database_wants_it(connection: Connection) -> None:
    public_id = Identity()
    statement = Prepared(
        lambda: Connection.objects.filter(public_id=public_id).values_list("pk"), public_id
    )
    assert [tuple(row) for row in statement.rows(connection.public_id)] == [(connection.pk,)]
    assert not statement.rows(uuid4())


def test_a_login_name_of_the_sites_own_kind_is_looked_up_as_it_is(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_user_model().objects.create(username="Ada")
    for fields in (login_names._PLAIN_FIELDS, ()):
        monkeypatch.setattr(login_names, "_PLAIN_FIELDS", fields)
        assert scim.post("/Users", person("ada")).status_code == 409
    assert scim.post("/Users", person("bo")).status_code == 201


def test_threads_that_compile_at_once_get_the_whole_statement() -> None:
    # Django joins what is related while it compiles.
    rows = Resource.objects.select_related("account")
    statements = [Prepared(rows.all) for _ in range(20)]
    found: list[str] = []

    def compile_all() -> None:
        for statement in statements:
            _, compiled = statement.compile("default")
            assert compiled is not None
            found.append(compiled.sql)
        connections.close_all()

    threads = [threading.Thread(target=compile_all) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 120
    assert len(set(found)) == 1


def test_numbers_are_never_the_same() -> None:
    assert len({int(Number()) for _ in range(100)}) == 100
