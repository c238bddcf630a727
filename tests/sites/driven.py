"""What every site is put through once it is migrated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.test import Client

from scim_provider.conf import scim_settings
from scim_provider.resources import resource_types
from tests.idp.replay import Player
from tests.settings_ui.pages import Pages
from tests.sites.tenant import SEND, Tenant

KLAXON = "urn:ietf:params:scim:schemas:extension:klaxon:2.0:User"


def lacking() -> set[str]:
    """Features of the transcripts that the site has not, by what it serves."""
    users = next(kind for kind in resource_types() if kind.name == "User")
    has = {
        "core-role": users.schema.attribute("role") is not None,
        "klaxon": any(schema.id == KLAXON for schema in users.extensions),
        "okta-roles": bool(scim_settings.roles),
    }
    return {feature for feature, there in has.items() if not there}


def plays(transcript: Path) -> None:
    """An identity provider gets the answers it needs."""
    tenant = Tenant.fresh()
    player = Player(
        tenant.base_url,
        tenant.key,
        prefix=scim_settings.access_key_prefix,
        lacking=lacking(),
        transport=SEND,
    )
    failed = [str(result) for result in player.play(transcript) if result.failed]
    assert not failed, "\n".join(failed)


class Browser(Client):
    """Below the script prefix of the site, if it has one."""

    def __init__(self, prefix: str) -> None:
        super().__init__(SCRIPT_NAME=prefix)
        self.prefix = prefix

    def generic(self, method: str, path: str, *args: Any, **options: Any) -> Any:
        return super().generic(method, path.removeprefix(self.prefix), *args, **options)


def pages_of(tenant: Tenant, account: Any) -> Pages:
    """The settings pages in the browser of somebody who is logged in."""
    browser = Browser(tenant.script_prefix)
    browser.force_login(account)
    return Pages(browser)


def the_page_turns_scim_on() -> None:
    """An admin turns SCIM off and on again by the page, and the new key works."""
    tenant = Tenant.fresh()
    pages = pages_of(tenant, tenant.administrator())
    assert pages.send("disable").status_code == 302
    assert tenant.send("GET", "/Users")[0] == 401
    tenant.key = pages.secret(pages.turn_on())
    assert tenant.send("GET", "/Users")[0] == 200
    page = pages.open("security").content.decode()
    assert tenant.mount in page, "the page shows another base URL than the command"


def who_is_deactivated_is_out() -> None:
    """The next page after the deactivation knows nobody, whatever keeps the sessions."""
    tenant = Tenant.fresh()
    user_name = "dana@site.example"
    created = tenant.create("/Users", userName=user_name, emails=[{"value": user_name}])
    pages = pages_of(tenant, tenant.account(created["id"]))
    assert pages.open("security").status_code in (403, 404), "logged in, and may not see it"
    tenant.patch(f"/Users/{created['id']}", active=False)
    refused = pages.open("security")
    assert refused.status_code == 302, refused
    assert "next=" in refused.headers["Location"]
