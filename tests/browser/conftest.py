"""A real Chromium on the example site.

Without one these tests are skipped, but fail where REQUIRE_BROWSER=1: green must not hide it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse

from example_project.accounts.models import Account, Organization
from tests.factories import OrganizationAdminFactory, OrganizationFactory

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page
    from pytest_django.live_server_helper import LiveServer

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
REQUIRED = os.environ.get("REQUIRE_BROWSER") == "1"
INSTALLED = all(find_spec(name) for name in ("playwright", "axe_playwright_python"))

# The modules import Playwright; where it must be there, that import fails loudly.
collect_ignore_glob = [] if INSTALLED or REQUIRED else ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    if os.path.exists(CHROMIUM):
        return CHROMIUM
    missing = f"There is no Chromium at {CHROMIUM}; set CHROMIUM."
    if REQUIRED:
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session", autouse=True)
def _database_beside_an_event_loop() -> Iterator[None]:
    """Playwright runs an event loop in the thread of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture(scope="session", autouse=True)
def _patience_on_a_busy_machine(chromium: str) -> None:
    import_module("playwright.sync_api").expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], chromium: str
) -> dict[str, Any]:
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", *quiet],
    }


@pytest.fixture
def acme(transactional_db: None) -> Organization:
    return OrganizationFactory(name="Acme", slug="acme")


@pytest.fixture
def dana(acme: Organization) -> Account:
    return OrganizationAdminFactory(organization=acme, username="dana@acme.com")


@pytest.fixture
def signed_in(live_server: LiveServer, dana: Account) -> Callable[[BrowserContext], Page]:
    """Opens a page of a browser context as Dana, an admin of Acme."""

    def sign_in(context: BrowserContext) -> Page:
        client = Client()
        client.force_login(dana)
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        return context.new_page()

    return sign_in


@pytest.fixture
def security(live_server: LiveServer) -> str:
    """The URL of the page."""
    return live_server.url + reverse("scim_settings:security")


@pytest.fixture
def dana_page(
    context: BrowserContext, signed_in: Callable[[BrowserContext], Page], security: str
) -> Iterator[Page]:
    """Settings → Security, open. Nothing may complain: no script error, no policy violation."""
    page = signed_in(context)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.goto(security)
    yield page
    assert complaints == []
