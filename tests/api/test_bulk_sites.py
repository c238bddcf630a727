"""Bulk with a site's own resource types: what it overrides is called as for single requests."""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.models import new_scim_id
from scim_provider.protocol import core
from scim_provider.protocol.errors import Forbidden
from scim_provider.resources import (
    Context,
    GroupResource,
    Projection,
    Representation,
    ResourceType,
    Schema,
    UserResource,
    common_homes,
)
from tests.api.bulk_requests import id_of, patch, post_group, post_user, results, statuses
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
welcomed: list[str] = []
devices: dict[str, dict[str, Any]] = {}


class WelcomingUserResource(UserResource):
    """Does something more with every create."""

    def create(self, context: Context, body: Any, projection: Projection) -> Representation:
        if body["userName"].startswith("mallory"):
            raise Forbidden("Not her.")
        if body["userName"].startswith("bug"):
            raise ZeroDivisionError
        welcomed.append(body["userName"])
        return super().create(context, body, projection)


class DeviceResource(ResourceType):
    """Kept somewhere else; can be made and nothing more."""

    name = "Device"
    endpoint = "/Devices"
    schema = Schema("urn:example:Device", "Device", core.ROLE.attributes)
    homes = common_homes("Device", "/Devices")
    methods = frozenset({"create"})

    def create(self, context: Context, body: Any, projection: Projection) -> Representation:
        scim_id = new_scim_id()
        devices[scim_id] = body
        return Representation(body, context.location(self.endpoint, scim_id), 'W/"1"')


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {
        "RESOURCE_TYPES": [WelcomingUserResource, GroupResource, DeviceResource]
    }
    welcomed.clear()
    devices.clear()


def device(bulk_id: str, **data: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/Devices", "bulkId": bulk_id, "data": data}


def test_every_create_is_the_sites(scim: ScimClient) -> None:
    found = results(scim, post_user("a"), post_user("mallory"), post_user("b"))
    assert statuses(found) == ["201", "403", "201"]
    assert welcomed == ["a@example.com", "b@example.com"]


def test_a_bug_in_the_sites_create_leaves_the_others_created_once(scim: ScimClient) -> None:
    scim.client.raise_request_exception = False
    found = results(scim, post_user("a"), post_user("bug"), post_user("b"))
    assert statuses(found) == ["201", "500", "201"]
    assert scim.get("/Users").json()["totalResults"] == 2


def test_references_hold_the_ids_that_the_site_chooses(scim: ScimClient) -> None:
    manager = {ENTERPRISE: {"manager": {"value": "bulkId:a"}}}
    a, b, t = results(scim, post_user("a"), post_user("b", **manager), post_group("t", "bulkId:b"))
    stored = scim.get(f"/Users/{id_of(b)}").json()
    assert stored[ENTERPRISE]["manager"]["value"] == id_of(a)
    assert stored["groups"][0]["value"] == id_of(t)


def test_a_type_that_is_kept_elsewhere_takes_what_it_can(scim: ScimClient) -> None:
    found = results(
        scim,
        device("a"),
        device("b", peer="bulkId:a"),
        patch("/Devices/bulkId:a", {"op": "remove", "path": "value"}),
        device("c", peer="bulkId:d"),
        device("d", peer="bulkId:c"),
    )
    assert statuses(found)[:3] == ["201", "201", "405"]
    assert devices[id_of(found[1])] == {"peer": id_of(found[0])}
    assert sorted(statuses(found)[3:]) == ["405", "409"]
