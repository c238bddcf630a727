"""Django's admin shows what came through SCIM and lets nobody change it there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from scim_provider.models import Connection, Resource
from tests.conftest import ScimClient
from tests.factories import SuperuserFactory

pytestmark = pytest.mark.django_db

MODELS = ("connection", "scimuser", "scimgroup", "role", "roleassignment")


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(SuperuserFactory())
    return client


@pytest.fixture
def provisioned(scim: ScimClient) -> None:
    user = {"schemas": [], "userName": "ana@example.com", "role": "analyst"}
    made = scim.post("/Users", user | {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]})
    group = {"displayName": "Sales", "members": [{"value": made.json()["id"]}]}
    scim.post("/Groups", group)


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_listed_and_shown(admin: Client, model: str) -> None:
    listing = admin.get(reverse(f"admin:scim_provider_{model}_changelist"))
    assert listing.status_code == 200
    rows = listing.context["cl"].queryset
    page = admin.get(reverse(f"admin:scim_provider_{model}_change", args=[rows[0].pk]))
    assert page.status_code == 200


@pytest.mark.usefixtures("provisioned")
def test_people_are_found_by_name_and_lead_to_their_account(admin: Client) -> None:
    page = admin.get(reverse("admin:scim_provider_scimuser_changelist"), {"q": "ana@"})
    assert "ana@example.com" in page.content.decode()
    user = Resource.objects.get(resource_type="User")
    shown = admin.get(reverse("admin:scim_provider_scimuser_change", args=[user.pk]))
    account = reverse("admin:accounts_account_change", args=[user.account_id])
    assert account in shown.content.decode()


@pytest.mark.usefixtures("provisioned")
def test_members_and_keys_are_shown_and_no_key_text_is(admin: Client, access_key: str) -> None:
    group = Resource.objects.get(resource_type="Group")
    page = admin.get(reverse("admin:scim_provider_scimgroup_change", args=[group.pk]))
    assert "ana@example.com" in page.content.decode()
    connection = Connection.objects.get()
    page = admin.get(reverse("admin:scim_provider_connection_change", args=[connection.pk]))
    assert access_key[-4:] in page.content.decode()
    assert access_key not in page.content.decode()


@pytest.mark.usefixtures("provisioned")
def test_only_policies_of_a_connection_can_be_changed(admin: Client) -> None:
    for model in MODELS[1:]:
        assert admin.get(reverse(f"admin:scim_provider_{model}_add")).status_code == 403
    connection = Connection.objects.get()
    keys = {f"access_keys-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    policy = {"unknown_role": "ignore", "unknown_member": "reject", "missing_members": "keep"}
    admin.post(
        reverse("admin:scim_provider_connection_change", args=[connection.pk]),
        policy
        | keys
        | {"on_delete": "deactivate", "existing_people": "empty", "existing_account": "link"},
    )
    connection.refresh_from_db()
    assert (connection.unknown_role, connection.missing_members) == ("ignore", "keep")
    assert connection.existing_account == "link"
    assert connection.enabled
