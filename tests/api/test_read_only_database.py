"""Where the database takes no changes for a while, whoever reads is answered all the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError

from example_project.accounts.models import Account
from scim_provider import existing
from scim_provider.models import Connection, ExistingPeople, Resource
from tests.conftest import ScimClient
from tests.factories import AccountFactory
from tests.read_only import read_only

from .fixture_answers import group, user

pytestmark = pytest.mark.django_db(transaction=True)


BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


def names(page: Any) -> list[str]:
    assert page.status_code == 200, page.content
    found = page.json()["Resources"]
    return sorted(each["userName"] for each in found if "userName" in each)


def test_nothing_can_be_changed_here(connection: Connection) -> None:
    with read_only(), pytest.raises(DatabaseError):
        Connection.objects.update(strict=True)
    Connection.objects.update(strict=True)


def test_members_who_came_and_went_meanwhile_hold_up_no_reader(
    scim: ScimClient, connection: Connection
) -> None:
    for name in ("ada", "bea"):
        AccountFactory(organization=connection.owner, username=name)
    existing.choose(connection, ExistingPeople.LIST)
    ids = {each["userName"]: each["id"] for each in scim.get("/Users").json()["Resources"]}
    made = scim.post("/Groups", group("Sales", members=[{"value": i} for i in ids.values()]))
    Account.objects.filter(username="bea").update(organization=None)
    AccountFactory(organization=connection.owner, username="cy")

    with read_only():
        assert names(scim.get("/Users")) == ["ada", "bea"]
        assert names(scim.get("/Users", filter='userName eq "cy"')) == []
        assert names(scim.get("/Users", filter='userName eq "bea"')) == ["bea"]
        assert names(scim.get("/")) == ["ada", "bea"]
        assert scim.get(f"/Users/{ids['bea']}").status_code == 200
        assert len(scim.get(f"/Groups/{made.json()['id']}").json()["members"]) == 2
    assert names(scim.get("/Users")) == ["ada", "cy"]


def test_a_change_is_put_off(scim: ScimClient) -> None:
    creates = [
        {"method": "POST", "path": "/Users", "bulkId": name, "data": user(name)}
        for name in ("ada", "bo")
    ]
    with read_only():
        answer = scim.post("/Users", user())
        bulk = scim.post("/Bulk", {"schemas": [BULK], "Operations": creates})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert bulk.status_code == 503 or {each["status"] for each in bulk.json()["Operations"]} == {
        "503"
    }
    assert answer.json()["status"] == "503"
    assert not Resource.objects.exists()
