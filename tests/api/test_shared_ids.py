"""Ids that a User and a Group share: service providers that number each type brought them."""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.models import Connection, Resource
from tests.conftest import ScimClient

from .test_groups import group, people

pytestmark = pytest.mark.django_db


@pytest.fixture
def numbered(scim: ScimClient, connection: Connection) -> list[str]:
    """Users 1, 2, 3 and the Groups 1 and 2, as an import leaves them."""
    users = people(scim, 3)
    groups = [scim.post("/Groups", group(name)).json()["id"] for name in ("Sales", "Support")]
    for ids in (users, groups):
        for number, scim_id in enumerate(ids, 1):
            rows = Resource.objects.filter(connection=connection, scim_id=scim_id)
            rows.update(scim_id=str(number))
    return ["1", "2", "3"]


def members(scim: ScimClient, scim_id: str) -> list[tuple[str, str]]:
    found = scim.get(f"/Groups/{scim_id}").json().get("members", [])
    return [(element["value"], element["type"]) for element in found]


def change(op: str, *ids: str, **more: str) -> dict[str, Any]:
    return {"op": op, "path": "members", "value": [{"value": each, **more} for each in ids]}


@pytest.mark.usefixtures("numbered")
def test_each_endpoint_finds_its_own(scim: ScimClient) -> None:
    assert scim.get("/Groups/1").json()["displayName"] == "Sales"
    assert scim.get("/Users/1").json()["userName"] != "Sales"
    found = scim.get("/Users", filter='id eq "2"').json()
    assert [user["meta"]["resourceType"] for user in found["Resources"]] == ["User"]


def test_a_member_is_the_user_of_that_id(scim: ScimClient, numbered: list[str]) -> None:
    assert scim.patch("/Groups/1", change("add", *numbered)).status_code == 204
    assert members(scim, "1") == [(each, "User") for each in numbered]
    assert scim.patch("/Groups/1", change("remove", "1", "2")).status_code == 204
    assert members(scim, "1") == [("3", "User")]
    assert scim.put("/Groups/1", group("Sales", "1", "3")).status_code == 200
    assert {value for value, _ in members(scim, "1")} == {"1", "3"}
    made = scim.post("/Groups", group("New", "1", "2")).json()
    assert [(e["value"], e["type"]) for e in made["members"]] == [("1", "User"), ("2", "User")]
    direct = [each["value"] for each in scim.get("/Users/1").json()["groups"]]
    assert sorted(direct) == sorted(["1", made["id"]])


@pytest.mark.usefixtures("numbered")
def test_a_group_of_a_shared_id_is_nobodys_member_by_mistake(scim: ScimClient) -> None:
    for element in ({"type": "Group"}, {"$ref": "https://example.com/scim/v2/Groups/2"}):
        refused = scim.patch("/Groups/1", change("add", "2", **element))
        assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")
        assert "is the id of a User and of a Group" in refused.json()["detail"]
    assert members(scim, "1") == []


@pytest.mark.usefixtures("numbered")
def test_bulk_and_deletes_reach_the_right_one(scim: ScimClient) -> None:
    scim.patch("/Groups/2", change("add", "1"))
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Groups", "bulkId": n, "data": group(n, "1")} for n in "ab"
        ],
    }
    answers = scim.post("/Bulk", body).json()["Operations"]
    assert [answer["status"] for answer in answers] == ["201", "201"]
    assert scim.delete("/Groups/1").status_code == 204
    assert scim.get("/Users/1").status_code == 200
    assert len(scim.get("/Users/1").json()["groups"]) == 3
    assert scim.delete("/Users/1").status_code == 204
    assert members(scim, "2") == []
