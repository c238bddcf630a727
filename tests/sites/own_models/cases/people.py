"""Accounts of a user model of the site's own are made, changed, locked out and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import is_password_usable
from django.test import override_settings

from scim_provider.models import Connection
from scim_provider.resources import UserResource
from tests.scim_client import ScimClient
from tests.sites.own_models.people.scim import STAFF

from .columns import body, create

pytestmark = pytest.mark.django_db
Account = get_user_model()


class Forgetful(UserResource):
    """Maps nothing to a column that every account must have."""


def is_locked_out(account: Any) -> bool:
    return not account.is_active or getattr(account, "status", "in") == "out"


def test_the_sites_own_manager_makes_accounts_and_loses_nothing(scim: ScimClient) -> None:
    made = create(scim, "ada@x.test", level=3, notes="first")
    account = Account.objects.get()
    assert account.welcomed
    assert (account.email, account.full_name, account.level) == ("ada@x.test", "Ada", 3)
    assert not is_password_usable(account.password)
    assert made["name"] == {"formatted": "Ada"}
    assert made[STAFF.id]["notes"] == "first"


def test_a_bulk_request_makes_accounts_in_the_sites_own_way_too(scim: ScimClient) -> None:
    people = [body(f"p{number}@x.test", level=number) for number in range(4)]
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(number), "data": person}
        for number, person in enumerate([*people, body("P1@x.test")])
    ]
    request = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    }
    answered = scim.post("/Bulk", request).json()["Operations"]
    assert [one["status"] for one in answered] == ["201"] * 4 + ["409"]
    made = Account.objects.order_by("level").values_list("email", "level", "welcomed")
    assert list(made) == [(f"p{number}@x.test", number, True) for number in range(4)]


def test_a_linked_account_keeps_the_spelling_of_its_login_name(scim: ScimClient) -> None:
    Connection.objects.update(existing_account="link")
    account = Account.objects.create_user("ada@x.test", cost_center=1)
    made = create(scim, "Ada@X.test")
    assert made["userName"] == "Ada@X.test"
    assert Account.objects.get().email == "ada@x.test"
    renamed = {"op": "replace", "path": "userName", "value": "ADA@x.test"}
    assert scim.patch(f"/Users/{made['id']}", renamed).json()["userName"] == "ADA@x.test"
    renamed["value"] = "countess@x.test"
    scim.patch(f"/Users/{made['id']}", renamed)
    account.refresh_from_db()
    assert account.email == "countess@x.test"


NAMES: dict[str, tuple[list[tuple[str, dict[str, Any]]], str]] = {
    "of its parts": ([("put", {"givenName": "Ada", "familyName": "Byron"})], "Ada Byron"),
    "of one part": ([("put", {"familyName": "Byron"})], "Byron"),
    "as the client says": (
        [("put", {"givenName": "Ada", "familyName": "Byron", "formatted": "Byron, Ada"})],
        "Byron, Ada",
    ),
    "again with a part that changes": (
        [("put", {"givenName": "Ada", "familyName": "Byron"}), ("patch", {"familyName": "King"})],
        "Ada King",
    ),
    "in the client's own form until it says another": (
        [
            ("put", {"givenName": "A", "familyName": "B", "formatted": "B, A"}),
            ("patch", {"familyName": "C"}),
        ],
        "B, A",
    ),
    "of an account that was there, until both parts are known": (
        [("patch", {"givenName": "Ada"})],
        "There Before",
    ),
    "of an account that was there, of both": (
        [("patch", {"givenName": "Ada", "familyName": "Byron"})],
        "Ada Byron",
    ),
    "by nothing": ([("patch", {"honorificPrefix": "Dr."})], "There Before"),
}


@pytest.mark.parametrize(("requests", "expected"), NAMES.values(), ids=NAMES)
def test_one_column_has_the_whole_name(
    scim: ScimClient, requests: list[tuple[str, dict[str, Any]]], expected: str
) -> None:
    path = f"/Users/{create(scim, 'ada@x.test')['id']}"
    Account.objects.update(full_name="There Before")
    for method, name in requests:
        if method == "put":
            answer = scim.put(path, {**body("ada@x.test"), "name": name})
        else:
            parts = [{"op": "replace", "path": f"name.{k}", "value": v} for k, v in name.items()]
            answer = scim.patch(path, *parts)
        assert answer.status_code == 200, answer.content
    assert Account.objects.get().full_name == expected
    assert answer.json()["name"]["formatted"] == expected
    assert scim.get("/Users", filter=f'name.formatted eq "{expected}"').json()["totalResults"] == 1


def test_people_are_renamed_locked_out_deleted_and_come_back(scim: ScimClient) -> None:
    made = create(scim, "ada@x.test")
    path = f"/Users/{made['id']}"
    renamed = scim.patch(path, {"op": "replace", "path": "userName", "value": "ada.l@x.test"})
    assert (renamed.status_code, Account.objects.get().email) == (200, "ada.l@x.test")
    left = scim.patch(path, {"op": "replace", "path": "active", "value": False})
    assert (left.json()["active"], is_locked_out(Account.objects.get())) == (False, True)
    (found,) = scim.get("/Users", filter="active eq false").json()["Resources"]
    assert found["id"] == made["id"]
    back = scim.patch(path, {"op": "replace", "path": "active", "value": True})
    assert (back.json()["active"], is_locked_out(Account.objects.get())) == (True, False)
    assert scim.delete(path).status_code == 204
    assert is_locked_out(Account.objects.get())
    again = create(scim, "ada.l@x.test")
    assert again["id"] != made["id"]
    assert not is_locked_out(Account.objects.get())


def test_a_login_name_that_the_site_has_is_refused(scim: ScimClient) -> None:
    Account.objects.create_user("ada@x.test", cost_center=1)
    answer = scim.post("/Users", body("ADA@x.test"))
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")


def test_a_group_of_people_with_own_accounts(scim: ScimClient) -> None:
    ids = [create(scim, f"p{number}@x.test")["id"] for number in range(2)]
    members = [{"value": scim_id} for scim_id in ids]
    made = scim.post("/Groups", {"displayName": "All", "members": members}).json()
    found = scim.get("/Users", filter=f'groups.value eq "{made["id"]}"').json()
    assert found["totalResults"] == 2


def test_an_account_without_what_the_site_needs_is_refused_in_words(scim: ScimClient) -> None:
    with override_settings(SCIM_PROVIDER={"RESOURCE_TYPES": [Forgetful]}):
        single = scim.post("/Users", {"userName": "ada@x.test"})
    assert single.status_code == 400, single.content
    assert "needs a value for cost center" in single.json()["detail"]
    assert not Account.objects.exists()


def test_the_required_column_cannot_be_taken_away(scim: ScimClient) -> None:
    made = create(scim, "ada@x.test")
    answer = scim.patch(f"/Users/{made['id']}", {"op": "remove", "path": f"{STAFF.id}:costCenter"})
    assert (answer.status_code, Account.objects.get().cost_center) == (400, 1)
