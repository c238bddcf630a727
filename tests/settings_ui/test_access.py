"""Who may do what: role by URL by method."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from example_project.accounts.models import Account, Organization
from scim_provider import keys
from scim_provider.connections import connection_for
from scim_provider.models import AccessKey, Connection
from scim_provider.organizations import Entitlement
from tests.factories import AccountFactory, OrganizationAdminFactory, SuperuserFactory
from tests.settings_ui.pages import Pages

pytestmark = pytest.mark.django_db

PLAIN = ["security", "enable", "disable", "status", "confirm", "key_new"]
ABOUT_A_KEY = ["key_rotate", "key_revoke", "key_cancel_rotation"]
CHANGES = ["enable", "disable", "confirm", "key_new", *ABOUT_A_KEY]


@pytest.fixture
def urls(connection: Connection) -> dict[str, str]:
    """The URL of every page, with Acme's key in those about one."""
    key = keys.create_key(connection).key
    return {name: reverse(f"scim_settings:{name}") for name in PLAIN} | {
        name: reverse(f"scim_settings:{name}", args=[key.public_id]) for name in ABOUT_A_KEY
    }


def client_of(account: Account) -> Client:
    client = Client()
    client.force_login(account)
    return client


@pytest.mark.parametrize("method", ["get", "post", "head", "put", "delete"])
def test_without_a_log_in_every_page_leads_to_it(urls: dict[str, str], method: str) -> None:
    for url in urls.values():
        answer = getattr(Client(), method)(url)
        assert answer.status_code == 302, url
        assert answer.headers["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("method", ["get", "post", "head", "put", "delete"])
def test_a_member_who_is_no_admin_is_refused_everywhere(
    urls: dict[str, str], method: str, organization: Organization
) -> None:
    client = client_of(AccountFactory(organization=organization))
    for url in urls.values():
        assert getattr(client, method)(url).status_code == 403, url
    assert AccessKey.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_superuser_without_an_organization_finds_no_settings(
    urls: dict[str, str], method: str
) -> None:
    client = client_of(SuperuserFactory())
    for name, url in urls.items():
        if (name, method) != ("security", "get"):
            assert getattr(client, method)(url).status_code == 404, url


@pytest.mark.parametrize("rights", [{}, {"is_staff": True}])
def test_others_without_an_organization_find_nothing(
    urls: dict[str, str], rights: dict[str, bool]
) -> None:
    client = client_of(AccountFactory(organization=None, **rights))
    for url in urls.values():
        answer = client.get(url)
        assert answer.status_code == 404, url
        assert b"Acme" not in answer.content


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ABOUT_A_KEY)
def test_a_key_of_another_organization_is_not_found(
    urls: dict[str, str], method: str, name: str
) -> None:
    stranger = OrganizationAdminFactory()
    keys.create_key(connection_for(stranger.organization))
    connection_for(stranger.organization).__class__.objects.update(enabled=True)
    assert getattr(client_of(stranger), method)(urls[name]).status_code == 404
    assert AccessKey.objects.filter(revoked_at=None).count() == 2


@pytest.mark.parametrize("name", ABOUT_A_KEY)
def test_an_unknown_key_is_not_found(admin: Pages, connection: Connection, name: str) -> None:
    assert admin.open(name, uuid4()).status_code == 404


def test_an_admin_of_another_organization_changes_only_the_own_one(
    urls: dict[str, str], connection: Connection
) -> None:
    client_of(OrganizationAdminFactory()).post(urls["disable"])
    connection.refresh_from_db()
    assert connection.enabled


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(admin: Pages, urls: dict[str, str], method: str) -> None:
    for url in urls.values():
        assert getattr(admin.client, method)(url).status_code == 405, url


def test_reading_a_page_changes_nothing(admin: Pages, urls: dict[str, str]) -> None:
    before = list(AccessKey.objects.values())
    for url in urls.values():
        assert admin.client.get(url).status_code in (200, 302), url
    assert list(AccessKey.objects.values()) == before


def test_every_form_needs_its_csrf_token(admin_account: Account, urls: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_account)
    for name in CHANGES:
        assert client.post(urls[name]).status_code == 403, name


def test_csrf_is_checked_without_the_middleware(
    admin_account: Account, urls: dict[str, str], settings: Any
) -> None:
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "csrf" not in one]
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_account)
    assert client.post(urls["disable"]).status_code == 403


def test_every_answer_keeps_out_of_frames_and_shared_caches(
    admin: Pages, urls: dict[str, str]
) -> None:
    for url in urls.values():
        answer = admin.client.get(url)
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "private, no-cache"


class TestASiteWithoutOrganizations:
    """The default class: permissions decide."""

    @pytest.fixture(autouse=True)
    def no_organizations(self, settings: Any) -> None:
        settings.SCIM_PROVIDER = {}

    def client(self, *permissions: str) -> Client:
        account = AccountFactory(organization=None)
        account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return client_of(account)

    def test_without_a_permission_the_page_is_refused(self) -> None:
        assert self.client().get(reverse("scim_settings:security")).status_code == 403

    def test_a_viewer_sees_no_controls(self, site_connection: Connection) -> None:
        keys.create_key(site_connection)
        viewer = self.client("view_scim_settings")
        page = viewer.get(reverse("scim_settings:security")).content.decode()
        assert "You can view this page" in page
        assert "scim-form" not in page
        assert 'href="/settings/security/scim/' not in page
        for name in ("disable", "key_new"):
            assert viewer.get(reverse(f"scim_settings:{name}")).status_code == 403

    def test_a_manager_turns_it_on(self) -> None:
        manager = Pages(self.client("manage_scim"))
        assert manager.secret(manager.turn_on())

    def test_an_inactive_superuser_is_nobody(self) -> None:
        account = SuperuserFactory()
        client = client_of(account)
        account.is_active = False
        account.save()
        assert client.get(reverse("scim_settings:security")).status_code == 302


@pytest.mark.parametrize(
    ("state", "badge"), [("not_in_plan", "Not in your plan"), ("preview", "Limited availability")]
)
def test_without_the_plan_nothing_can_be_turned_on(
    admin: Pages, off: Connection, plans: Any, state: Any, badge: str
) -> None:
    form = admin.enable_form()
    plans(
        entitlement=Entitlement(
            allowed=False, state=state, message="Ask us.", url="https://example.com/plans"
        )
    )
    page = admin.open("security").content.decode()
    assert badge in page
    assert "Ask us." in page
    assert 'href="https://example.com/plans"' in page
    assert "scim-form" not in page
    assert admin.send("enable", **form).status_code == 403
    assert AccessKey.objects.count() == 0


def test_a_lapsed_plan_pauses_and_can_still_be_cleaned_up(
    admin: Pages, connection: Connection, plans: Any
) -> None:
    key = keys.create_key(connection).key
    plans(entitlement=Entitlement(allowed=False, state="not_in_plan"))
    assert "Paused" in admin.open("security").content.decode()
    assert admin.open("key_new").status_code == 403
    assert admin.open("key_rotate", key.public_id).status_code == 403
    assert admin.send("key_revoke", key.public_id).status_code == 302
    assert admin.send("disable").status_code == 302
    connection.refresh_from_db()
    assert not connection.enabled


def test_the_status_is_for_those_who_may_see_the_page(
    admin: Pages, member: Pages, connection: Connection
) -> None:
    keys.create_key(connection)
    answer = admin.open("status")
    assert json.loads(answer.content)["state"] == "waiting"
    again = admin.client.get(
        reverse("scim_settings:status"), headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    assert member.open("status").status_code == 403
