"""WCAG 2.2 AA in every state, theme, direction and width; and proof that the tools see faults."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from example_project.accounts.models import Organization, Plan
from scim_provider import connections, keys
from scim_provider.models import AccessKey, Connection
from tests.browser.test_flow import arrive, turn_on
from tests.factories import SuperuserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}}
SIZES = ({"width": 1280, "height": 800}, {"width": 320, "height": 640})


def violations(page: Page) -> dict[str, list[str]]:
    """The broken rules, each with the elements that break it."""
    found = Axe().run(page, options=OPTIONS)
    assert found.response["passes"], "axe did not run"
    return {
        rule["id"]: [node["failureSummary"] + node["html"] for node in rule["nodes"]]
        for rule in found.response["violations"]
    }


def on(acme: Organization) -> Connection:
    connection = connections.connection_for(acme)
    connections.enable(connection, name="Okta", expires_at=timezone.now() + timedelta(days=365))
    return connection


def waiting(acme: Organization) -> None:
    on(acme)


def connected(acme: Organization) -> None:
    on(acme)
    arrive(acme)


def attention(acme: Organization) -> None:
    connections.record_request(
        on(acme), method="GET", path="/Users", status=401, detail="The access key expired."
    )


def replacing(acme: Organization) -> None:
    connected(acme)
    old = AccessKey.objects.get()
    keys.rotate(old.connection, old, keep_old_for=timedelta(hours=24), name="New")


def expiring(acme: Organization) -> None:
    connected(acme)
    AccessKey.objects.update(expires_at=timezone.now() + timedelta(days=5))


def expired(acme: Organization) -> None:
    connected(acme)
    AccessKey.objects.update(expires_at=timezone.now() - timedelta(days=5))


def off_again(acme: Organization) -> None:
    connected(acme)
    connections.disable(connections.connection_for(acme))


def not_in_plan(acme: Organization) -> None:
    acme.plan = Plan.STARTER
    acme.save()


STATES = {
    "off": lambda acme: None,
    "off again": off_again,
    "waiting": waiting,
    "connected": connected,
    "attention": attention,
    "replacing": replacing,
    "expiring": expiring,
    "expired": expired,
    "not in plan": not_in_plan,
}


@pytest.mark.parametrize("state", STATES)
def test_the_overview_is_accessible_in_every_state(
    dana_page: Page, acme: Organization, state: str
) -> None:
    STATES[state](acme)
    in_every_look(dana_page, dana_page.reload)


@pytest.mark.parametrize("name", ["key_new", "disable", "key_rotate", "key_revoke"])
def test_every_question_is_accessible(dana_page: Page, acme: Organization, name: str) -> None:
    connected(acme)
    about_a_key = [AccessKey.objects.get().public_id] if "_r" in name else []
    dana_page.goto(dana_page.url.replace("/settings/security/", reverse_of(name, about_a_key)))
    in_every_look(dana_page, dana_page.reload)


def reverse_of(name: str, args: list[Any]) -> str:
    return reverse(f"scim_settings:{name}", args=args)


def test_the_key_page_is_accessible(dana_page: Page) -> None:
    turn_on(dana_page)
    in_every_look(dana_page, lambda: None, right_to_left=False)
    dana_page.get_by_role("link", name="Done").click()
    expect(dana_page.get_by_role("dialog")).to_be_visible()
    assert violations(dana_page) == {}


def test_the_page_of_who_belongs_to_no_organization_is_accessible(
    context: BrowserContext, live_server: Any, security: str, acme: Organization
) -> None:
    connected(acme)
    client = Client()
    client.force_login(SuperuserFactory())
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(security)
    expect(page.get_by_role("heading", name="Organizations")).to_be_visible()
    in_every_look(page, page.reload)
    page.set_extra_http_headers({"Accept-Language": "en"})
    page.reload()
    page.get_by_role("link", name="Acme", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/admin/scim_provider/connection/"))


def test_a_form_with_a_mistake_is_accessible(dana_page: Page) -> None:
    dana_page.get_by_role("checkbox", name="SCIM provisioning").check()
    dana_page.get_by_text("Options").click()
    dana_page.get_by_label("Key name").evaluate("field => field.removeAttribute('required')")
    dana_page.get_by_label("Key name").fill("")
    dana_page.get_by_role("button", name="Turn on").click()
    expect(dana_page.get_by_role("alert")).to_be_focused()
    expect(dana_page.get_by_label("Key name")).to_have_attribute("aria-invalid", "true")
    in_every_look(dana_page, lambda: None, right_to_left=False)


def in_every_look(page: Page, again: Callable[[], Any], *, right_to_left: bool = True) -> None:
    """Light and dark, wide and narrow, left to right and right to left."""
    for language in ("en", "he") if right_to_left else ("en",):
        page.set_extra_http_headers({"Accept-Language": language})
        again()
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "he" else "ltr")
        for size in SIZES:
            page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                look = f"{language} {size['width']} {scheme}"
                assert violations(page) == {}, look
            assert not sideways(page), look


def sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_axe_sees_what_is_wrong(dana_page: Page) -> None:
    dana_page.evaluate("document.querySelector('label').remove()")
    dana_page.evaluate("document.documentElement.removeAttribute('lang')")
    dana_page.evaluate("document.querySelector('h1').style.color = '#eee'")
    assert {"label", "html-has-lang", "color-contrast"} <= set(violations(dana_page))


def test_the_policy_of_the_example_stops_injected_markup(
    context: BrowserContext, signed_in: Callable[[BrowserContext], Page], security: str
) -> None:
    page = signed_in(context)
    answer = page.goto(security)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    refused = page.evaluate(
        "() => { try { document.body.innerHTML = '<b>'; return false } catch { return true } }"
    )
    assert refused


def test_targets_are_large_enough(dana_page: Page, acme: Organization) -> None:
    replacing(acme)
    dana_page.reload()
    dana_page.set_viewport_size(SIZES[1])
    for control in dana_page.locator(".scim-main :is(button, .scim-button):visible").all():
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44


def test_forced_colours_keep_the_controls_apart(dana_page: Page) -> None:
    dana_page.emulate_media(forced_colors="active")
    width = "element => getComputedStyle(element).borderTopWidth"
    assert dana_page.locator(".scim-card").first.evaluate(width) == "1px"
    assert dana_page.locator(".scim-badge").first.evaluate(width) == "1px"
    assert violations(dana_page) == {}


def test_the_key_is_never_printed(dana_page: Page) -> None:
    turn_on(dana_page)
    shown = dana_page.get_by_label("Access key", exact=True)
    expect(shown).to_be_visible()
    dana_page.emulate_media(media="print")
    for secret in dana_page.locator(".scim-secret textarea, .scim-secret-link").all():
        expect(secret).to_be_hidden()
    expect(dana_page.get_by_text("left out of the print-out").first).to_be_visible()
    expect(dana_page.get_by_label("Base URL", exact=True)).to_be_visible()


def test_nothing_moves_for_those_who_asked_for_rest(dana_page: Page, acme: Organization) -> None:
    waiting(acme)
    dana_page.emulate_media(reduced_motion="reduce")
    dana_page.reload()
    name = "element => getComputedStyle(element).animationName"
    assert dana_page.locator("[data-live-badge] .scim-badge__dot").evaluate(name) == "none"
    dana_page.emulate_media(reduced_motion="no-preference")
    assert dana_page.locator("[data-live-badge] .scim-badge__dot").evaluate(name) == "scim-wait"
