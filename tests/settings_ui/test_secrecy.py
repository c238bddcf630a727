"""A key is in the one answer that shows it, and nowhere else."""

from __future__ import annotations

import logging
import sys
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.signals import got_request_exception
from django.db import connection as database
from django.test import Client
from django.views.debug import ExceptionReporter
from django.views.decorators.debug import sensitive_variables

from example_project.accounts.models import Account
from scim_provider import keys
from scim_provider.models import AccessKey
from settings_ui import texts
from tests.settings_ui.pages import SECRET, Pages

pytestmark = pytest.mark.django_db


def every_row() -> str:
    """All tables as text, sessions and migrations too."""
    with database.cursor() as cursor:
        rows = []
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return repr(rows)


def make_a_key(admin: Pages, how: str) -> Any:
    if how == "enable":
        return admin.turn_on()
    admin.turn_on()
    if how == "new":
        return admin.send("key_new", **admin.form("key_new"))
    public_id = AccessKey.objects.get().public_id
    return admin.send("key_rotate", public_id, **admin.form("key_rotate", public_id))


@pytest.mark.parametrize("how", ["enable", "new", "rotate"])
def test_the_key_is_in_the_answer_and_in_no_table_cookie_session_or_log(
    admin: Pages, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = make_a_key(admin, how)
    secret = admin.secret(answer)
    hidden = secret[14:-4]
    assert hidden not in every_row()
    assert hidden not in caplog.text
    assert hidden not in str(answer.headers)
    assert hidden not in str(admin.client.cookies)
    assert all(hidden not in str(session.get_decoded()) for session in Session.objects.all())
    for name in ("security", "disable", "status", "key_new"):
        assert hidden not in admin.open(name).content.decode()


def test_every_table_is_really_searched(admin: Pages) -> None:
    admin.turn_on()
    assert AccessKey.objects.get().digest in every_row()
    assert apps.get_model("scim_provider.Connection").objects.get().owner_key in every_row()


def test_the_key_page_is_stored_nowhere(admin: Pages) -> None:
    answer = admin.turn_on()
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_no_other_page_ever_matches_a_key(admin: Pages) -> None:
    admin.turn_on()
    key = AccessKey.objects.get()
    for name, args in (("security", []), ("key_revoke", [key.public_id])):
        page = admin.open(name, *args).content.decode()
        assert not SECRET.search(page)
        assert key.last4 in page


def test_an_error_report_does_not_quote_the_key(
    admin_account: Account, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    made: list[keys.NewKey] = []
    reports: list[str] = []
    create = keys.create_key

    def remember(*args: Any, **kwargs: Any) -> keys.NewKey:
        made.append(create(*args, **kwargs))
        return made[-1]

    def fail(secret: str) -> str:
        raise RuntimeError("broken")

    def report(request: Any, **kwargs: Any) -> None:
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    monkeypatch.setattr(keys, "create_key", remember)
    monkeypatch.setattr(keys, "authorization_value", fail)
    monkeypatch.setattr(texts, "authorization_value", sensitive_variables("secret")(fail))
    got_request_exception.connect(report)
    client = Client(raise_request_exception=False)
    client.force_login(admin_account)
    answer = Pages(client).turn_on()
    got_request_exception.disconnect(report)
    assert answer.status_code == 500
    assert "RuntimeError" in reports[0]
    assert "key_file" in reports[0]
    assert made[0].secret not in reports[0] + answer.content.decode()
