"""Who administers a site that does not say so: asked by a statement that is compiled once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import UserManager
from django.db import connection as database
from django.db.models import F, Q, QuerySet, Value
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from example_project.accounts import scim as example
from example_project.accounts.models import Account
from scim_provider.mapping.context import Context
from scim_provider.mapping.last_admin import _by_default, _told_by_columns, is_last_admin
from scim_provider.models import Connection, Resource
from scim_provider.resources import UserResource
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
    assert is_last_admin(Resource(account=ada), connection)
    assert not is_last_admin(Resource(account=bo), connection)
    assert len(statements(lambda: is_last_admin(Resource(account=bo), connection))) == 1
    AccountFactory(is_superuser=True, is_active=False)
    assert is_last_admin(Resource(account=ada), connection)
    AccountFactory(is_superuser=True)
    assert not is_last_admin(Resource(account=ada), connection)


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
        assert is_last_admin(Resource(account=ada), connection)
        hidden.append(ada.pk)
        assert not is_last_admin(Resource(account=ada), connection)
    finally:
        _by_default.cache_clear()


# -- what columns tell -----------------------------------------------------------------------------


def locked_row(connection: Connection, account: Account) -> Resource:
    row = Resource.objects.create(
        connection=connection,
        resource_type="User",
        name=account.username,
        account=account,
        created=timezone.now(),
        last_modified=timezone.now(),
    )
    found = UserResource().lock(Context(connection, ""), row.scim_id)
    assert found is not None
    return found


def of_columns(owner: Any) -> Any:
    return Account.objects.filter(organization=owner).filter(is_organization_admin=True)


def by_number(owner: Any) -> Any:
    return Account.objects.filter(organization_id=owner.pk, is_organization_admin=True)


#: What columns alone do not tell: more than equality, other tables, text, chance, a part of it.
OTHERS: dict[str, Callable[[Any], Any]] = {
    "or": lambda owner: Account.objects.filter(
        Q(is_organization_admin=True) | Q(pk=0), organization=owner
    ),
    "not": lambda owner: by_number(owner).exclude(pk=0),
    "text": lambda owner: by_number(owner).filter(first_name="Ada"),
    "range": lambda owner: by_number(owner).filter(pk__gt=0),
    "join": lambda owner: Account.objects.filter(
        organization__slug=owner.slug, is_organization_admin=True
    ),
    "several": lambda owner: by_number(owner).filter(pk__in=Account.objects.values("pk")),
    "columns": lambda owner: by_number(owner).filter(pk=F("pk")),
    "annotation": lambda owner: by_number(owner).annotate(one=Value(1)).filter(one=1),
    "slice": lambda owner: by_number(owner)[:1000],
    "union": lambda owner: by_number(owner).union(by_number(owner)),
}


def asked(connection: Connection, ask: Callable[[Any], Any], *, admin: bool) -> int:
    """How many statements it takes to see whether somebody is the last administrator."""

    class Own(example.Organizations):
        def admins(self, owner: Any) -> Any:
            return ask(owner)

    owner = connection.owner
    account = AccountFactory(organization=owner, is_organization_admin=admin, first_name="Ada")
    row = locked_row(connection, account)
    changed = {**settings.SCIM_PROVIDER, "ORGANIZATIONS": Own}
    with override_settings(SCIM_PROVIDER=changed), CaptureQueriesContext(database) as sent:
        assert is_last_admin(row, connection) is admin
    return len(sent)


@pytest.mark.parametrize("ask", [of_columns, by_number])
def test_columns_of_the_locked_account_tell_who_is_none(
    ask: Callable[[Any], Any], connection: Connection
) -> None:
    assert asked(connection, ask, admin=False) == 0
    assert asked(connection, ask, admin=True) >= 1


@pytest.mark.parametrize("name", [name for name in OTHERS if name not in ("slice", "union")])
def test_the_database_is_asked_for_everything_else(name: str, connection: Connection) -> None:
    assert asked(connection, OTHERS[name], admin=False) == 1
    assert asked(connection, OTHERS[name], admin=True) >= 2


@pytest.mark.parametrize("name", ["slice", "union"])
def test_what_cannot_be_filtered_is_not_taken_for_columns(
    name: str, connection: Connection
) -> None:
    account = AccountFactory(organization=connection.owner)
    assert _told_by_columns(OTHERS[name](connection.owner), account) is None


def test_numbers_are_compared(connection: Connection) -> None:
    account = AccountFactory(organization=connection.owner)
    everybody = Account.objects.filter(organization=connection.owner)
    assert _told_by_columns(everybody.filter(pk=account.pk), account) is True
    assert _told_by_columns(everybody.filter(pk=account.pk + 1), account) is False


def test_a_query_or_value_of_the_sites_own_is_not_taken_for_columns(connection: Connection) -> None:
    class Own(QuerySet[Account]):
        def filter(self, *args: Any, **kwargs: Any) -> Any:
            return super().filter(*args, **kwargs).exclude(first_name="gone")

    account = AccountFactory(organization=connection.owner, is_organization_admin=True)
    asked = by_number(connection.owner)
    assert _told_by_columns(asked, account) is True
    asked.__class__ = Own
    assert _told_by_columns(asked, account) is None
    account.is_organization_admin = "made of it by a field"
    assert _told_by_columns(by_number(connection.owner), account) is None


def test_an_account_that_is_not_locked_may_be_out_of_date(connection: Connection) -> None:
    account = AccountFactory(organization=connection.owner)
    Account.objects.filter(pk=account.pk).update(is_organization_admin=True)
    with override_settings(
        SCIM_PROVIDER={**settings.SCIM_PROVIDER, "ORGANIZATIONS": example.Organizations}
    ):
        assert is_last_admin(Resource(account=account), connection)
