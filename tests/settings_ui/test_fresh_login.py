"""Keys are made soon after a log-in only, where the site says so: of this session, by password."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.signals import user_login_failed
from django.utils import timezone

from example_project.accounts.models import Account
from scim_provider.models import AccessKey
from settings_ui.access import CONFIRMED_AT
from tests.settings_ui.pages import Pages

from .conftest import pages_of

pytestmark = pytest.mark.django_db

CONFIRM = "/settings/security/scim/confirm-password/"


@pytest.fixture(autouse=True)
def fresh(settings: Any) -> None:
    settings.SCIM_SETTINGS_UI = {"REAUTHENTICATE_AFTER": 900}


@pytest.fixture
def dana(admin_account: Account) -> Account:
    admin_account.set_password("pass-phrase")
    admin_account.save(update_fields=["password"])
    return admin_account


@pytest.fixture
def old(dana: Account) -> Pages:
    """The pages in a session that logged in an hour ago."""
    pages = pages_of(dana)
    session = pages.client.session
    session[CONFIRMED_AT] = (timezone.now() - timedelta(hours=1)).isoformat()
    session.save()
    Account.objects.update(last_login=timezone.now() - timedelta(hours=1))
    return pages


@pytest.fixture
def failures() -> Iterator[list[str]]:
    """The login names that failed, as packages that lock out hear of them."""
    heard: list[str] = []

    def hear(sender: Any, credentials: Any, request: Any = None, **kwargs: Any) -> None:
        assert request is not None
        heard.append(credentials["username"])

    user_login_failed.connect(hear)
    yield heard
    user_login_failed.disconnect(hear)


def is_asked(pages: Pages) -> bool:
    answer = pages.send("enable", **pages.enable_form())
    if answer.status_code == 302:
        assert answer.headers["Location"].startswith(CONFIRM)
        assert not AccessKey.objects.exists()
        return True
    return not pages.secret(answer)


def test_who_has_just_logged_in_is_not_asked(dana: Account) -> None:
    assert not is_asked(pages_of(dana))


def test_an_old_log_in_is_asked_for_the_password(old: Pages, failures: list[str]) -> None:
    assert is_asked(old)
    wrong = old.send("confirm", password="nope")
    assert "This is not your password." in wrong.content.decode()
    assert is_asked(old)
    right = old.send("confirm", password="pass-phrase", next="//evil.example/")
    assert right.headers["Location"] == "/settings/security/"
    assert not is_asked(old)


def test_a_log_in_elsewhere_makes_an_old_session_no_fresher(old: Pages, dana: Account) -> None:
    pages_of(dana)  # logs in, now
    assert Account.objects.get(pk=dana.pk).last_login > timezone.now() - timedelta(minutes=1)
    assert is_asked(old)


def test_a_wrong_password_is_told_as_a_failed_log_in(old: Pages, failures: list[str]) -> None:
    old.send("confirm", password="nope")
    assert failures == ["dana@acme.com"]


class Directory(BaseBackend):
    """Passwords are kept elsewhere, and some people are locked out."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        name = {"directory": "dana@acme.com", "other": "eve@acme.com"}
        found = name.get(credentials["password"])
        return get_user_model().objects.filter(username=found).first()

    def get_user(self, user_id: Any) -> Any:
        return get_user_model().objects.filter(pk=user_id).first()


def test_the_site_s_own_backends_know_the_password(old: Pages, settings: Any) -> None:
    Account.objects.create(username="eve@acme.com")
    path = f"{__name__}.Directory"
    settings.AUTHENTICATION_BACKENDS = [path]
    old.client.force_login(Account.objects.get(username="dana@acme.com"), backend=path)
    session = old.client.session
    del session[CONFIRMED_AT]
    session.save()
    for wrong in ("pass-phrase", "other"):
        old.send("confirm", password=wrong)
        assert is_asked(old)
    old.send("confirm", password="directory")
    assert not is_asked(old)


def test_who_logs_in_without_a_password_reads_what_to_do(old: Pages) -> None:
    assert "No password here? Log out and log in again." in old.open("confirm").content.decode()


def test_without_the_setting_a_session_remembers_nothing(dana: Account, settings: Any) -> None:
    settings.SCIM_SETTINGS_UI = {}
    assert CONFIRMED_AT not in pages_of(dana).client.session
