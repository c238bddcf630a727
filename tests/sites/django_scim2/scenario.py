"""The switch from django-scim2 as its identity provider sees it; run by test_django_scim2.py."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django_scim.models import AbstractSCIMUserMixin

from scim_provider import keys
from scim_provider.connections import connection_for, enable
from scim_provider.models import Membership, Resource
from tests.sites.django_scim2.people.models import Group, User

pytestmark = pytest.mark.django_db

AFTER = override_settings(ROOT_URLCONF="tests.sites.django_scim2.urls_after")
PEOPLE = 6


class Provider:
    """What an identity provider does; it holds ids and knows no difference."""

    def __init__(self, client: Client, **headers: str) -> None:
        self.client, self.headers = client, headers

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        return self.client.generic(
            method,
            f"/scim/v2{path}",
            data=json.dumps(body) if body else "",
            content_type="application/scim+json",
            headers=self.headers,
            query_params=query or None,
        )

    def get(self, path: str, **query: str) -> Any:
        answer = self.send("GET", path, **query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def ids(self, path: str, filter: str) -> list[str]:
        return [found["id"] for found in self.get(path, filter=filter)["Resources"]]


def operations(*operations: dict[str, Any]) -> dict[str, Any]:
    schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
    return {"schemas": schemas, "Operations": list(operations)}


def person(number: int) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": f"Person{number}@example.com",
        "externalId": f"00u{number}",
        "name": {"givenName": "Ada", "familyName": f"Number {number}"},
        "emails": [{"value": f"person{number}@example.com", "primary": True}],
        "active": number != 2,
    }


@pytest.fixture
def before() -> dict[str, Any]:
    """People and groups that came through the real package, and what it answers of them."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="root"))
    provider = Provider(client)
    for number in range(1, PEOPLE + 1):
        assert provider.send("POST", "/Users", person(number)).status_code == 201
    every = {each["userName"]: each["id"] for each in provider.get("/Users")["Resources"]}
    del every["root"]  # whom it serves too
    people = sorted(every.values(), key=int)
    schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"]
    body = {"schemas": schemas, "displayName": "Sales", "externalId": "00g-Sales"}
    made = provider.send("POST", "/Groups", body)
    assert made.status_code == 201
    # It numbers people and groups each by themselves, from 1 on: the ids are the same ones.
    Group(pk=people[1], name="Support", scim_id=people[1], scim_external_id="00g-Support").save()
    groups = [made.json()["id"], people[1]]
    add = {"op": "add", "path": "members", "value": [{"value": each} for each in people[:4]]}
    assert provider.send("PATCH", f"/Groups/{groups[0]}", operations(add)).status_code == 200
    add["value"] = [{"value": people[0]}]
    assert provider.send("PATCH", f"/Groups/{groups[1]}", operations(add)).status_code == 200
    return {
        "users": {each: provider.get(f"/Users/{each}") for each in people},
        "groups": {each: provider.get(f"/Groups/{each}") for each in groups},
    }


def carry_over(*arguments: str) -> dict[str, Any]:
    printed = StringIO()
    with pytest.raises(SystemExit) as ended:  # root is left out, and that is said
        call_command("scim_import_django_scim2", "--json", *arguments, stdout=printed)
    assert ended.value.code == 1
    told: dict[str, Any] = json.loads(printed.getvalue())
    return told


def after() -> Provider:
    """The same identity provider with an access key in place of what it had."""
    new = enable(connection_for(None))
    assert new is not None
    return Provider(Client(), Authorization=f"Bearer {new.secret}")


def same(old: dict[str, Any], new: dict[str, Any]) -> None:
    """What the identity provider compares is as it was."""
    for name in ("id", "externalId", "userName", "displayName", "active"):
        if name in new or name != "displayName":
            assert new.get(name) == old.get(name), name
    if "name" in old:
        for part in ("givenName", "familyName"):
            assert new["name"][part] == old["name"][part]
        assert new["emails"][0]["value"] == old["emails"][0]["value"]
    for name in ("members", "groups"):
        values = [sorted(each["value"] for each in some.get(name, [])) for some in (old, new)]
        assert values[0] == values[1], name
    assert (
        new["meta"]["location"].partition("/scim/")[2]
        == (old["meta"]["location"].partition("/scim/")[2])
    )


def test_a_rehearsal_tells_all_and_does_nothing(before: dict[str, Any]) -> None:
    counts = {model: model.objects.count() for model in apps.get_models() if model.objects}
    told = carry_over("--dry-run")
    assert (told["users"], told["groups"], told["members"]) == (PEOPLE, 2, 5)
    (left_out,) = told["conflicts_told"]
    assert (left_out["type"], left_out["name"]) == ("User", "root")
    assert "administrator of the site" in left_out["reason"]
    now = {model: model.objects.count() for model in counts}
    assert {model.__name__ for model, count in counts.items() if now[model] != count} == set()


@AFTER
def test_everything_reads_as_before(before: dict[str, Any]) -> None:
    carry_over()
    provider = after()
    for scim_id, user in before["users"].items():
        same(user, provider.get(f"/Users/{scim_id}"))
        assert provider.ids("/Users", f'userName eq "{user["userName"]}"') == [scim_id]
        assert provider.ids("/Users", f'externalId eq "{user["externalId"]}"') == [scim_id]
        assert provider.ids("/Users", f'id eq "{scim_id}"') == [scim_id]
    for scim_id, group in before["groups"].items():
        same(group, provider.get(f"/Groups/{scim_id}"))
        assert provider.ids("/Groups", f'displayName eq "{group["displayName"]}"') == [scim_id]
    assert provider.get("/Users")["totalResults"] == PEOPLE
    assert provider.get("/Groups")["totalResults"] == 2


@AFTER
def test_everything_is_written_as_before(before: dict[str, Any]) -> None:
    carry_over()
    provider = after()
    first, second, *rest = before["users"]
    support = f"/Groups/{second}"
    change = operations({"op": "replace", "value": {"active": False}})
    assert provider.send("PATCH", f"/Users/{first}", change).json()["active"] is False
    assert not User.objects.get(pk=first).is_active
    body = before["users"][second] | {"name": {"givenName": "Bea", "familyName": "B"}}
    assert provider.send("PUT", f"/Users/{second}", body).status_code == 200
    assert User.objects.get(pk=second).first_name == "Bea"
    again = provider.send("POST", "/Users", person(3))
    assert again.status_code == 409
    new = provider.send("POST", "/Users", person(77)).json()["id"]
    values = [{"value": each} for each in (rest[-1], new)]
    add = operations({"op": "add", "path": "members", "value": values})
    assert provider.send("PATCH", support, add).status_code in (200, 204)
    gone = operations({"op": "remove", "path": f'members[value eq "{first}"]'})
    assert provider.send("PATCH", support, gone).status_code in (200, 204)
    found = provider.get(support)["members"]
    assert [(each["value"], each["type"]) for each in found] == [
        (rest[-1], "User"),
        (new, "User"),
    ]
    assert provider.send("DELETE", f"/Users/{rest[0]}").status_code == 204
    assert provider.send("GET", f"/Users/{rest[0]}").status_code == 404


def test_a_run_that_was_stopped_goes_on(before: dict[str, Any]) -> None:
    carry_over()
    connection = connection_for(None)
    people = Resource.objects.filter(connection=connection, resource_type="User")
    late = people.order_by("-pk")[3]
    left = Membership.objects.filter(member=late).count()
    Membership.objects.filter(group__name="Support").delete()  # as an identity provider does
    late.delete()
    told = carry_over()
    assert (told["users"], told["users_there_already"]) == (1, PEOPLE - 1)
    assert (told["groups_there_already"], told["members"]) == (2, left)
    assert not Membership.objects.filter(group__name="Support").exists()


def test_many_cost_what_few_do(before: dict[str, Any]) -> None:
    made = [User(username=f"u{n}", scim_id=str(1000 + n)) for n in range(400)]
    User.objects.bulk_create(made)
    for group in Group.objects.all():
        group.user_set.add(*User.objects.filter(username__startswith="u"))
    with CaptureQueriesContext(connections["default"]) as counted:
        assert carry_over()["members"] == 805
    assert len(counted) < 80


def test_the_columns_are_those_of_the_package() -> None:
    assert issubclass(User, AbstractSCIMUserMixin)
    assert keys.live_keys(connection_for(None)).count() == 0
