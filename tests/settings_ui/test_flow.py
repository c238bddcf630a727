"""Turning on, keys, turning off: the way of an organization's admin, over HTTP."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from scim_provider import keys
from scim_provider.models import AccessKey, Connection
from scim_provider.protocol.credentials import checksum_ok
from tests.settings_ui.pages import Pages

pytestmark = pytest.mark.django_db


def test_the_ticked_box_answers_with_the_key(admin: Pages, off: Connection) -> None:
    answer = admin.turn_on()
    off.refresh_from_db()
    assert answer.status_code == 200
    assert off.enabled
    secret = admin.secret(answer)
    assert checksum_ok(secret)
    assert f"Acme-API-Key {secret}" in answer.content.decode()
    assert keys.find(secret) == AccessKey.objects.get(connection=off)


def test_the_key_page_has_the_base_url_and_done(admin: Pages) -> None:
    page = admin.turn_on().content.decode()
    assert "http://testserver/scim/v2" in page
    assert 'href="/settings/security/#scim"' in page


def test_the_downloaded_file_has_everything_to_type(admin: Pages) -> None:
    answer = admin.turn_on()
    secret = admin.secret(answer)
    link = re.search(r'download="([^"]+)" href="data:[^,]+,([^"]+)"', answer.content.decode())
    assert link is not None
    text = base64.b64decode(link[2]).decode()
    assert link[1] == f"acme-scim-key-{secret[-4:]}.txt"
    assert f"Access key: Acme-API-Key {secret}\r\n" in text
    assert f"Microsoft Entra ID (Secret Token): {secret}\r\n" in text
    assert "Base URL: http://testserver/scim/v2\r\n" in text
    assert "Organization: Acme\r\n" in text
    assert "Created by: dana@acme.com\r\n" in text


def test_the_box_must_be_ticked(admin: Pages, off: Connection) -> None:
    form = admin.enable_form()
    del form["provisioning"]
    answer = admin.send("enable", **form)
    assert "to turn it on" in answer.content.decode()
    assert AccessKey.objects.count() == 0
    off.refresh_from_db()
    assert not off.enabled


def test_the_form_keeps_its_nonce_when_it_is_corrected(admin: Pages) -> None:
    form = admin.enable_form() | {"name": ""}
    answer = admin.send("enable", **form)
    assert f'value="{form["nonce"]}"' in answer.content.decode()


def test_a_repeated_post_makes_no_second_key(admin: Pages) -> None:
    form = admin.enable_form()
    first = admin.send("enable", **form)
    again = admin.send("enable", **form, follow=True)
    assert AccessKey.objects.count() == 1
    assert admin.secret(first) not in again.content.decode()
    assert "is not shown again" in again.content.decode()


def test_opening_the_enable_url_leads_to_the_page(admin: Pages) -> None:
    assert admin.open("enable").headers["Location"] == "/settings/security/"


@pytest.mark.parametrize(
    ("choice", "days"), [("90", 90), ("365", 365), ("730", 730), ("never", None)]
)
def test_the_key_lives_as_long_as_chosen(admin: Pages, choice: str, days: int | None) -> None:
    admin.send("enable", **admin.enable_form() | {"lifetime": choice, "name": "Okta"})
    key = AccessKey.objects.get()
    assert key.name == "Okta"
    if days is None:
        assert key.expires_at is None
    else:
        assert key.expires_at is not None
        assert abs(key.expires_at - timezone.now() - timedelta(days=days)) < timedelta(minutes=1)


def test_a_site_restricts_the_lifetimes(admin: Pages) -> None:
    with override_settings(SCIM_SETTINGS_UI={"KEY_LIFETIMES": [30]}):
        form = admin.enable_form()
        assert form["lifetime"] == "30"
        admin.send("enable", **form | {"lifetime": "never"})
    assert AccessKey.objects.count() == 0


def test_a_second_key_stands_beside_the_first(admin: Pages) -> None:
    first = admin.secret(admin.turn_on())
    second = admin.secret(admin.send("key_new", **admin.form("key_new")))
    assert first != second
    assert AccessKey.objects.count() == 2
    refused = admin.send("key_new", **admin.form("key_new"), follow=True)
    assert "Two access keys work already" in refused.content.decode()
    assert AccessKey.objects.count() == 2


def test_replacing_keeps_the_old_key_for_the_chosen_time(admin: Pages) -> None:
    admin.turn_on()
    old = AccessKey.objects.get()
    form = admin.form("key_rotate", old.public_id)
    answer = admin.send("key_rotate", old.public_id, **form | {"keep_old_for": "3600"})
    assert admin.secret(answer)[-4:] != old.last4
    old.refresh_from_db()
    assert old.revoked_at is not None
    assert old.is_live
    assert old.revoked_at - timezone.now() < timedelta(hours=1, minutes=1)
    page = admin.open("security").content.decode()
    assert "Enter the new key in your identity provider: on" in page
    assert "Being replaced" in page


def test_a_leaked_key_stops_at_once(admin: Pages) -> None:
    admin.turn_on()
    old = AccessKey.objects.get()
    form = admin.form("key_rotate", old.public_id) | {"keep_old_for": "0"}
    admin.send("key_rotate", old.public_id, **form)
    old.refresh_from_db()
    assert not old.is_live
    assert AccessKey.objects.exclude(pk=old.pk).get().is_live


def test_a_repeated_replacement_makes_no_third_key(admin: Pages) -> None:
    admin.turn_on()
    old = AccessKey.objects.get()
    form = admin.form("key_rotate", old.public_id)
    admin.send("key_rotate", old.public_id, **form)
    admin.send("key_rotate", old.public_id, **form)
    assert AccessKey.objects.count() == 2


def test_a_replacement_is_cancelled(admin: Pages) -> None:
    admin.turn_on()
    old = AccessKey.objects.get()
    admin.send("key_rotate", old.public_id, **admin.form("key_rotate", old.public_id))
    assert "Keep the old key?" in admin.open("key_cancel_rotation", old.public_id).content.decode()
    page = admin.send("key_cancel_rotation", old.public_id, follow=True).content.decode()
    assert f"ending in {old.last4} stays" in page
    assert [key.pk for key in AccessKey.objects.all() if key.is_live] == [old.pk]
    again = admin.send("key_cancel_rotation", old.public_id, follow=True).content.decode()
    assert "not being replaced any more" in again


def test_revoking_asks_first_and_says_what_happens(admin: Pages) -> None:
    admin.turn_on()
    key = AccessKey.objects.get()
    question = admin.open("key_revoke", key.public_id).content.decode()
    assert "It has never been used." in question
    assert "It is the only working key" in question
    assert AccessKey.objects.get().is_live
    page = admin.send("key_revoke", key.public_id, follow=True).content.decode()
    assert "is revoked" in page
    assert "No working key" in page
    assert not AccessKey.objects.get().is_live


def test_turning_off_asks_first_and_keeps_everybody(admin: Pages, off: Connection) -> None:
    admin.turn_on()
    question = admin.open("disable").content.decode()
    assert "0 people" in question
    assert "stay as they are" in question
    off.refresh_from_db()
    assert off.enabled
    page = admin.send("disable", follow=True).content.decode()
    off.refresh_from_db()
    assert not off.enabled
    assert not AccessKey.objects.get().is_live
    assert "SCIM provisioning is off" in page
    assert "Turned off on" in page


def test_two_live_keys_from_elsewhere_are_told_about(admin: Pages, off: Connection) -> None:
    keys.create_key(off)
    keys.create_key(off)
    form = admin.enable_form()
    page = admin.send("enable", **form, follow=True).content.decode()
    assert "Two access keys work already" in page


def test_turning_on_again_makes_a_new_key(admin: Pages) -> None:
    first = admin.secret(admin.turn_on())
    admin.send("disable")
    assert admin.secret(admin.turn_on()) != first
