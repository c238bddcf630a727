"""Django's admin shows what came through SCIM and lets nobody change it there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from scim_provider import keys
from scim_provider.admin_lists import CappedPaginator
from scim_provider.events import event, record
from scim_provider.models import Connection, EventKind, LoginSession, Resource, ScimUser, Unlisted
from scim_provider.role_mapping import apply
from tests.conftest import ScimClient
from tests.factories import (
    AccountFactory,
    ConnectionFactory,
    OrganizationAdminFactory,
    SuperuserFactory,
)

APP = "scim_provider"

pytestmark = pytest.mark.django_db

OF_ACCOUNTS = ("lockout", "loginsession", "grantedgroup")
MODELS = (
    "connection",
    "accesskey",
    "resource",
    "scimuser",
    "scimgroup",
    "formeruser",
    "unlisted",
    "role",
    "rolerule",
    "roleassignment",
    "event",
    *OF_ACCOUNTS,
)


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(SuperuserFactory())
    return client


@pytest.fixture
def provisioned(scim: ScimClient, connection: Connection) -> None:
    """A person, a group, and somebody who is gone."""
    user = {"userName": "ana@example.com", "externalId": "00u1", "role": "analyst"}
    made = scim.post("/Users", user)
    group = {"displayName": "Sales", "members": [{"value": made.json()["id"]}]}
    scim.post("/Groups", group)
    granting = {"value": "analyst", "django_group": "Analysts"}
    apply(connection, {"roles": [granting], "rules": [{"group": "Sales", "role": "analyst"}]})
    gone = scim.post("/Users", {"userName": "gone@example.com"}).json()["id"]
    scim.delete(f"/Users/{gone}")
    record([event(connection, EventKind.PERSON_LINKED, name="ana@example.com", reason="Asked.")])
    Unlisted.objects.create(connection=connection, account=AccountFactory(), reason="unlinked")
    LoginSession.objects.create(account=AccountFactory(), session_key="none")


def more() -> None:
    """Four more organizations, each with some of everything."""
    for number in range(4):
        connection = ConnectionFactory()
        scim = ScimClient(keys.create_key(connection).secret)
        user = {"userName": f"more{number}@example.com", "role": "support"}
        made = scim.post("/Users", user).json()["id"]
        scim.post("/Groups", {"displayName": "Sales", "members": [{"value": made}]})
        granting = {"value": "support", "django_group": "Supporters"}
        apply(connection, {"roles": [granting], "rules": [{"group": "Sales", "role": "support"}]})
        gone = scim.post("/Users", {"userName": f"gone{number}@example.com"}).json()["id"]
        scim.delete(f"/Users/{gone}")
        record([event(connection, EventKind.PERSON_LINKED, name=user["userName"])])
        Unlisted.objects.create(connection=connection, account=AccountFactory(), reason="unlinked")
        LoginSession.objects.create(account=AccountFactory(), session_key=f"none{number}")


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_listed_and_shown(admin: Client, model: str) -> None:
    listing = admin.get(reverse(f"admin:scim_provider_{model}_changelist"))
    assert listing.status_code == 200
    rows = listing.context["cl"].queryset
    page = admin.get(reverse(f"admin:scim_provider_{model}_change", args=[rows[0].pk]))
    assert page.status_code == 200


def test_every_model_has_a_page_or_is_shown_on_one() -> None:
    pages = {model: page for model, page in site._registry.items() if model._meta.app_label == APP}
    inlines = {inline.model for page in pages.values() for inline in page.inlines}
    models = set(apps.get_app_config(APP).get_models())
    assert models <= pages.keys() | inlines
    assert {model._meta.model_name for model in pages} == set(MODELS)


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_the_same_at_any_size(
    admin: Client, model: str, django_assert_max_num_queries: Any
) -> None:
    url = reverse(f"admin:scim_provider_{model}_changelist")
    with CaptureQueriesContext(connections["default"]) as few:
        admin.get(url)
    most = len(few)
    more()
    with django_assert_max_num_queries(most):
        page = admin.get(url)
    assert len(page.context["cl"].result_list) > 1


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize("model", [m for m in MODELS[1:] if m not in OF_ACCOUNTS])
def test_lists_are_narrowed_by_connection(admin: Client, model: str) -> None:
    more()
    url = reverse(f"admin:scim_provider_{model}_changelist")
    every = admin.get(url).context["cl"].result_count
    first = Connection.objects.order_by("pk")[0]
    found = admin.get(url, {"connection": str(first.public_id)}).context["cl"].result_list
    assert 0 < len(found) < every
    for wrong in ("x", "1", str(uuid4())):
        assert admin.get(url, {"connection": wrong}).context["cl"].result_count == 0


@pytest.mark.usefixtures("provisioned")
def test_what_is_long_is_counted_no_further_than_its_first_rows(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CappedPaginator, "most", 2)
    url = reverse("admin:scim_provider_resource_changelist")
    more()
    page = admin.get(url)
    assert (page.status_code, page.context["cl"].result_count) == (200, 2)


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize("term", ["ANA@", "00u1", "id"])
def test_resources_are_found_by_name_and_by_ids(admin: Client, term: str) -> None:
    more()
    user = Resource.objects.get(name="ana@example.com")
    term = user.scim_id if term == "id" else term
    for model in ("scimuser", "resource"):
        page = admin.get(reverse(f"admin:scim_provider_{model}_changelist"), {"q": term})
        assert [row.pk for row in page.context["cl"].result_list] == [user.pk]


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize(("state", "count"), [("live", 2), ("soon", 1), ("ended", 1)])
def test_keys_are_listed_by_what_became_of_them(
    admin: Client, connection: Connection, state: str, count: int
) -> None:
    now = timezone.now()
    keys.revoke(keys.create_key(connection).key)
    keys.create_key(connection, expires_at=now + timedelta(days=3))
    url = reverse("admin:scim_provider_accesskey_changelist")
    assert admin.get(url, {"state": state}).context["cl"].result_count == count


@pytest.mark.usefixtures("provisioned")
def test_a_connection_leads_to_what_belongs_to_it(admin: Client, connection: Connection) -> None:
    url = reverse("admin:scim_provider_connection_change", args=[connection.pk])
    page = admin.get(url).content.decode()
    people = reverse("admin:scim_provider_scimuser_changelist")
    assert f'{people}?connection={connection.public_id}"' in page
    assert "/settings/security/" not in page  # which shows another organization, if any
    member = OrganizationAdminFactory(
        organization=connection.owner, is_staff=True, is_superuser=True
    )
    admin.force_login(member)
    assert reverse("scim_settings:security") in admin.get(url).content.decode()


@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize("model", MODELS)
def test_staff_without_permissions_see_nothing(client: Client, model: str) -> None:
    client.force_login(AccountFactory(is_staff=True))
    row = site._registry[apps.get_model(APP, model)].model.objects.first()
    for url in (
        reverse(f"admin:scim_provider_{model}_changelist"),
        reverse(f"admin:scim_provider_{model}_change", args=[row.pk]),
    ):
        assert client.get(url).status_code == 403
    assert "scim_provider" not in client.get(reverse("admin:index")).content.decode()


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
    for model in MODELS:
        assert admin.get(reverse(f"admin:scim_provider_{model}_add")).status_code == 403
    connection = Connection.objects.get()
    keys = {f"access_keys-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    policy = {
        "unknown_role": "ignore",
        "missing_role": "default",
        "unknown_member": "reject",
        "missing_members": "keep",
        "on_organization_delete": "keep",
        "shared_profile": "every",
    }
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


@pytest.mark.usefixtures("provisioned")
def test_people_are_protected_by_an_action(admin: Client) -> None:
    url = reverse("admin:scim_provider_scimuser_changelist")
    chosen = {"_selected_action": [ScimUser.objects.get().pk]}
    for action, protected in (("protect", True), ("unprotect", False)):
        answer = admin.post(url, {"action": action, **chosen}, follow=True)
        assert "1 person was changed." in answer.content.decode()
        assert ScimUser.objects.get().protected is protected


@pytest.mark.usefixtures("provisioned")
def test_nobody_protects_without_the_permission() -> None:
    client = Client()
    viewer = SuperuserFactory(is_superuser=False)
    view = Permission.objects.get(codename="view_scimuser")
    viewer.user_permissions.add(view)
    client.force_login(viewer)
    url = reverse("admin:scim_provider_scimuser_changelist")
    chosen = {"_selected_action": [ScimUser.objects.get().pk]}
    client.post(url, {"action": "protect", **chosen})
    assert not ScimUser.objects.get().protected


@pytest.mark.usefixtures("provisioned")
def test_the_key_of_a_session_is_shown_to_nobody(admin: Client) -> None:
    session = LoginSession.objects.get()
    LoginSession.objects.update(session_key="a-key-that-opens-doors")
    for page in ("changelist", "change"):
        arguments = [session.pk] if page == "change" else []
        shown = admin.get(reverse(f"admin:scim_provider_loginsession_{page}", args=arguments))
        assert "a-key-that-opens-doors" not in shown.content.decode()
