"""Creates that match an account of the site: refused by default, linked by policy, undone."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from example_project.accounts.models import Account, Organization
from example_project.accounts.scim import Organizations
from scim_provider import existing
from scim_provider.models import Connection, Event, EventKind, Resource, Unlisted
from scim_provider.organizations import Organizations as DefaultOrganizations
from scim_provider.signals import users_linked
from tests.api.fixture_answers import assert_error, user
from tests.api.test_groups import statements
from tests.conftest import ScimClient
from tests.factories import AccountFactory, OrganizationFactory, SuperuserFactory

pytestmark = pytest.mark.django_db

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@pytest.fixture
def linking(connection: Connection) -> Connection:
    """Acme's connection, which links accounts of Acme."""
    connection.existing_account = "link"
    connection.save()
    return connection


@pytest.fixture
def ada(organization: Organization) -> Account:
    return AccountFactory(organization=organization, username="ada", email="old@acme.example")


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> dict[str, Account]:
    """Verified addresses of the site: fill it."""
    proven: dict[str, Account] = {}

    def answer(self: Any, addresses: Any) -> list[Any]:
        assert all(address == address.lower() for address in addresses)
        return [(address, proven[address].pk) for address in addresses if address in proven]

    monkeypatch.setattr(Organizations, "verified_addresses", answer)
    return proven


def create(scim: ScimClient, way: str, body: dict[str, Any]) -> Any:
    """The status of a create by POST, alone in a Bulk request, or within a batch of it."""
    if way == "POST":
        return scim.post("/Users", body).status_code
    others = [user(f"other-{n}") for n in range(2)] if way == "batch" else []
    bodies = [*others, body, *[user("last")][: len(others)]]
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": f"b{n}", "data": each}
        for n, each in enumerate(bodies)
    ]
    answer = scim.post("/Bulk", {"schemas": [BULK], "Operations": operations}).json()
    return int(answer["Operations"][len(others)]["status"])


WAYS = ["POST", "Bulk", "batch"]


@pytest.mark.parametrize("way", WAYS)
def test_an_existing_account_is_not_taken_over_by_default(
    scim: ScimClient, ada: Account, way: str
) -> None:
    before = Account.objects.values().get(pk=ada.pk)
    assert create(scim, way, user("ada", active=False, password="Tr0ub4dor and more")) == 409
    assert Account.objects.values().get(pk=ada.pk) == before
    told = Event.objects.get()
    assert (told.kind, told.account, told.name) == (EventKind.LINK_REFUSED, ada, "ada")
    assert told.reason


def test_the_refusal_tells_the_way_out_and_a_mere_duplicate_is_no_event(
    scim: ScimClient, ada: Account
) -> None:
    detail = assert_error(scim.post("/Users", user("ada")), 409, "uniqueness")
    assert "linked" in detail
    Event.objects.all().delete()
    scim.post("/Users", user("bea"))
    detail = assert_error(scim.post("/Users", user("bea")), 409, "uniqueness")
    assert "update the User that has it" in detail
    assert not Event.objects.exists()


@pytest.mark.parametrize("way", WAYS)
def test_a_linked_account_keeps_its_key_and_password_and_takes_the_attributes(
    scim: ScimClient,
    linking: Connection,
    ada: Account,
    way: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    seen: list[Any] = []

    def collect(users: list[Resource], **more: Any) -> None:
        seen.extend(person.account_id for person in users)

    users_linked.connect(collect)
    body = user(
        "ADA",
        externalId="x",
        name={"familyName": "King"},
        emails=[{"value": "ada@acme.example", "primary": True}],
        password="Tr0ub4dor and more",
    )
    with django_capture_on_commit_callbacks(execute=True):
        assert create(scim, way, body) == 201
    users_linked.disconnect(collect)
    person = Resource.objects.get(name_key="ada")
    after = Account.objects.get(pk=ada.pk)
    assert (person.account_id, seen) == (ada.pk, [ada.pk])
    assert (after.username, after.last_name, after.email) == ("ada", "King", "ada@acme.example")
    assert after.password == ada.password
    told = Event.objects.get(kind=EventKind.PERSON_LINKED)
    assert (told.account, told.scim_id) == (ada, person.scim_id)
    assert told.reason == "The login name is the userName"
    (found,) = scim.get("/Users", filter='externalId eq "x"').json()["Resources"]
    assert (found["userName"], found["active"]) == ("ADA", True)
    assert create(scim, "POST", body) == 409, "it is somebody's now"


@pytest.mark.parametrize("way", WAYS)
def test_a_linked_person_logs_in_by_the_name_they_know(
    scim: ScimClient, linking: Connection, ada: Account, way: str
) -> None:
    def may_log_in(name: str) -> bool:
        return Client().login(username=name, password="Tr0ub4dor and more")

    ada.set_password("Tr0ub4dor and more")
    ada.save()
    assert create(scim, way, user("ADA")) == 201
    (made,) = scim.get("/Users", filter='userName eq "aDa"').json()["Resources"]
    url = f"/Users/{made['id']}"
    assert made["userName"] == "ADA"
    assert may_log_in("ada")
    metas = [scim.put(url, user("ADA", active=True)).json()["meta"] for _ in range(2)]
    assert metas[0] == metas[1], "nothing is left to write"
    for spelling in ("Ada", "ada", "aDA"):
        renamed = {"op": "replace", "path": "userName", "value": spelling}
        assert scim.patch(url, renamed).json()["userName"] == spelling
        assert may_log_in("ada")
    scim.patch(url, {"op": "replace", "path": "userName", "value": "Ada.King"})
    assert may_log_in("Ada.King")
    assert not may_log_in("ada")


def test_a_listed_person_with_a_password_keeps_the_spelling_of_the_login_name(
    scim: ScimClient, connection: Connection, ada: Account
) -> None:
    existing.choose(connection, "list")
    (listed,) = scim.get("/Users", filter='userName eq "ada"').json()["Resources"]
    renamed = {"op": "replace", "path": "userName", "value": "ADA"}
    assert scim.patch(f"/Users/{listed['id']}", renamed).json()["userName"] == "ADA"
    ada.refresh_from_db()
    assert ada.has_usable_password()
    assert ada.username == "ada"


@pytest.mark.parametrize("way", WAYS)
def test_a_verified_address_links_and_an_unverified_one_does_not(
    scim: ScimClient, linking: Connection, ada: Account, verified: dict[str, Account], way: str
) -> None:
    addresses = [{"value": "home@ada.example"}, {"value": "Ada@Acme.example"}]
    assert create(scim, way, user("ada.king", emails=[{"value": ada.email}])) == 201
    assert Resource.objects.get(name="ada.king").account_id != ada.pk
    verified["ada@acme.example"] = ada
    Resource.objects.filter(name__startswith="other").delete()
    Account.objects.filter(username__in=["other-0", "other-1", "last"]).delete()
    assert create(scim, way, user("ada.lovelace", emails=addresses)) == 201
    assert Resource.objects.get(name="ada.lovelace").account_id == ada.pk
    ada.refresh_from_db()
    assert (ada.username, ada.email) == ("ada.lovelace", "home@ada.example")
    assert "ada@acme.example" in Event.objects.get(kind=EventKind.PERSON_LINKED).reason


def test_a_user_name_that_is_a_verified_address_links(
    scim: ScimClient, linking: Connection, ada: Account, verified: dict[str, Account]
) -> None:
    verified["ada@acme.example"] = ada
    assert create(scim, "POST", user("Ada@acme.example")) == 201
    assert Resource.objects.get().account_id == ada.pk


@pytest.mark.parametrize("way", WAYS)
def test_two_accounts_that_match_are_one_too_many(
    scim: ScimClient,
    linking: Connection,
    ada: Account,
    organization: Organization,
    verified: dict[str, Account],
    way: str,
) -> None:
    verified["bea@acme.example"] = AccountFactory(organization=organization, username="bea")
    body = user("ada", emails=[{"value": "bea@acme.example"}])
    assert create(scim, way, body) == 409
    assert Event.objects.get().reason == "More than one account matched"
    assert not Resource.objects.filter(name_key="ada").exists()


def test_an_account_that_was_locked_stays_so_unless_the_client_opens_it(
    scim: ScimClient, linking: Connection, ada: Account
) -> None:
    Account.objects.filter(pk=ada.pk).update(is_active=False)
    answer = scim.post("/Users", user("ada"))
    assert answer.json()["active"] is False
    ada.refresh_from_db()
    assert not ada.is_active


def test_an_unlinked_account_is_not_linked_again_until_it_is_let(
    scim: ScimClient, linking: Connection, ada: Account
) -> None:
    made = scim.post("/Users", user("ada")).json()
    person = Resource.objects.get(scim_id=made["id"])
    before = Account.objects.values().get(pk=ada.pk)
    assert existing.unlink(linking, [person], by="dana") == 1
    assert_error(scim.get(f"/Users/{made['id']}"), 404)
    assert Account.objects.values().get(pk=ada.pk) == before
    assert_error(scim.post("/Users", user("ada")), 409, "uniqueness")
    assert Event.objects.first().reason == "An administrator unlinked it"
    assert existing.relink(linking, "ADA") == 1
    assert scim.post("/Users", user("ada")).json()["id"] != made["id"]
    assert Resource.objects.get().account_id == ada.pk


def test_a_batch_links_in_as_many_statements_as_it_takes_for_few(
    scim: ScimClient, linking: Connection, organization: Organization
) -> None:
    def sent(first: int, number: int) -> int:
        names = [f"person{n}" for n in range(first, first + number)]
        for name in names:
            AccountFactory(organization=organization, username=name)
        operations = [
            {"method": "POST", "path": "/Users", "bulkId": name, "data": user(name)}
            for name in names
        ]
        body = {"schemas": [BULK], "Operations": operations}
        taken = len(statements(lambda: scim.post("/Bulk", body)))
        assert Event.objects.filter(kind=EventKind.PERSON_LINKED).count() == first + number
        return taken

    sent(0, 2)
    assert sent(2, 2) == sent(4, 30)


def test_a_batch_tells_of_all_it_refused_in_one_statement(
    scim: ScimClient, organization: Organization
) -> None:
    names = [f"person{n}" for n in range(5)]
    for name in names:
        AccountFactory(organization=OrganizationFactory(), username=name)
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": name, "data": user(name)} for name in names
    ]
    taken = statements(lambda: scim.post("/Bulk", {"schemas": [BULK], "Operations": operations}))
    inserted = [sql for sql in taken if sql.startswith("INSERT") and "_event" in sql]
    assert len(inserted) == 1
    assert Event.objects.filter(kind=EventKind.LINK_REFUSED).count() == 5


def test_the_admin_unlinks_and_lets_in_again(
    scim: ScimClient, linking: Connection, ada: Account
) -> None:
    scim.post("/Users", user("ada"))
    client, dana = Client(), SuperuserFactory(username="dana")
    client.force_login(dana)

    def act(page: str, action: str, key: int) -> None:
        url = reverse(f"admin:scim_provider_{page}_changelist")
        client.post(url, {"action": action, "_selected_action": [key]}, follow=True)

    act("scimuser", "unlink", Resource.objects.get().pk)
    assert not Resource.objects.exists()
    told = Event.objects.get(kind=EventKind.PERSON_UNLINKED)
    assert (told.account, told.data) == (ada, {"by": "dana"})
    act("unlisted", "relink", Unlisted.objects.get().pk)
    assert scim.post("/Users", user("ada")).status_code == 201
    assert Resource.objects.get().account == ada
    Account.objects.filter(pk=dana.pk).update(is_superuser=False)
    act("scimuser", "unlink", Resource.objects.get().pk)
    assert Resource.objects.exists(), "not without the permission"


def test_without_allauth_nothing_is_proven_and_with_it_what_it_verified(
    monkeypatch: pytest.MonkeyPatch, ada: Account
) -> None:
    site = DefaultOrganizations()
    assert list(site.verified_addresses(["ada@acme.example"])) == []
    asked: dict[str, Any] = {}

    class Rows:
        def filter(self, **conditions: Any) -> Rows:
            asked.update(conditions)
            return self

        def values_list(self, *names: str) -> list[Any]:
            return [("Ada@acme.example", ada.pk)]

    model = type("EmailAddress", (), {"_default_manager": Rows()})
    monkeypatch.setattr(apps, "is_installed", lambda name: name == "allauth.account")
    config = type("Config", (), {"get_model": lambda self, name: model})()
    monkeypatch.setattr(apps, "get_app_config", lambda label: config)
    assert site.verified_addresses(["ada@acme.example"]) == [("ada@acme.example", ada.pk)]
    assert asked["verified"] is True
