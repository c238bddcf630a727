"""The example site: ``manage.py demo`` and the pages around the two apps."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from example_project.accounts.management.commands import demo
from example_project.accounts.models import Account, Organization, Plan
from example_project.middleware import STRICT_POLICY
from scim_provider.models import Connection
from tests.conftest import ScimClient
from tests.factories import AccountFactory, LocationFactory, OrganizationAdminFactory

pytestmark = pytest.mark.django_db

#: "  admin of Acme   ada@acme.example   password"
LOG_IN = re.compile(r"^  (?:admin of \w+|superuser) +(\S+) +(\S+)$", re.MULTILINE)


@pytest.fixture
def banner(monkeypatch: pytest.MonkeyPatch) -> str:
    """What the command prints; run twice, with everything done but the serving."""

    def all_but_serve(name: str, *args: Any, **options: Any) -> None:
        if name == "migrate":
            return
        assert (name, args) == ("runserver", ("127.0.0.1:8123",))

    monkeypatch.setattr(demo, "call_command", all_but_serve)
    call_command("demo", port=8123, stdout=StringIO())
    printed = StringIO()
    call_command("demo", port=8123, stdout=printed)
    return printed.getvalue()


def test_every_log_in_of_the_banner_works(banner: str, client: Client) -> None:
    log_ins = LOG_IN.findall(banner)
    assert len(log_ins) == Account.objects.count() == 3
    for username, password in log_ins:
        assert client.login(username=username, password=password), username
    assert "http://127.0.0.1:8123/" in banner


def test_the_way_of_an_admin_leads_to_the_security_page(banner: str, client: Client) -> None:
    username, password = LOG_IN.findall(banner)[0]
    sent = client.post("/login/", {"username": username, "password": password}, follow=True)
    assert sent.redirect_chain == [("/", 302)]
    assert "<summary>Acme</summary>" in sent.text
    for page, link in (("/", "/settings/"), ("/settings/", "/settings/security/")):
        assert f'href="{link}"' in client.get(page).text
    assert "SCIM" in client.get("/settings/security/").text


def test_pages_send_a_strict_policy_and_the_admin_keeps_its_own_scripts(client: Client) -> None:
    assert client.get("/login/").headers["Content-Security-Policy"] == STRICT_POLICY
    assert "Content-Security-Policy" not in client.get("/admin/login/").headers


def test_pages_hold_no_inline_script_or_style(client: Client) -> None:
    client.force_login(OrganizationAdminFactory())
    for page in ("/", "/profile/", "/settings/"):
        text = client.get(page).text
        assert not re.search(r"<style|<script(?![^>]*\bsrc=)| style=| on\w+=", text)


def test_people_who_are_no_admins_do_not_see_the_settings(client: Client) -> None:
    client.force_login(AccountFactory())
    assert "/settings/" not in client.get("/").text
    assert client.get("/settings/").status_code == 403
    assert client.get("/settings/security/").status_code in (403, 404)


def test_the_health_check_asks_the_database(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok")


def test_styles_are_served_without_debug(client: Client) -> None:
    response = client.get("/static/example/example.css")
    assert response.status_code == 200
    response.close()


def test_an_unknown_location_becomes_the_default_of_the_organization(
    scim: ScimClient, connection: Connection
) -> None:
    klaxon = "urn:ietf:params:scim:schemas:extension:klaxon:2.0:User"
    created = scim.post(
        "/Users",
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", klaxon],
            "userName": "grace@acme.example",
            klaxon: {"location": "Atlantis", "notificationPhoneNumber": "+44 20 7946 0000"},
        },
    )
    assert created.status_code == 201
    account = Account.objects.get(username="grace@acme.example")
    assert account.organization == connection.owner == account.location.organization
    assert account.location.name == "Default"
    assert account.mobile == "+44 20 7946 0000"
    assert created.json()[klaxon]["location"] == "Atlantis"


def test_people_may_change_their_own_location_by_hand(client: Client) -> None:
    here, elsewhere = LocationFactory(name="Paris"), LocationFactory(name="Oslo")
    person = AccountFactory(organization=here.organization)
    client.force_login(person)
    refused = client.post("/profile/", {"location": elsewhere.pk, "mobile": ""})
    assert refused.context["form"].errors.keys() == {"location"}
    client.post("/profile/", {"location": here.pk, "mobile": "+33 1 23 45 67 89"})
    person.refresh_from_db()
    assert (person.location, person.mobile) == (here, "+33 1 23 45 67 89")


def test_a_plan_without_scim_is_refused_by_the_api(
    scim: ScimClient, connection: Connection
) -> None:
    Organization.objects.update(plan=Plan.STARTER)
    refused = scim.get("/Users")
    assert refused.status_code == 403
    assert "plan" in refused.json()["detail"]


def test_the_statement_count_is_sent_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, scim: ScimClient
) -> None:
    assert "X-SQL-Count" not in scim.get("/Users").headers
    monkeypatch.setenv("SCIM_COUNT_SQL", "1")
    counted = ScimClient(scim.key).get("/Users")
    assert int(counted.headers["X-SQL-Count"]) >= 2
