"""Several values in a column and in rows of the site, and what the database computes."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from scim_provider.protocol.filter import parse_filter, resolve_filter
from scim_provider.protocol.memory import matches
from scim_provider.resources import resource_types
from tests.mapping.everything import filters
from tests.scim_client import ScimClient
from tests.sites.own_models.teams.models import Handle

from .columns import body

pytestmark = pytest.mark.django_db
Account = get_user_model()
PHONES: list[Any] = [
    [{"value": "+47 1", "type": "mobile"}, {"value": "+47 2", "type": "work", "display": "Desk"}],
    [{"value": "Ärger", "type": "Home"}, {"value": "+47 3"}],
    [{"value": "+47 2", "type": "fax", "primary": True}],
    [],
]
HANDLES: list[Any] = [
    [{"value": "ada", "type": "irc", "primary": True}, {"value": "Ärger", "type": "xmpp"}],
    [{"value": "bob"}],
    [{"value": "ADA", "type": "xmpp"}, {"value": "cy", "type": "irc"}],
    [],
]


def create(scim: ScimClient, turn: int) -> dict[str, Any]:
    more = {"phoneNumbers": PHONES[turn], "ims": HANDLES[turn]}
    answer = scim.post("/Users", body(f"p{turn}@x.test") | more)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


@pytest.fixture
def people(scim: ScimClient) -> list[dict[str, Any]]:
    made = [create(scim, turn) for turn in range(len(PHONES))]
    found: list[dict[str, Any]] = scim.get("/Users").json()["Resources"]
    assert found == made
    return found


def test_each_part_is_filtered_as_in_memory(scim: ScimClient, people: list[Any]) -> None:
    schema = resource_types()[0].resource_schema
    differences = []
    for text in filters(schema, people):
        if not any(name in text for name in ("phoneNumbers", "ims", "displayName ")):
            continue
        tree = resolve_filter(parse_filter(text), schema)
        expected = {one["userName"] for one in people if matches(tree, one)}
        answer = scim.get("/Users", filter=text, attributes="userName").json()
        found = {one["userName"] for one in answer.get("Resources", [])}
        if found != expected:
            differences.append((text, found, expected, answer.get("detail", "")))
    assert differences == []


def test_the_column_holds_one_element_and_the_others_are_kept(
    scim: ScimClient, people: list[Any]
) -> None:
    columns = list(Account.objects.order_by("email").values_list("mobile", flat=True))
    assert columns == ["+47 1", "+47 3", "", ""]
    first, second, third, last = people
    assert first["phoneNumbers"] == [
        {"value": "+47 1", "type": "mobile", "primary": True},
        {"value": "+47 2", "type": "work", "display": "Desk"},
    ]
    assert second["phoneNumbers"][0] == {"value": "+47 3", "type": "mobile", "primary": True}
    assert third["phoneNumbers"] == PHONES[2]
    assert "phoneNumbers" not in last


def test_patch_reaches_the_column_by_value_path(scim: ScimClient, people: list[Any]) -> None:
    path = f"/Users/{people[0]['id']}"
    said = {"op": "replace", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+47 9"}
    answer = scim.patch(path, said)
    assert [one["value"] for one in answer.json()["phoneNumbers"]] == ["+47 9", "+47 2"]
    assert Account.objects.get(email="p0@x.test").mobile == "+47 9"
    assert scim.patch(path, said).json()["meta"] == answer.json()["meta"]
    gone = scim.patch(path, {"op": "remove", "path": 'phoneNumbers[type eq "mobile"]'})
    assert [one["type"] for one in gone.json()["phoneNumbers"]] == ["work"]
    assert Account.objects.get(email="p0@x.test").mobile == ""


def test_a_value_too_long_for_the_column_changes_nothing(
    scim: ScimClient, people: list[Any]
) -> None:
    said = {"op": "add", "path": "phoneNumbers", "value": [{"type": "mobile", "value": "1" * 21}]}
    answer = scim.patch(f"/Users/{people[3]['id']}", said)
    assert (answer.status_code, "at most 20 fit" in answer.json()["detail"]) == (400, True)
    said = {"op": "add", "path": "ims", "value": [{"value": "x" * 31}]}
    answer = scim.patch(f"/Users/{people[3]['id']}", said)
    assert (answer.status_code, "at most 30 fit" in answer.json()["detail"]) == (400, True)
    assert Handle.objects.filter(owner__email="p3@x.test").count() == 0


def test_what_the_site_writes_is_answered_at_once(scim: ScimClient, people: list[Any]) -> None:
    account = Account.objects.get(email="p3@x.test")
    account.mobile = "+47 7"
    account.save()
    Handle.objects.create(owner=account, name="dee", service="irc")
    (found,) = scim.get("/Users", filter='phoneNumbers.value eq "+47 7"').json()["Resources"]
    assert found["ims"] == [{"value": "dee", "type": "irc", "primary": False}]
    (same,) = scim.get("/Users", filter='ims[value eq "dee" and type eq "irc"]').json()["Resources"]
    assert same == found
    assert found["displayName"] == "P3 / p3@x.test"


def test_rows_that_stay_keep_what_else_is_in_them(scim: ScimClient, people: list[Any]) -> None:
    kept = Handle.objects.get(owner__email="p0@x.test", service="irc")
    path = f"/Users/{people[0]['id']}"
    wanted = [{"value": "ada", "type": "irc"}, {"value": "new", "primary": True}]
    answer = scim.patch(path, {"op": "replace", "path": "ims", "value": wanted})
    assert [(one["value"], one["primary"]) for one in answer.json()["ims"]] == [
        ("ada", False),
        ("new", True),
    ]
    assert Handle.objects.get(pk=kept.pk).since == kept.since
    assert not Handle.objects.filter(owner=kept.owner, name="Ärger").exists()
    same = scim.patch(path, {"op": "replace", "path": "ims", "value": wanted})
    assert same.json()["meta"] == answer.json()["meta"]
    whole = scim.put(path, body("p0@x.test"))
    assert (whole.status_code, "ims" in whole.json()) == (200, False)
    assert not Handle.objects.filter(owner=kept.owner).exists()


def test_a_page_costs_the_same_however_long_it_is(scim: ScimClient, people: list[Any]) -> None:
    counts = []
    for count in (1, 4):
        scim.get("/Users", count=count)
        with CaptureQueriesContext(
            database,
        ) as captured:
            page = scim.get("/Users", count=count).json()
        assert len(page["Resources"]) == count
        counts.append(len(captured))
    assert counts[1] <= counts[0]


def test_bulk_writes_rows_too(scim: ScimClient) -> None:
    operations = [
        {
            "method": "POST",
            "path": "/Users",
            "bulkId": str(turn),
            "data": body(f"p{turn}@x.test") | {"phoneNumbers": PHONES[turn], "ims": HANDLES[turn]},
        }
        for turn in range(4)
    ]
    request = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    }
    answered = scim.post("/Bulk", request).json()["Operations"]
    assert [one["status"] for one in answered] == ["201"] * 4
    assert Handle.objects.count() == sum(map(len, HANDLES))
