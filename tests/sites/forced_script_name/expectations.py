from __future__ import annotations

from tests.sites.tenant import Tenant


def test_a_location_is_where_the_resource_is(tenant: Tenant) -> None:
    created = tenant.create("/Users", userName="dana@site.example")
    assert created["meta"]["location"] == f"{tenant.base_url}/Users/{created['id']}"
    assert tenant.base_url == "http://127.0.0.1:8000/app/scim/v2"
