"""An admin's whole way through the pages, with and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from example_project.accounts.models import Account, Organization
from scim_provider.connections import connection_for, record_request
from scim_provider.models import AccessKey
from tests.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TURN_ON = "Turn on and create access key"


def turn_on(page: Page) -> str:
    """Tick the box, send the form; the key as the page shows it."""
    page.get_by_role("checkbox", name="SCIM provisioning").check()
    page.get_by_role("button", name=TURN_ON).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Save your access key")
    return page.get_by_label("Access key", exact=True).input_value()


def test_the_way_from_the_log_in_to_the_first_person(
    page: Page, live_server: object, dana: Account, acme: Organization
) -> None:
    page.goto(f"{live_server}/")
    page.get_by_label("Username").fill(dana.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name=re.compile("log in|sign in", re.IGNORECASE)).click()
    page.locator("summary", has_text="Acme").click()
    page.locator("summary + ul").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Security").click()
    expect(page.get_by_text("separate SCIM add-on")).to_be_visible()
    key = turn_on(page)
    assert key.startswith("Acme-API-Key scim_")
    page.get_by_role("link", name="Download key file").click()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("Waiting for first request").first).to_be_visible()
    expect(page.get_by_label("Base URL")).to_have_value(f"{live_server}/scim/v2")
    arrive(acme)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("Ana Costa")).to_be_visible()
    expect(page.get_by_text("POST /Users → 201")).to_be_visible()
    expect(page.locator("[data-live-badge]")).to_have_text("Connected")
    expect(page.locator("[data-live-said]")).to_have_text("Connected")
    expect(page.get_by_text("Next, in your identity provider")).to_be_hidden()


def arrive(organization: Organization) -> None:
    connection = connection_for(organization)
    UserFactory(
        connection=connection,
        name="ana@acme.com",
        account__first_name="Ana",
        account__last_name="Costa",
        account__organization=organization,
    )
    record_request(connection, method="POST", path="/Users", status=201, client="Okta")


def test_the_button_appears_when_the_box_is_ticked(dana_page: Page) -> None:
    button = dana_page.get_by_role("button", name=TURN_ON)
    expect(button).to_be_hidden()
    dana_page.get_by_role("checkbox", name="SCIM provisioning").check()
    expect(button).to_be_visible()


def test_copy_puts_the_key_on_the_clipboard_and_says_so(
    dana_page: Page, context: BrowserContext
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    key = turn_on(dana_page)
    row = dana_page.locator("scim-copy", has=dana_page.locator("#scim-key"))
    row.get_by_role("button").click()
    expect(row.get_by_role("status")).to_have_text("Access key copied")
    assert dana_page.evaluate("navigator.clipboard.readText()") == key
    dana_page.get_by_role("button", name="Copy Microsoft Entra ID").click()
    expect(dana_page.get_by_text("Access key copied")).to_have_count(2)
    assert dana_page.evaluate("navigator.clipboard.readText()") == key.split()[-1]


def test_without_a_clipboard_the_text_is_selected(
    context: BrowserContext, signed_in: Callable[[BrowserContext], Page], security: str
) -> None:
    context.add_init_script("delete Navigator.prototype.clipboard")
    page = signed_in(context)
    page.goto(security)
    key = turn_on(page)
    row = page.locator("scim-copy", has=page.locator("#scim-key"))
    row.get_by_role("button").click()
    expect(row.get_by_role("status")).to_have_text("Select the text and press Ctrl+C")
    selected = "[field.selectionStart, field.selectionEnd]"
    assert page.locator("#scim-key").evaluate(f"field => {selected}") == [0, len(key)]


def test_leaving_without_the_key_asks_first(dana_page: Page) -> None:
    turn_on(dana_page)
    dana_page.get_by_role("link", name="Done").click()
    dialog = dana_page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dana_page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(dana_page.get_by_role("link", name="Done")).to_be_focused()
    dana_page.get_by_role("link", name="Done").click()
    dialog.get_by_role("button", name="Go back").click()
    expect(dialog).to_be_hidden()
    dana_page.get_by_role("link", name="Done").click()
    dialog.get_by_role("link", name="Leave").click()
    expect(dana_page.get_by_role("heading", level=1)).to_have_text("Security")


def test_the_file_holds_the_key(dana_page: Page) -> None:
    key = turn_on(dana_page)
    with dana_page.expect_download() as download:
        dana_page.get_by_role("link", name="Download key file").click()
    assert download.value.suggested_filename == f"acme-scim-key-{key[-4:]}.txt"
    assert key in Path(download.value.path()).read_text()


def test_the_back_button_never_gives_the_key_back(dana_page: Page, security: str) -> None:
    key = turn_on(dana_page)
    dana_page.get_by_role("link", name="Download key file").click()
    dana_page.get_by_role("link", name="Done").click()
    expect(dana_page.get_by_role("heading", level=1)).to_have_text("Security")
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        dana_page.go_back()
    dana_page.wait_for_url("chrome-error://**")
    assert key not in dana_page.content()


def test_refreshing_the_key_page_makes_no_second_key(dana_page: Page) -> None:
    key = turn_on(dana_page)
    dana_page.reload()
    expect(dana_page.get_by_text("not shown again")).to_be_visible()
    assert key not in dana_page.content()
    assert AccessKey.objects.count() == 1


def test_the_site_can_be_left_from_the_key_page(dana_page: Page) -> None:
    turn_on(dana_page)
    dana_page.locator("summary", has_text="Acme").click()
    dana_page.get_by_role("button", name="Log out").click()
    expect(dana_page.get_by_label("Password")).to_be_visible()


def test_a_double_click_makes_one_key(dana_page: Page) -> None:
    dana_page.get_by_role("checkbox", name="SCIM provisioning").check()
    dana_page.get_by_role("button", name=TURN_ON).dblclick()
    expect(dana_page.get_by_role("heading", level=1)).to_have_text("Save your access key")
    assert AccessKey.objects.count() == 1


def test_everything_works_with_the_keyboard(dana_page: Page) -> None:
    dana_page.keyboard.press("Tab")
    tab_to(dana_page, "#id_provisioning")
    dana_page.keyboard.press("Space")
    tab_to(dana_page, ".scim-form button")
    dana_page.keyboard.press("Enter")
    expect(dana_page.get_by_role("heading", level=1)).to_have_text("Save your access key")
    expect(dana_page.get_by_role("heading", level=1)).to_be_focused()
    tab_to(dana_page, "[data-saves]")
    tab_to(dana_page, "[data-leaves]")
    dana_page.keyboard.press("Enter")
    expect(dana_page.get_by_role("button", name="Go back")).to_be_focused()
    dana_page.keyboard.press("Tab")
    dana_page.keyboard.press("Enter")
    expect(dana_page.get_by_role("heading", level=1)).to_have_text("Security")


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, visibly; it may not take long."""
    for _ in range(40):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
        page.keyboard.press("Tab")
    focused = page.locator(selector)
    expect(focused).to_be_focused()
    assert focused.evaluate("element => getComputedStyle(element).outlineStyle") != "none"


def test_everything_works_without_javascript(
    browser: Browser, signed_in: Callable[[BrowserContext], Page], security: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = signed_in(context)
    page.goto(security)
    key = turn_on(page)
    expect(page.get_by_role("button", name="Copy Access key")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download key file").click()
    assert key in Path(download.value.path()).read_text()
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Replace").click()
    page.get_by_label("Keep the old key working for").select_option("1 hour")
    page.get_by_role("button", name="Create the new key").click()
    assert page.get_by_label("Access key", exact=True).input_value() != key
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("button", name="Keep the old key").click()
    expect(page.get_by_text("stays.")).to_be_visible()
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("No working key")).to_be_visible()
    page.get_by_role("link", name="Turn off…").click()
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("SCIM provisioning is off.")).to_be_visible()
    expect(page.get_by_role("button", name=TURN_ON)).to_be_visible()
    context.close()
