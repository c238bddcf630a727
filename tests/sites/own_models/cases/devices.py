"""A resource type of the site's own, beside a model of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scim_provider.protocol.filter import parse_filter, resolve_filter
from scim_provider.protocol.memory import matches
from scim_provider.resources import resource_types
from tests.mapping.everything import filters
from tests.read_only import read_only
from tests.scim_client import ScimClient
from tests.sites.own_models.people.scim import DEVICE
from tests.sites.own_models.teams.models import Device

pytestmark = pytest.mark.django_db


def device(number: int, **more: Any) -> dict[str, Any]:
    return {
        "schemas": [DEVICE.id],
        "displayName": f"Lock {number}",
        "serialNumber": f"SN-{number}",
        "floor": number - 1,
    } | more


@pytest.fixture
def devices(scim: ScimClient) -> list[dict[str, Any]]:
    tags: list[list[str]] = [["Ärger", "door"], [], ["door"]]
    for number in range(3):
        answer = scim.post("/Devices", device(number, tags=tags[number], externalId=f"x{number}"))
        assert answer.status_code == 201, answer.content
    found: list[dict[str, Any]] = scim.get("/Devices").json()["Resources"]
    return found


def test_discovery_tells_of_it(scim: ScimClient) -> None:
    types = {one["name"]: one for one in scim.get("/ResourceTypes").json()["Resources"]}
    assert (types["Device"]["endpoint"], types["Device"]["schema"]) == ("/Devices", DEVICE.id)
    schema = scim.get(f"/Schemas/{DEVICE.id}").json()
    assert [one["name"] for one in schema["attributes"]][:2] == ["displayName", "serialNumber"]


def test_it_is_created_changed_and_deleted(scim: ScimClient, devices: list[Any]) -> None:
    first, *_ = devices
    path = f"/Devices/{first['id']}"
    row = Device.objects.get(serial="SN-0")
    assert (row.label, row.floor, row.is_on) == ("Lock 0", -1, True)
    change = {"op": "replace", "value": {"displayName": "Gate", "active": False}}
    changed = scim.patch(path, change).json()
    assert (changed["displayName"], changed["active"], changed["tags"]) == (
        "Gate",
        False,
        first["tags"],
    )
    assert scim.patch(path, change).json()["meta"] == changed["meta"]
    row.refresh_from_db()
    assert (row.label, row.is_on) == ("Gate", False)
    replaced = scim.put(path, device(7), headers={"If-Match": changed["meta"]["version"]})
    assert (replaced.status_code, replaced.json()["floor"]) == (200, 6), replaced.content
    stale = scim.put(path, device(8), headers={"If-Match": changed["meta"]["version"]})
    assert stale.status_code == 412
    assert scim.delete(path).status_code == 204
    assert scim.get(path).status_code == 404
    assert not Device.objects.filter(pk=row.pk).exists()


def test_it_is_filtered_as_in_memory(scim: ScimClient, devices: list[Any]) -> None:
    schema = next(one for one in resource_types() if one.name == "Device").resource_schema
    differences = []
    for text in filters(schema, devices):
        expected = {
            one["id"] for one in devices if matches(resolve_filter(parse_filter(text), schema), one)
        }
        answer = scim.get("/Devices", filter=text, attributes="id").json()
        if {one["id"] for one in answer.get("Resources", [])} != expected:
            differences.append((text, answer))
    assert differences == []


def test_it_sorts_pages_and_is_searched_from_the_root(scim: ScimClient, devices: list[Any]) -> None:
    pages, cursor = [], ""
    while cursor is not None:
        page = scim.get(
            "/Devices", sortBy="floor", sortOrder="descending", cursor=cursor, count=2
        ).json()
        pages += [one["floor"] for one in page["Resources"]]
        cursor = page.get("nextCursor")
    assert pages == [1, 0, -1]
    found = scim.get("/", filter='serialNumber eq "SN-1"').json()["Resources"]
    assert [one["displayName"] for one in found] == ["Lock 1"]


def test_a_taken_or_unfit_value_is_refused(scim: ScimClient, devices: list[Any]) -> None:
    taken = scim.post("/Devices", device(1))
    assert (taken.status_code, "same serialNumber" in taken.json()["detail"]) == (409, True)
    unfit = scim.post("/Devices", device(9, floor=2**64))
    assert (unfit.status_code, "takes numbers from" in unfit.json()["detail"]) == (400, True)
    assert Device.objects.count() == 3


def test_devices_of_the_site_are_listed(scim: ScimClient, devices: list[Any]) -> None:
    Device.objects.create(label="Coffee", serial="C-1", floor=4)
    (found,) = scim.get("/Devices", filter='displayName eq "coffee"').json()["Resources"]
    assert found["serialNumber"] == "C-1"
    assert scim.get(f"/Devices/{found['id']}").json() == found
    Device.objects.filter(serial="C-1").delete()
    assert scim.get("/Devices").json()["totalResults"] == 3


def test_bulk_takes_it(scim: ScimClient) -> None:
    operations = [
        {"method": "POST", "path": "/Devices", "bulkId": str(n), "data": device(n % 2)}
        for n in range(3)
    ]
    request = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    }
    answered = scim.post("/Bulk", json.dumps(request)).json()["Operations"]
    assert [one["status"] for one in answered] == ["201", "201", "409"]
    assert Device.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_new_ones_hold_up_no_reader_where_nothing_can_be_written(scim: ScimClient) -> None:
    listed = scim.post("/Devices", device(1)).json()
    Device.objects.create(label="Gate", serial="SN-2")
    with read_only():
        for path in ("/Devices", "/"):
            found = scim.get(path)
            assert found.status_code == 200, found.content
            assert [each["id"] for each in found.json()["Resources"]] == [listed["id"]]
        assert scim.get(f"/Devices/{listed['id']}").status_code == 200
    assert scim.get("/Devices").json()["totalResults"] == 2
