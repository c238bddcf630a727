"""Attempts on accounts that are not the organization's: refused in every way, and told."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from example_project.accounts.models import Account, Organization
from scim_provider import existing
from scim_provider.models import Connection, Event, EventKind, Resource
from tests.api.fixture_answers import assert_error, user
from tests.api.test_linking import BULK, WAYS, create
from tests.conftest import ScimClient
from tests.factories import AccountFactory, OrganizationFactory, SuperuserFactory

pytestmark = pytest.mark.django_db

VICTIMS = ["other organization", "staff", "superuser", "no organization"]
#: What looks like "victim@globex.example", or is taken for it.
LOOK_ALIKES = [
    "victim@globex.example",
    "Victim@Globex.Example",
    "VICTIM@GLOBEX.EXAMPLE",
    " victim@globex.example\t",
    "victim@globex.example.",
    "ｖｉｃｔｉｍ＠globex.example",
    "viсtim@globex.example",
    "vіctіm@glοbex.example",
    "vic\u200btim@globex.example",
    "\ufeffvictim@globex.example",
    "vic\u00adtim@globex.example\u2060",
    "victim@globex。example",
]


@pytest.fixture(params=["reject", "link"])
def policy(request: pytest.FixtureRequest, connection: Connection) -> Connection:
    connection.existing_account = request.param
    connection.save()
    return connection


def victim_of(kind: str, organization: Organization) -> Account:
    names = {"username": "victim@globex.example", "email": "victim@globex.example"}
    if kind == "superuser":
        return SuperuserFactory(**names)
    if kind == "staff":
        return AccountFactory(organization=organization, is_staff=True, **names)
    home = None if kind == "no organization" else OrganizationFactory()
    return AccountFactory(organization=home, **names)


def untouched(victim: Account) -> bool:
    before = {field.attname: getattr(victim, field.attname) for field in victim._meta.fields}
    return Account.objects.values().get(pk=victim.pk) == before


@pytest.mark.parametrize("kind", VICTIMS)
@pytest.mark.parametrize("way", WAYS)
def test_nobody_elses_account_is_taken_over(
    scim: ScimClient, policy: Connection, organization: Organization, kind: str, way: str
) -> None:
    victim = victim_of(kind, organization)
    body = user(victim.username, active=False, password="Tr0ub4dor and more")
    assert create(scim, way, body) == 409
    assert untouched(victim)
    told = Event.objects.get()
    assert (told.kind, told.account) == (EventKind.LINK_REFUSED, victim)
    assert not Resource.objects.filter(account=victim).exists()


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_no_name_that_looks_like_a_taken_one_is_given(
    scim: ScimClient, policy: Connection, organization: Organization, name: str
) -> None:
    victim = victim_of("other organization", organization)
    ada = scim.post("/Users", user("ada")).json()
    url, rename = f"/Users/{ada['id']}", {"op": "replace", "path": "userName", "value": name}
    mail = [{"value": name, "primary": True}]
    moved = {"op": "replace", "path": "emails", "value": mail}
    bulk = {"schemas": [BULK], "Operations": []}
    attempts = [
        *(partial(create, scim, way, user(name)) for way in WAYS),
        *(partial(create, scim, way, user("eve", emails=mail)) for way in WAYS),
        *(partial(scim.put, url, body) for body in (user(name), user("ada", emails=mail))),
        *(partial(scim.patch, url, change) for change in (rename, moved)),
        *(
            partial(scim.post, "/Bulk", bulk | {"Operations": [operation]})
            for operation in (
                {"method": "PUT", "path": url, "data": user(name)},
                {"method": "PATCH", "path": url, "data": _patch(rename)},
                {"method": "PATCH", "path": url, "data": _patch(moved)},
            )
        ),
    ]
    for attempt in attempts:
        assert _status(attempt()) == 409, attempt
        told = Event.objects.get()
        assert (told.kind, told.account) == (EventKind.LINK_REFUSED, victim), attempt
        told.delete()
    assert untouched(victim)
    assert scim.get(url).json() == ada


def _status(answer: Any) -> int:
    """The status of a request, or of the only operation of a Bulk request."""
    if isinstance(answer, int):
        return answer
    operations = answer.json().get("Operations")
    return int(operations[0]["status"]) if operations else int(answer.status_code)


def test_the_same_attempt_is_told_once_a_day(
    scim: ScimClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = victim_of("other organization", organization)
    for way in (*WAYS, *WAYS):
        assert create(scim, way, user(victim.username)) == 409
    assert Event.objects.count() == 1
    create(scim, "POST", user(victim.username.upper()))
    assert Event.objects.count() == 2, "not the same"
    monkeypatch.setattr("scim_provider.events.REPEATED_AFTER", timedelta(0))
    create(scim, "POST", user(victim.username))
    assert Event.objects.count() == 3


def _patch(*operations: Any) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": list(operations),
    }


def test_colleagues_may_share_an_address_and_a_plus_makes_another(
    scim: ScimClient, policy: Connection, organization: Organization
) -> None:
    colleague = AccountFactory(organization=organization, username="info@acme.example")
    mail = [{"value": "info@acme.example", "primary": True}]
    assert create(scim, "POST", user("bea", emails=mail)) == 201
    assert create(scim, "batch", user("cleo", emails=mail)) == 201
    assert create(scim, "POST", user("info+1@acme.example")) == 201
    plus = Resource.objects.get(name="info+1@acme.example")
    assert plus.account_id != colleague.pk
    assert not Event.objects.exists()


def test_an_address_that_was_proven_elsewhere_is_refused(
    scim: ScimClient, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = AccountFactory(username="someone")
    monkeypatch.setattr(
        "example_project.accounts.scim.Organizations.verified_addresses",
        lambda self, addresses: [(a, victim.pk) for a in addresses if a.startswith("mine@")],
    )
    mail = [{"value": "Mine@globex.example"}]
    for way in WAYS:
        assert create(scim, way, user("eve", emails=mail)) == 409, way
    assert set(Event.objects.values_list("account", flat=True)) == {victim.pk}


def test_a_look_alike_in_the_same_request_hides_no_address(
    scim: ScimClient, organization: Organization
) -> None:
    victim = AccountFactory(username="victim@globex.example", email="")
    sent = ("victim@globex.example", "v\u0456ctim@globex.example", "VICTIM@globex.example")
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": name, "data": user(name, emails=[mail])}
        for name, mail in zip("abc", ({"value": address} for address in sent), strict=True)
    ]
    answer = scim.post("/Bulk", {"schemas": [BULK], "Operations": operations}).json()
    assert [one["status"] for one in answer["Operations"]] == ["409"] * 3
    assert set(Event.objects.values_list("account", flat=True)) == {victim.pk}
    assert not Resource.objects.exists()


@pytest.mark.parametrize("way", WAYS)
def test_a_deleted_persons_account_comes_back_to_its_own_organization_only(
    scim: ScimClient, policy: Connection, organization: Organization, way: str
) -> None:
    made = scim.post("/Users", user("ada")).json()
    account = Resource.objects.get(scim_id=made["id"]).account
    scim.delete(f"/Users/{made['id']}")
    for changes in (
        {"organization": OrganizationFactory()},
        {"organization": organization, "is_staff": True},
    ):
        Account.objects.filter(pk=account.pk).update(**changes)
        assert create(scim, way, user("ada")) in (403, 409)
        assert create(scim, way, user("аda")) == 409
        account.refresh_from_db()
        assert not account.is_active
    Account.objects.filter(pk=account.pk).update(is_staff=False)
    assert create(scim, way, user("ADA")) == 201
    assert Resource.objects.get(name="ADA").account_id == account.pk


def test_white_space_and_look_alikes_never_link(
    scim: ScimClient, connection: Connection, organization: Organization
) -> None:
    connection.existing_account = "link"
    connection.save()
    AccountFactory(organization=organization, username="ada")
    for name in (" ada", "ada ", "аda", "a\u200bda", "ada."):
        assert create(scim, "POST", user(name)) == 409, name
        assert create(scim, "batch", user(name)) == 409, name
    assert not Resource.objects.filter(account__username="ada").exists()


def test_an_account_that_was_listed_and_became_an_administrator_is_left_alone(
    scim: ScimClient, connection: Connection, organization: Organization
) -> None:
    victim = AccountFactory(organization=organization, username="ada")
    existing.choose(connection, "list")
    (found,) = scim.get("/Users").json()["Resources"]
    Account.objects.filter(pk=victim.pk).update(is_staff=True)
    victim.refresh_from_db()
    url, off = f"/Users/{found['id']}", {"op": "replace", "path": "active", "value": False}
    for answer in (scim.patch(url, off), scim.put(url, user("eve")), scim.delete(url)):
        assert_error(answer, 403)
    assert untouched(victim)
