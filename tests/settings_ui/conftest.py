from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from example_project.accounts.models import Account, Organization
from example_project.accounts.scim import Organizations
from scim_provider.connections import connection_for
from scim_provider.models import Connection
from tests.factories import AccountFactory, OrganizationAdminFactory
from tests.settings_ui.pages import Pages


def pages_of(account: Account | None) -> Pages:
    client = Client(enforce_csrf_checks=False)
    if account is not None:
        client.force_login(account)
    return Pages(client)


@pytest.fixture
def admin_account(organization: Organization) -> Account:
    return OrganizationAdminFactory(organization=organization, username="dana@acme.com")


@pytest.fixture
def admin(admin_account: Account) -> Pages:
    """The pages as an admin of Acme opens them."""
    return pages_of(admin_account)


@pytest.fixture
def member(organization: Organization) -> Pages:
    return pages_of(AccountFactory(organization=organization))


@pytest.fixture
def off(organization: Organization) -> Connection:
    """Acme's connection, never turned on."""
    return connection_for(organization)


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Changes what the site's organizations class answers: ``plans(entitlement=…)``."""

    def change(**methods: Any) -> None:
        for name, answer in methods.items():
            monkeypatch.setattr(Organizations, name, lambda self, *args, answer=answer: answer)

    return change
