"""Listing the members who were there: chosen with the key, and done while the page is open."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse

from example_project.accounts.models import Account, Organization
from scim_provider import existing
from scim_provider.models import Connection, ExistingPeople, Resource
from settings_ui.views import ListMembers
from tests.api.test_groups import statements
from tests.factories import AccountFactory
from tests.settings_ui.pages import Pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def members(organization: Organization) -> list[Account]:
    names = ["ada", "bea", "cleo", "dora", ""]
    return [AccountFactory(organization=organization, username=name) for name in names]


def step(admin: Pages) -> dict[str, Any]:
    """One request of the open page."""
    admin.client.defaults["HTTP_ACCEPT"] = "application/json"
    answer: dict[str, Any] = admin.send("list_members").json()
    del admin.client.defaults["HTTP_ACCEPT"]
    return answer


@pytest.mark.usefixtures("members")
def test_the_page_asks_and_says_how_many_there_are(admin: Pages, off: Connection) -> None:
    page = admin.open("security").content.decode()
    assert "List the existing members (6)" in page, "Dana is one, too"
    assert "1 has no login name" in page
    assert page.index("Start empty") < page.index("List the existing members")


@pytest.mark.usefixtures("members")
def test_nobody_is_listed_unless_it_is_chosen(admin: Pages, off: Connection) -> None:
    assert admin.enable_form()["existing_people"] == "empty"
    admin.turn_on()
    off.refresh_from_db()
    assert off.existing_people == ExistingPeople.EMPTY
    assert "Existing members" not in admin.open("security").content.decode()
    assert admin.send("list_members").status_code == 403
    assert not Resource.objects.exists()


@pytest.mark.usefixtures("members")
def test_the_chosen_list_is_made_by_the_open_page(
    admin: Pages, off: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(existing, "BATCH", 2)
    monkeypatch.setattr(ListMembers, "seconds", 0)
    answer = admin.send("enable", **admin.enable_form() | {"existing_people": "list"})
    assert admin.secret(answer), "the key comes at once"
    assert not Resource.objects.exists()
    page = admin.open("security").content.decode()
    assert "0 of 6" in page
    first, second = step(admin), step(admin)
    assert (first["done"], first["total"], first["finished"]) == (2, 6, False)
    assert (second["text"], second["finished"]) == ("4 of 6", False)
    monkeypatch.setattr(ListMembers, "seconds", 60)
    assert step(admin) == {"done": 6, "total": 6, "finished": True, "text": "6 of 6"}
    page = admin.open("security").content.decode()
    assert "your identity provider can match them" in page
    assert "1 has no login name" in page
    assert set(Resource.objects.values_list("name_key", flat=True)) == {
        "ada", "bea", "cleo", "dora", "dana@acme.com",
    }  # fmt: skip


@pytest.mark.usefixtures("members")
def test_without_javascript_a_button_goes_on(admin: Pages, off: Connection) -> None:
    admin.send("enable", **admin.enable_form() | {"existing_people": "list"})
    assert 'action="/settings/security/scim/members/"' in admin.open("security").content.decode()
    answer = admin.send("list_members", follow=True)
    assert "The existing members are listed." in answer.content.decode()
    assert Resource.objects.count() == 5


@pytest.mark.usefixtures("members")
def test_only_who_manages_scim_may_list(admin: Pages, member: Pages, off: Connection) -> None:
    admin.send("enable", **admin.enable_form() | {"existing_people": "list"})
    answer: HttpResponse = member.send("list_members")
    assert answer.status_code == 403
    assert not Resource.objects.exists()


def test_a_choice_that_is_none_is_refused(admin: Pages, off: Connection) -> None:
    answer = admin.send("enable", **admin.enable_form() | {"existing_people": "everybody"})
    assert "Please correct this" in answer.content.decode()
    off.refresh_from_db()
    assert not off.enabled


def test_the_page_of_a_connected_site_counts_no_members(admin: Pages, off: Connection) -> None:
    admin.turn_on()
    counting = [sql for sql in statements(lambda: admin.open("security")) if "EXCEPT" in sql]
    assert counting == []
