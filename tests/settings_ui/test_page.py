"""What the overview says, and that a site can make it its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from scim_provider import keys
from scim_provider.connections import record_request
from scim_provider.models import Connection, Resource
from tests.factories import UserFactory
from tests.settings_ui.pages import Pages

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2] / "settings_ui"


def arrive(connection: Connection, name: str, **account: Any) -> Resource:
    columns = {f"account__{column}": value for column, value in account.items()}
    row: Resource = UserFactory(connection=connection, name=name, **columns)
    return row


def test_before_turning_on_the_page_says_what_may_be_needed(admin: Pages, off: Connection) -> None:
    page = admin.open("security").content.decode()
    assert "Your identity provider may need a separate SCIM add-on besides the SSO plan." in page
    assert 'type="checkbox"' in page
    assert "http://testserver/scim/v2" in page


def test_while_waiting_the_page_says_what_to_do_next(admin: Pages, connection: Connection) -> None:
    keys.create_key(connection)
    page = admin.open("security").content.decode()
    assert "Waiting for first request" in page
    assert "Nobody has arrived yet" in page
    assert "http://testserver/scim/v2" in page


def test_the_traffic_is_told_in_words(admin: Pages, connection: Connection) -> None:
    keys.create_key(connection)
    record_request(connection, method="GET", path="/Users", status=200, client="Okta")
    page = admin.open("security").content.decode()
    assert "Connected" in page
    assert "GET /Users → 200" in page
    assert "from Okta" in page
    connection.refresh_from_db()
    record_request(connection, method="POST", path="/Users", status=409, detail="It is taken.")
    page = admin.open("security").content.decode()
    assert "Needs attention" in page
    assert "It is taken." in page


def test_people_appear_as_they_arrive(
    admin: Pages, connection: Connection, other_connection: Connection
) -> None:
    keys.create_key(connection)
    arrive(connection, "ana@acme.com", first_name="Ana", last_name="Costa")
    arrive(connection, "bo@acme.com", first_name="", last_name="", is_active=False)
    arrive(other_connection, "eve@globex.com")
    page = admin.open("security").content.decode()
    assert page.index("bo@acme.com") < page.index("Ana Costa")
    assert "Deactivated" in page
    assert "globex" not in page
    status = json.loads(admin.open("status").content)
    assert status["users"] == 2
    assert [person["user_name"] for person in status["people"]] == ["bo@acme.com", "ana@acme.com"]


def test_names_from_the_identity_provider_are_text(admin: Pages, connection: Connection) -> None:
    arrive(connection, "<script>alert(1)</script>", first_name="<b>x", last_name="")
    record_request(connection, method="GET", path="/<i>", status=400, client="<u>", detail="<s>")
    keys.create_key(connection, name="<h1>")
    page = admin.open("security").content.decode()
    assert not any(tag in page for tag in ("<script>alert", "<b>x", "/<i>", "<u>", "<s>", "<h1>\n"))


@pytest.mark.parametrize("people", [1, 30])
def test_the_overview_is_eight_queries_at_most(
    admin: Pages,
    connection: Connection,
    people: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    keys.create_key(connection)
    for number in range(people):
        arrive(connection, f"p{number}@acme.com")
    with django_assert_max_num_queries(8):
        admin.open("security")


def test_a_site_puts_the_pages_into_its_own_base_template(
    admin: Pages, off: Connection, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "own.html").write_text(
        "<title>{% block title %}{% endblock %} | Own</title>{% block head %}own-head"
        "{% endblock %}<b>own</b>{% block content %}{% endblock %}{% block scripts %}{% endblock %}"
    )
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    settings.SCIM_SETTINGS_UI = {"BASE_TEMPLATE": "own.html", "PRODUCT_NAME": "Klub"}
    page = admin.open("security").content.decode()
    assert "<title>Security | Own</title>" in page
    assert "own-head" in page
    assert "scim.css" in page
    assert "scim.js" in page


def test_the_pages_have_neither_inline_script_nor_inline_style(
    admin: Pages, off: Connection
) -> None:
    for answer in (admin.open("security"), admin.turn_on(), admin.open("security")):
        page = answer.content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick=" not in page
        assert page.count("<script") == page.count('<script type="module" src=')


def test_style_and_script_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "static/settings_ui").iterdir()}
    assert sizes["scim.css"] < 22_000
    assert sizes["scim.js"] < 9_000


def test_the_style_sheet_is_logical_and_layered() -> None:
    css = (ROOT / "static/settings_ui/scim.css").read_text()
    assert "@layer scim-ui {" in css
    for physical in ("margin-left", "margin-right", "padding-left", "padding-right", "float:"):
        assert physical not in css
