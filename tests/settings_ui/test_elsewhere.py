"""Who administers the site and belongs to no organization: told where the settings are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from scim_provider.models import Connection
from settings_ui.elsewhere import MOST
from tests.factories import (
    AccountFactory,
    ConnectionFactory,
    OrganizationFactory,
    SuperuserFactory,
)

from .conftest import pages_of

pytestmark = pytest.mark.django_db


def test_a_superuser_reads_whose_settings_there_are(
    connection: Connection, other_connection: Connection
) -> None:
    Connection.objects.filter(pk=other_connection.pk).update(enabled=False)
    answer = pages_of(SuperuserFactory()).open("security")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-cache"
    page = answer.content.decode()
    assert "your account belongs to none" in page
    assert "scim_connection enable --organization NAME" in page
    for each, name in ((connection, "Acme"), (other_connection, "Globex")):
        url = reverse("admin:scim_provider_connection_change", args=[each.pk])
        assert f'<a href="{url}">{name}</a>' in page
    assert page.index("Acme") < page.index("Globex")
    assert "/settings/security/scim/" not in page


def test_who_may_see_connections_but_not_open_the_admin_gets_no_links(
    connection: Connection,
) -> None:
    account = AccountFactory(organization=None)
    account.user_permissions.add(Permission.objects.get(codename="view_connection"))
    page = pages_of(account).open("security").content.decode()
    assert "Acme" in page
    assert reverse("admin:scim_provider_connection_changelist") not in page


def test_names_are_text(db: None) -> None:
    ConnectionFactory(owner=OrganizationFactory(name="<b>Evil</b> & sons"))
    page = pages_of(SuperuserFactory()).open("security").content.decode()
    assert "&lt;b&gt;Evil&lt;/b&gt; &amp; sons" in page
    assert "<b>Evil" not in page


def test_where_no_organization_has_any_it_says_so(site_connection: Connection) -> None:
    page = pages_of(SuperuserFactory()).open("security").content.decode()
    assert "No organization has opened its settings yet." in page


def test_many_are_counted_and_cost_no_statement_more(db: None) -> None:
    pages = pages_of(SuperuserFactory())

    def opened() -> tuple[str, int]:
        with CaptureQueriesContext(database) as asked:
            return pages.open("security").content.decode(), len(asked)

    def make(number: int) -> None:
        moment = timezone.now() - timedelta(hours=number)
        ConnectionFactory(
            owner=OrganizationFactory(name=f"Org-{number:02}."), last_request_at=moment
        )

    make(0)
    opened()
    few: Any = opened()[1]
    for number in range(1, MOST + 3):
        make(number)
    page, many = opened()
    assert "And 3 more." in page
    named = [number for number in range(MOST + 3) if f"Org-{number:02}." in page]
    assert named == list(range(MOST))
    assert many <= few + 1  # the count
