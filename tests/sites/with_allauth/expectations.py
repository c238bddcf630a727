from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from tests.sites.tenant import Tenant

PASSWORD = "correct horse battery"


def log_in(email: str) -> Any:
    fields = {"login": email, "password": PASSWORD}
    return Client().post(reverse("account_login"), fields)


def person(tenant: Tenant) -> tuple[str, str]:
    email = "dana@site.example"
    made = tenant.create(
        "/Users", userName=email, password=PASSWORD, emails=[{"value": email, "primary": True}]
    )
    return made["id"], email


def test_a_provisioned_person_logs_in_until_deactivated(tenant: Tenant) -> None:
    scim_id, email = person(tenant)
    assert "inactive" not in log_in(email).headers["Location"]
    tenant.patch(f"/Users/{scim_id}", active=False)
    assert log_in(email).headers["Location"] == reverse("account_inactive")


def test_the_page_sends_strangers_to_the_log_in_of_allauth(tenant: Tenant) -> None:
    page = Client().get(reverse("scim_settings:security"))
    assert page.headers["Location"].startswith(reverse("account_login"))
