from __future__ import annotations

from tests.sites.tenant import Tenant, manage


def test_a_command_names_the_base_url_and_the_state(tenant: Tenant) -> None:
    assert tenant.base_url == "http://127.0.0.1:8000/scim/v2"
    status = manage("scim_connection", "status", "--json")
    assert (status["enabled"], status["base_url"]) == (True, tenant.base_url)
