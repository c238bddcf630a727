"""Where roles make administrators, no identity provider takes the last one away by a role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from example_project.accounts import scim as example
from example_project.accounts.models import Account
from scim_provider.existing import choose, unlink
from scim_provider.models import (
    Connection,
    Event,
    EventKind,
    ExistingPeople,
    Role,
    RoleAssignment,
    ScimUser,
)
from scim_provider.role_mapping import apply
from scim_provider.roles import roles_of
from tests.conftest import ScimClient
from tests.factories import AccountFactory, OrganizationAdminFactory

from .bulk_requests import results
from .fixture_answers import assert_error, group, user

pytestmark = pytest.mark.django_db

Act = Callable[[ScimClient, str], Any]


class AdminsByRole(example.Organizations):
    """The hook of docs/roles.md."""

    def roles_changed(self, accounts: Any, owner: Any) -> None:
        roles = roles_of(accounts)
        for account in accounts:
            account.is_organization_admin = any(
                role.value == "admin" for role in roles.get(account.pk, [])
            )
        type(accounts[0]).objects.bulk_update(accounts, ["is_organization_admin"])


@pytest.fixture(autouse=True)
def admins_by_role() -> Any:
    changed = {**settings.SCIM_PROVIDER, "ORGANIZATIONS": AdminsByRole}
    with override_settings(SCIM_PROVIDER=changed):
        yield


def assert_there_is_one() -> None:
    assert Account.objects.filter(is_organization_admin=True, is_active=True).exists()
    (told,) = Event.objects.filter(kind=EventKind.CHANGE_REFUSED)
    assert told.name == "ada@example.com"
    assert "the last active administrator of Acme" in told.reason


@pytest.mark.parametrize(
    "act",
    [
        lambda scim, path: scim.patch(path, {"op": "add", "path": "role", "value": "analyst"}),
        lambda scim, path: scim.patch(path, {"op": "remove", "path": "roles"}),
        lambda scim, path: scim.put(path, user(role="analyst", title="Countess")),
    ],
)
def test_the_last_one_keeps_the_role(act: Act, scim: ScimClient, connection: Connection) -> None:
    path = f"/Users/{scim.post('/Users', user(role='admin')).json()['id']}"
    assert "the last active administrator of Acme" in assert_error(act(scim, path), 403)
    assert scim.get(path).json()["role"] == "admin"
    assert_there_is_one()

    OrganizationAdminFactory(organization=connection.owner)
    assert act(scim, path).status_code == 200
    assert not Account.objects.get(username="ada@example.com").is_organization_admin


def test_nor_does_the_last_one_leave_the_group_that_gives_it(
    scim: ScimClient, connection: Connection
) -> None:
    ada = scim.post("/Users", user()).json()["id"]
    path = f"/Groups/{scim.post('/Groups', group('Admins', members=[{'value': ada}])).json()['id']}"
    apply(connection, {"rules": [{"group": "Admins", "role": "admin"}]})
    assert_error(scim.patch(path, {"op": "remove", "path": "members"}), 403)
    assert_error(scim.delete(path), 403)
    assert [each["value"] for each in scim.get(path).json()["members"]] == [ada]
    assert_there_is_one()

    bo = scim.post("/Users", user("bo@example.com", role="admin")).json()["id"]
    assert scim.delete(path).status_code == 204
    assert_error(scim.patch(f"/Users/{bo}", {"op": "remove", "path": "role"}), 403)


def test_nor_is_an_admin_by_hand_demoted_by_being_listed(
    scim: ScimClient, connection: Connection
) -> None:
    OrganizationAdminFactory(organization=connection.owner, username="ida")
    AccountFactory(organization=connection.owner, username="joe")
    connection.missing_role = "default"
    connection.save()
    Role.objects.filter(connection=connection, value="analyst").update(is_default=True)
    choose(connection, ExistingPeople.LIST)

    found = {each["userName"] for each in scim.get("/Users").json()["Resources"]}
    assert found >= {"ida", "joe"}
    assert Account.objects.get(username="ida").is_organization_admin
    given = RoleAssignment.objects.filter(user__connection=connection)
    assert {each.user.name for each in given} == {"joe"}


def test_nor_is_the_last_one_linked_with_another_role(
    scim: ScimClient, connection: Connection
) -> None:
    Connection.objects.update(existing_account="link")
    OrganizationAdminFactory(username="ada@example.com", organization=connection.owner)
    creates = [
        {"method": "POST", "path": "/Users", "bulkId": name, "data": user(name, role="analyst")}
        for name in ("ada@example.com", "bo@example.com")
    ]
    assert [each["status"] for each in results(scim, *creates)] == ["403", "201"]
    assert_there_is_one()


@pytest.mark.parametrize("policy", ["empty", "list"])
def test_what_a_role_gave_does_not_outlive_it(
    policy: str, scim: ScimClient, connection: Connection
) -> None:
    Connection.objects.update(existing_people=policy)
    OrganizationAdminFactory(organization=connection.owner)
    path = f"/Users/{scim.post('/Users', user(role='admin')).json()['id']}"
    account = Account.objects.filter(username="ada@example.com")
    assert account.get().is_organization_admin
    assert scim.delete(path).status_code == 204
    assert not account.get().is_organization_admin
    back = scim.post("/Users", user()).json()
    assert (account.get().is_active, account.get().is_organization_admin) == (True, False)

    scim.patch(f"/Users/{back['id']}", {"op": "add", "path": "role", "value": "admin"})
    assert account.get().is_organization_admin
    unlink(connection, ScimUser.objects.filter(name="ada@example.com"))
    assert (account.get().is_active, account.get().is_organization_admin) == (True, False)


def test_an_organization_that_has_none_goes_on(scim: ScimClient) -> None:
    path = f"/Users/{scim.post('/Users', user(role='analyst')).json()['id']}"
    changed = scim.patch(path, {"op": "add", "path": "role", "value": "support"})
    assert changed.status_code == 200
