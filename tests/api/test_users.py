"""Users over HTTP: the resource, its account, and what stays untouched (RFC 7644 §3.3–§3.6)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model

from scim_provider.models import Connection, OnDelete, Resource
from tests.conftest import ScimClient
from tests.factories import AccountFactory, OrganizationFactory, SuperuserFactory

pytestmark = pytest.mark.django_db

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
KLAXON = "urn:ietf:params:scim:schemas:extension:klaxon:2.0:User"
Account = get_user_model()


def person(user_name: str = "ana@example.com", **attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": user_name, **attributes}


def test_a_created_user_has_an_account_with_its_names_and_mail(scim: ScimClient) -> None:
    answer = scim.post(
        "/Users",
        person(
            name={"givenName": "Ana", "familyName": "Silva"},
            emails=[{"value": "ana@work.example", "type": "work", "primary": True}],
        ),
    )
    assert answer.status_code == 201
    account = Account.objects.get(username="ana@example.com")
    assert (account.first_name, account.last_name) == ("Ana", "Silva")
    assert account.email == "ana@work.example"
    assert account.is_active
    assert not account.has_usable_password()
    assert account.organization.name == "Acme"


def test_the_answer_says_where_the_user_is_and_when_it_was_made(scim: ScimClient) -> None:
    answer = scim.post("/Users", person())
    document = answer.json()
    assert answer["Location"] == document["meta"]["location"]
    assert answer["ETag"] == document["meta"]["version"]
    assert document["meta"]["created"] == document["meta"]["lastModified"]
    assert document["active"] is True
    assert scim.get(f"/Users/{document['id']}").json() == document


def test_what_the_site_changes_on_the_account_is_what_scim_answers(scim: ScimClient) -> None:
    made = scim.post("/Users", person(name={"givenName": "Ana"})).json()
    Account.objects.filter(username="ana@example.com").update(first_name="Anna", is_active=False)
    seen = scim.get(f"/Users/{made['id']}").json()
    assert seen["name"]["givenName"] == "Anna"
    assert seen["active"] is False
    found = scim.get("/Users", filter='name.givenName eq "ANNA" and active eq false').json()
    assert found["totalResults"] == 1


@pytest.mark.parametrize("user_name", ["ana@example.com", "ANA@EXAMPLE.COM"])
def test_a_taken_user_name_is_a_conflict_in_any_case(scim: ScimClient, user_name: str) -> None:
    scim.post("/Users", person(nickName="Annie"))
    answer = scim.post("/Users", person(user_name))
    assert answer.status_code == 409
    assert answer.json()["scimType"] == "uniqueness"
    assert Resource.objects.get().document == {"nickName": "Annie"}


def test_an_existing_account_is_never_taken_over(scim: ScimClient) -> None:
    account = AccountFactory(username="boss@example.com", first_name="Old")
    answer = scim.post("/Users", person("boss@example.com", name={"givenName": "New"}))
    assert answer.status_code == 409
    account.refresh_from_db()
    assert account.first_name == "Old"
    assert not Resource.objects.exists()


def test_a_superuser_that_is_a_user_cannot_be_changed_or_deleted(scim: ScimClient) -> None:
    made = scim.post("/Users", person()).json()
    Account.objects.update(is_superuser=True)
    path = f"/Users/{made['id']}"
    refused = [
        scim.patch(path, {"op": "replace", "path": "active", "value": False}),
        scim.put(path, person(active=False)),
        scim.delete(path),
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert Account.objects.get().is_active


def test_nobody_else_of_the_site_is_visible(scim: ScimClient) -> None:
    SuperuserFactory()
    AccountFactory()
    assert scim.get("/Users").json()["totalResults"] == 0


def test_a_deactivated_user_cannot_log_in_and_stays_visible(scim: ScimClient) -> None:
    made = scim.post("/Users", person(password="a long enough phrase")).json()
    credentials = {"username": "ana@example.com", "password": "a long enough phrase"}
    assert authenticate(**credentials)
    scim.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": False}})
    assert authenticate(**credentials) is None
    assert scim.get(f"/Users/{made['id']}").json()["active"] is False
    scim.patch(f"/Users/{made['id']}", {"op": "Replace", "path": "active", "value": "True"})
    assert authenticate(**credentials)


def test_a_profile_put_keeps_the_stored_state_of_active(scim: ScimClient) -> None:
    made = scim.post("/Users", person(active=False, title="Clerk")).json()
    answer = scim.put(f"/Users/{made['id']}", person(nickName="Annie"))
    assert answer.json()["active"] is False
    assert "title" not in answer.json()
    assert answer.json()["nickName"] == "Annie"


def test_a_password_is_set_and_never_shown_or_stored_in_clear(scim: ScimClient) -> None:
    answer = scim.post("/Users?attributes=password,userName", person(password="s3cret phrase!"))
    assert "password" not in answer.json()
    assert Account.objects.get().check_password("s3cret phrase!")
    assert "s3cret" not in str(Resource.objects.values())


def test_a_password_that_the_site_refuses_changes_nothing(scim: ScimClient) -> None:
    answer = scim.post("/Users", person(password="short"))
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert not Account.objects.exists()


def test_a_deleted_user_is_gone_and_the_account_is_locked_out(scim: ScimClient) -> None:
    made = scim.post("/Users", person()).json()
    assert scim.delete(f"/Users/{made['id']}").status_code == 204
    assert scim.get(f"/Users/{made['id']}").status_code == 404
    assert scim.delete(f"/Users/{made['id']}").status_code == 404
    assert scim.get("/Users", filter='userName eq "ana@example.com"').json()["totalResults"] == 0
    assert not Account.objects.get().is_active


def test_a_person_who_returns_gets_the_same_account_and_a_new_id(scim: ScimClient) -> None:
    first = scim.post("/Users", person()).json()
    account = Account.objects.get()
    scim.delete(f"/Users/{first['id']}")
    second = scim.post("/Users", person("Ana@example.com"))
    assert second.status_code == 201
    assert second.json()["id"] != first["id"]
    assert Account.objects.get().pk == account.pk
    assert Account.objects.get().is_active


def test_a_connection_may_delete_accounts_for_good(
    scim: ScimClient, connection: Connection
) -> None:
    connection.on_delete = OnDelete.DELETE
    connection.save()
    made = scim.post("/Users", person()).json()
    assert scim.delete(f"/Users/{made['id']}").status_code == 204
    assert not Account.objects.exists()


def test_another_connection_sees_nothing(scim: ScimClient, other_scim: ScimClient) -> None:
    made = scim.post("/Users", person(externalId="e1")).json()
    path = f"/Users/{made['id']}"
    assert other_scim.get(path).status_code == 404
    assert other_scim.put(path, person(active=False)).status_code == 404
    assert other_scim.delete(path).status_code == 404
    for text in ('externalId eq "e1"', f'id eq "{made["id"]}"', 'userName co "a"'):
        assert other_scim.get("/Users", filter=text).json()["totalResults"] == 0
    assert scim.get(path).json() == made


def test_a_patch_that_changes_nothing_moves_neither_version_nor_date(scim: ScimClient) -> None:
    made = scim.post("/Users", person(title="Clerk")).json()
    path = f"/Users/{made['id']}"
    answer = scim.patch(path, {"op": "replace", "path": "title", "value": "Clerk"})
    assert answer.json()["meta"] == made["meta"]
    answer = scim.patch(path, {"op": "replace", "path": "title", "value": "Chief"})
    assert answer.json()["meta"]["version"] != made["meta"]["version"]
    assert answer.json()["meta"]["lastModified"] > made["meta"]["lastModified"]


def test_a_failing_operation_leaves_nothing_of_the_ones_before_it(scim: ScimClient) -> None:
    made = scim.post("/Users", person(title="Clerk")).json()
    answer = scim.patch(
        f"/Users/{made['id']}",
        {"op": "replace", "path": "title", "value": "Chief"},
        {"op": "replace", "path": "nosuch", "value": "x"},
    )
    assert answer.status_code == 400
    assert scim.get(f"/Users/{made['id']}").json() == made


def test_renaming_to_a_taken_name_is_a_conflict(scim: ScimClient) -> None:
    scim.post("/Users", person("bo@example.com"))
    made = scim.post("/Users", person()).json()
    path = f"/Users/{made['id']}"
    answer = scim.patch(path, {"op": "replace", "path": "userName", "value": "BO@example.com"})
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    assert scim.put(path, person("bo@example.com")).status_code == 409
    answer = scim.patch(path, {"op": "replace", "path": "userName", "value": "ANA@example.com"})
    assert answer.status_code == 200
    assert Account.objects.filter(username="ANA@example.com").exists()


def test_a_value_longer_than_the_column_is_refused_with_its_limit(scim: ScimClient) -> None:
    for body in (person("x" * 300), person(name={"givenName": "x" * 300})):
        answer = scim.post("/Users", body)
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        assert "150" in answer.json()["detail"] or "256" in answer.json()["detail"]
    assert not Resource.objects.exists()


def test_every_attribute_of_the_schemas_is_kept(scim: ScimClient) -> None:
    body = person(
        externalId="00u1",
        displayName="Ana Silva",
        profileUrl="https://example.com/" + "a" * 700,
        phoneNumbers=[{"value": "+351 1", "type": "mobile"}, {"value": "+351 2", "type": "work"}],
        addresses=[{"type": "work", "locality": "Porto", "country": "PT"}],
        x509Certificates=[{"value": "MIIBAAo="}],
        entitlements=[{"value": "e1", "primary": True}],
        **{ENTERPRISE: {"department": "Sales", "manager": {"value": "m1"}}},
    )
    made = scim.post("/Users", body).json()
    assert {name: made[name] for name in body if name != "schemas"} == {
        name: value for name, value in body.items() if name != "schemas"
    }
    assert made["schemas"] == [USER, ENTERPRISE]
    long = body["profileUrl"]
    for text in (f'profileUrl eq "{long}"', 'profileUrl ew "aaa"', 'phoneNumbers.value co "351 2"'):
        assert scim.get("/Users", filter=text).json()["totalResults"] == 1


def test_the_manager_is_shown_by_reference_and_on_request_by_name(scim: ScimClient) -> None:
    boss = scim.post("/Users", person("boss@example.com", displayName="The Boss")).json()
    made = scim.post("/Users", person(**{ENTERPRISE: {"manager": boss["id"]}})).json()
    shown = {"value": boss["id"], "$ref": boss["meta"]["location"]}
    assert made[ENTERPRISE]["manager"] == shown
    name = f"{ENTERPRISE}:manager.displayName"
    asked = scim.get(f"/Users/{made['id']}", attributes=name).json()
    assert asked[ENTERPRISE] == {"manager": {"displayName": "The Boss"}}


def test_active_may_be_unassigned_which_lets_nobody_in(scim: ScimClient) -> None:
    made = scim.post("/Users", person(active=False)).json()
    path = f"/Users/{made['id']}"
    assert "active" not in scim.patch(path, {"op": "remove", "path": "active"}).json()
    assert not Account.objects.get().is_active
    assert scim.put(path, person(active=True)).json()["active"] is True
    assert Account.objects.get().is_active


def test_an_unknown_location_becomes_default_and_is_answered_as_sent(scim: ScimClient) -> None:
    made = scim.post("/Users", person(**{KLAXON: {"location": "Atlantis"}})).json()
    assert made[KLAXON]["location"] == "Atlantis"
    account = Account.objects.get()
    assert account.location.name == "Default"
    answer = scim.patch(
        f"/Users/{made['id']}",
        {"op": "Add", "path": f"{KLAXON}:notificationPhoneNumber", "value": "+44 20"},
    )
    assert answer.json()[KLAXON]["notificationPhoneNumber"] == "+44 20"
    account.refresh_from_db()
    assert account.mobile == "+44 20"


@pytest.mark.parametrize("sent", ["boss@example.com", "BOSS@EXAMPLE.COM", "Boss@example.com"])
def test_the_usual_spellings_of_a_taken_login_name_are_a_conflict(
    scim: ScimClient, sent: str
) -> None:
    AccountFactory(username="Boss@example.com")
    assert scim.post("/Users", person(sent)).status_code == 409
    assert Account.objects.count() == 1


def test_an_account_that_moved_to_another_organization_is_not_taken_back(
    scim: ScimClient,
) -> None:
    made = scim.post("/Users", person()).json()
    scim.delete(f"/Users/{made['id']}")
    Account.objects.update(organization=OrganizationFactory(name="Globex"))
    assert scim.post("/Users", person()).status_code == 409
    assert Account.objects.get().organization.name == "Globex"


def test_more_values_than_anybody_has_are_refused(scim: ScimClient) -> None:
    emails = [{"value": f"{n}@example.com"} for n in range(1001)]
    answer = scim.post("/Users", person(emails=emails))
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert "1000" in answer.json()["detail"]
