"""Listing the members who were there, as an admin watches it, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from example_project.accounts.models import Organization
from scim_provider import existing
from scim_provider.connections import connection_for
from scim_provider.models import Resource
from settings_ui.views import ListMembers
from tests.browser.test_accessibility import in_every_look, on
from tests.factories import AccountFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def members(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        AccountFactory(organization=acme, username=f"person{number}@acme.com")
    AccountFactory(organization=acme, username="")
    monkeypatch.setattr(existing, "BATCH", 3)
    monkeypatch.setattr(ListMembers, "seconds", 0)


def choose_the_list(page: Page) -> None:
    page.get_by_role("checkbox", name="SCIM provisioning").check()
    expect(page.get_by_role("radio", name="Start empty")).to_be_checked()
    page.get_by_label("List the existing members (10)").check()
    page.get_by_role("button", name="Turn on").click()
    page.get_by_role("link", name="Done").click()


def test_the_open_page_lists_everybody(dana_page: Page) -> None:
    dana_page.reload()
    choose_the_list(dana_page)
    dana_page.get_by_role("link", name="Leave").click()
    expect(dana_page.get_by_text("your identity provider can match them")).to_be_visible()
    expect(dana_page.get_by_text("1 has no login name")).to_be_visible()
    assert Resource.objects.count() == 9


def test_without_javascript_each_click_goes_on(
    browser: Browser, signed_in: Callable[[BrowserContext], Page], security: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = signed_in(context)
    page.goto(security)
    choose_the_list(page)
    for listed in ("0 of 10", "3 of 10", "6 of 10", "9 of 10"):
        expect(page.get_by_text(listed)).to_be_visible()
        page.get_by_role("button", name="Go on listing").click()
    expect(page.get_by_text("The existing members are listed.")).to_be_visible()
    context.close()


def test_choice_and_progress_are_accessible(dana_page: Page, acme: Organization) -> None:
    def open_choice() -> None:
        dana_page.reload()
        dana_page.locator("input[type=checkbox]").check()

    in_every_look(dana_page, open_choice)
    on(acme)
    existing.choose(connection_for(acme), "list")
    dana_page.route("**/members/", lambda route: None)  # never answered
    in_every_look(dana_page, dana_page.reload)
