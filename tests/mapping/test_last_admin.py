"""Who administers a site that does not say so: asked by a statement that is compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import UserManager
from django.test import override_settings

from example_project.accounts.models import Account
from scim_provider.mapping.last_admin import _by_default, is_last_admin
from scim_provider.models import Connection
from tests.api.test_groups import statements
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_organizations() -> Iterator[None]:
    changed = {k: v for k, v in settings.SCIM_PROVIDER.items() if k != "ORGANIZATIONS"}
    with override_settings(SCIM_PROVIDER=changed):
        yield


def test_a_superuser_who_is_alone_is_the_last(connection: Connection) -> None:
    ada, bo = AccountFactory(is_superuser=True), AccountFactory()
    assert is_last_admin(ada, connection)
    assert not is_last_admin(bo, connection)
    assert len(statements(lambda: is_last_admin(bo, connection))) == 1
    AccountFactory(is_superuser=True, is_active=False)
    assert is_last_admin(ada, connection)
    AccountFactory(is_superuser=True)
    assert not is_last_admin(ada, connection)


def test_a_manager_of_the_sites_own_is_asked_each_time(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden: list[Any] = []

    class Own(UserManager[Account]):
        def get_queryset(self) -> Any:
            return super().get_queryset().exclude(pk__in=hidden)

    monkeypatch.setattr(Account._default_manager, "__class__", Own)
    _by_default.cache_clear()
    try:
        ada = AccountFactory(is_superuser=True)
        assert is_last_admin(ada, connection)
        hidden.append(ada.pk)
        assert not is_last_admin(ada, connection)
    finally:
        _by_default.cache_clear()
