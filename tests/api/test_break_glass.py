"""People whom no identity provider locks out: the protected ones, and the last administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from example_project.accounts.models import Account
from scim_provider.models import Connection, Event, EventKind, OnDelete, Resource, ScimUser
from scim_provider.organizations import MANAGE_PERMISSION, Organizations
from scim_provider.protection import protect
from tests.conftest import ScimClient
from tests.factories import AccountFactory, OrganizationAdminFactory, SuperuserFactory

from .bulk_requests import results
from .fixture_answers import assert_error, user

pytestmark = pytest.mark.django_db

Act = Callable[[ScimClient, str], Any]


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def patched(*operations: dict[str, Any]) -> Act:
    return lambda scim, path: scim.patch(path, *operations)


def put(**attributes: Any) -> Act:
    return lambda scim, path: scim.put(path, user(**attributes))


def deleted(scim: ScimClient, path: str) -> Any:
    return scim.delete(path)


def snapshot() -> Any:
    return (
        list(get_user_model().objects.order_by("pk").values()),
        list(Resource.objects.order_by("pk").values()),
    )


def admin(scim: ScimClient, name: str) -> dict[str, Any]:
    """A provisioned person whom the site made an administrator of the organization."""
    made: dict[str, Any] = scim.post("/Users", user(name)).json()
    Account.objects.filter(username=name).update(is_organization_admin=True)
    return made


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (patched(replace("active", False)), "is not deactivated"),
        (patched({"op": "Replace", "value": {"active": "False"}}), "is not deactivated"),
        (put(active=False), "is not deactivated"),
        (patched(replace("userName", "mallory@example.com")), "does not change userName"),
        (patched(replace("emails", [{"value": "m@example.com"}])), "does not change emails"),
        (patched(replace("password", "of somebody else 1")), "does not change password"),
        (patched({"op": "remove", "path": "role"}), "does not change role"),
        (put(), "does not change role"),
        (deleted, "is not deleted"),
    ],
)
def test_a_protected_person_stays_as_they_are(
    act: Act, said: str, scim: ScimClient, connection: Connection
) -> None:
    made = scim.post("/Users", user(role="admin")).json()
    protect(connection, ["ADA@example.com"])
    before = snapshot()
    assert said in assert_error(act(scim, f"/Users/{made['id']}"), 403)
    assert snapshot() == before
    (told,) = Event.objects.filter(kind=EventKind.CHANGE_REFUSED)
    assert (told.scim_id, told.account.username) == (made["id"], "ada@example.com")
    assert said in told.reason


def test_what_harms_nobody_is_changed_of_a_protected_person_too(
    scim: ScimClient, connection: Connection
) -> None:
    path = f"/Users/{scim.post('/Users', user(role='admin')).json()['id']}"
    protect(connection, ["ada@example.com"])
    assert scim.patch(path, replace("title", "Countess")).json()["title"] == "Countess"
    assert scim.put(path, user(role="admin", title="Countess", nickName="A")).status_code == 200
    protect(connection, ["ada@example.com"], protected=False)
    assert scim.patch(path, replace("active", False)).json()["active"] is False


def test_the_login_name_of_a_protected_person_keeps_its_spelling(
    scim: ScimClient, connection: Connection
) -> None:
    path = f"/Users/{scim.post('/Users', user('Ada@example.com')).json()['id']}"
    protect(connection, ["ada@example.com"])
    put = scim.put(path, user("ada@EXAMPLE.com", title="Countess"))
    assert (put.status_code, put.json()["title"]) == (200, "Countess")
    assert put.json()["userName"] == Account.objects.get().username == "Ada@example.com"


@pytest.mark.parametrize("on_delete", OnDelete.values)
@pytest.mark.parametrize("act", [patched(replace("active", False)), put(active=False), deleted])
def test_the_last_active_administrator_stays(
    act: Act, on_delete: str, scim: ScimClient, connection: Connection
) -> None:
    Connection.objects.update(on_delete=on_delete)
    path = f"/Users/{admin(scim, 'ada@example.com')['id']}"
    OrganizationAdminFactory(organization=connection.owner, is_active=False)
    OrganizationAdminFactory()  # of another organization
    before = snapshot()
    detail = assert_error(act(scim, path), 403)
    assert "the last active administrator of Acme" in detail
    assert snapshot() == before
    assert Event.objects.get(kind=EventKind.CHANGE_REFUSED).reason == detail

    OrganizationAdminFactory(organization=connection.owner)
    assert act(scim, path).status_code in (200, 204)


def test_a_bulk_request_leaves_one(scim: ScimClient) -> None:
    ids = [admin(scim, name)["id"] for name in ("ada", "bo", "cy")]
    done = results(scim, *({"method": "DELETE", "path": f"/Users/{each}"} for each in ids))
    assert [result["status"] for result in done] == ["204", "204", "403"]
    assert Account.objects.filter(is_organization_admin=True, is_active=True).count() == 1


def test_whoever_is_inactive_already_may_go(scim: ScimClient) -> None:
    path = f"/Users/{admin(scim, 'ada')['id']}"
    Account.objects.update(is_active=False)
    assert scim.delete(path).status_code == 204


def test_others_cost_one_statement_and_only_when_they_go(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        "example_project.accounts.scim.Organizations.admins",
        lambda self, owner: asked.append(owner) or Account.objects.none(),
    )
    path = f"/Users/{scim.post('/Users', user()).json()['id']}"
    scim.patch(path, replace("title", "Clerk"))
    scim.patch(path, replace("active", True))
    assert not asked
    scim.patch(path, replace("active", False))
    assert len(asked) == 1


def test_administrators_of_a_site_are_superusers_and_who_may_manage_scim() -> None:
    from django.contrib.auth.models import Group, Permission

    app, _, codename = MANAGE_PERMISSION.partition(".")
    permission = Permission.objects.get(content_type__app_label=app, codename=codename)
    group = Group.objects.create(name="IT")
    group.permissions.add(permission)
    superuser, member, other, _nobody = (
        SuperuserFactory(),
        AccountFactory(),
        AccountFactory(),
        AccountFactory(),
    )
    member.groups.add(group)
    other.user_permissions.add(permission)
    other.groups.add(group)
    assert set(Organizations().admins(None)) == {superuser, member, other}
    assert Organizations().admins(None).count() == 3


def test_an_attempt_on_staff_leaves_an_event(scim: ScimClient) -> None:
    made = scim.post("/Users", user()).json()
    Account.objects.update(is_staff=True)
    assert_error(scim.patch(f"/Users/{made['id']}", replace("title", "x")), 403)
    assert "administrator of this site" in Event.objects.get().reason
    assert ScimUser.objects.get().version == 1
