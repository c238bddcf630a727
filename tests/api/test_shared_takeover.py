"""One organization's attempts on accounts that another one counts on, too."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from example_project.accounts.models import Account
from scim_provider import existing, keys
from scim_provider.connections import connection_for
from scim_provider.models import Event, Resource
from tests.api.fixture_answers import user
from tests.api.test_shared_profile import ADA, BULK, blue, client_of, email, red  # noqa: F401
from tests.conftest import ScimClient
from tests.sites.many_to_many.models import Club
from tests.sites.many_to_many.scim import Clubs, Teams

pytestmark = pytest.mark.django_db

PASSWORD = "her own password 7"
TAKE_OVER = {"emails": email("evil@blue.example"), "password": "hunter2 and more 9"}
EVIL_NAME = {"userName": "evil", **TAKE_OVER}


@pytest.fixture
def ada():
    return Account.objects.create_user(ADA, "ada@red.example", PASSWORD)


def in_bulk(client, *bodies, status="201"):
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(number), "data": body}
        for number, body in enumerate(bodies)
    ]
    answer = client.post("/Bulk", {"schemas": [BULK], "Operations": operations}).json()
    assert {one["status"] for one in answer["Operations"]} == {status}


def come_by(way, client, body):
    """The account is a person of the client's connection; the id there."""
    if way == "POST":
        assert client.post("/Users", body).status_code == 201
    elif way == "Bulk":
        in_bulk(client, user("bob@blue.example"), body)
    else:
        existing.choose(client.connection, "list")
        existing.list_all(client.connection, lambda number: None)
    return Resource.objects.get(account__username=ADA).scim_id


@pytest.mark.parametrize("way", ["POST", "Bulk", "list"])
def test_whoever_finds_a_member_of_another_organization_gets_no_way_in_there(
    red,  # noqa: F811
    blue,  # noqa: F811
    ada,
    way,
):
    for client in (red, blue):
        Teams().admit(ada, client.connection.owner)
    url = "/Users/" + come_by(way, blue, user(ADA, **TAKE_OVER))
    answer = blue.patch(url, {"op": "replace", "value": EVIL_NAME})
    assert (answer.status_code, answer.json()["emails"]) == (200, TAKE_OVER["emails"])
    ada.refresh_from_db()
    assert (ada.username, ada.email) == (ADA, "ada@red.example")
    assert ada.check_password(PASSWORD)
    Teams().dismiss(Account.objects.filter(pk=ada.pk), red.connection.owner)
    blue.patch(url, {"op": "replace", "path": "title", "value": "Countess"})
    ada.refresh_from_db()
    assert ada.email == "evil@blue.example", "nobody else counts on it now"


@pytest.mark.parametrize("way", ["POST", "Bulk"])
def test_a_link_without_a_word_brings_no_membership_back(red, blue, ada, way):  # noqa: F811
    for client in (red, blue):
        Teams().admit(ada, client.connection.owner)
    Teams().dismiss(Account.objects.filter(pk=ada.pk), blue.connection.owner)
    url = "/Users/" + come_by(way, blue, user(ADA))
    assert blue.get(url).json()["active"] is False
    assert blue.patch(url, {"op": "replace", "path": "active", "value": True}).status_code == 200
    assert Teams().active_memberships.filter(user=ada).count() == 2


def test_who_is_needed_elsewhere_is_told_of_rows_that_come_and_go(ada):
    site = Clubs()
    here, there = (site.owners._default_manager.create(name=n, slug=n) for n in ("here", "there"))
    site.admit(ada, here)
    accounts = Account.objects.all()
    assert [*site.needed_elsewhere(accounts, here)] == []
    assert [*site.needed_elsewhere(accounts, there)] == [ada]


def test_the_own_account_hides_nobody_who_has_the_address(settings, monkeypatch, db):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": Clubs}
    connection = connection_for(Club.objects.create(name="Here", slug="here"))
    connection.enabled = True
    connection.save()
    client = ScimClient(keys.create_key(connection).secret)
    victim = Account.objects.create_user("someone", "")
    url = f"/Users/{client.post('/Users', user('ada')).json()['id']}"
    both = [victim.pk, Resource.objects.get().account_id]
    monkeypatch.setattr(
        Clubs, "verified_addresses", lambda self, sent: [(a, k) for a in sent for k in both]
    )
    own = {"op": "replace", "path": "emails", "value": email(ADA)}
    off = {"op": "replace", "path": "active", "value": False}
    assert client.patch(url, own).status_code == 409
    assert client.patch(url, off).status_code == 200, "whose account is no member's from now on"
    assert client.patch(url, own).status_code == 409
    assert Event.objects.filter(account=victim).exists()


@pytest.mark.parametrize("way", ["active", "DELETE"])
def test_the_last_owner_of_an_organization_stays(red, blue, way):  # noqa: F811
    def lose(document):
        url = f"/Users/{document['id']}"
        if way == "DELETE":
            return red.delete(url).status_code
        return red.patch(url, {"op": "replace", "path": "active", "value": False}).status_code

    ada, bob = (red.post("/Users", user(name)).json() for name in ("ada", "bob"))
    memberships = Teams().memberships
    memberships.update(role="owner")
    blue.post("/Users", user("cy"))
    memberships.filter(team=blue.connection.owner).update(role="owner")
    assert lose(ada) in (200, 204)
    assert lose(bob) == 403
    owner = red.connection.owner
    assert [each.username for each in Teams().admins(owner)] == ["bob"]
    Account.objects.filter(username__in=["ada", "cy"]).update(is_superuser=True)
    assert lose(bob) == 403, "who may do everything is no member here"


def test_who_belongs_is_asked_for_all_at_once(red, blue):  # noqa: F811
    def statements(act):
        with CaptureQueriesContext(database) as caught:
            act()
        return len(caught)

    def costs(number):
        bodies = [
            user(f"{number}-{n}", emails=email(f"{number}-{n}@x.example"), active=True)
            for n in range(number)
        ]
        for body in bodies:
            made = Account.objects.create_user(body["userName"], body["emails"][0]["value"])
            Teams().admit(made, blue.connection.owner)
        Teams().admit_all(Account.objects.all(), client_of(f"Green {number}").connection.owner)
        linked = statements(lambda: in_bulk(blue, *bodies))
        refused = statements(lambda: in_bulk(red, *bodies, status="409"))
        existing.choose(blue.connection, "list")
        blue.get("/Users")
        Teams().memberships.filter(team=blue.connection.owner).delete()
        left = statements(lambda: blue.get("/Users"))
        assert blue.get("/Users").json()["totalResults"] == 0
        return linked, refused, left

    costs(2)  # what is remembered of the site's models is looked up by now
    assert costs(3) == costs(9)


@pytest.fixture
def in_both(red, blue):  # noqa: F811
    """Made by Blue's SCIM, and taken in by Red by hand."""
    made = blue.post("/Users", user(ADA, emails=email("ada@blue.example"), title="Dr.")).json()
    Teams().admit(Account.objects.get(), red.connection.owner)
    return f"/Users/{made['id']}"


def test_an_account_stays_with_the_organization_that_made_it(blue, in_both):  # noqa: F811
    new = email("countess@blue.example")
    assert blue.patch(in_both, {"op": "replace", "path": "emails", "value": new}).status_code == 200
    assert Account.objects.get().email == "countess@blue.example"
    assert Resource.objects.get().owns_profile


@pytest.mark.parametrize("by", ["SCIM", "hand", "the same request"])
@pytest.mark.parametrize("active", [True, None])
def test_who_let_a_person_go_writes_nothing_of_an_account_that_others_count_on(
    red,  # noqa: F811
    blue,  # noqa: F811
    in_both,
    by,
    active,
):
    evil = {**TAKE_OVER, "userName": "evil"}
    if by == "SCIM":
        off = {"op": "replace", "path": "active", "value": False}
        assert blue.patch(in_both, off).json()["title"] == "Dr."
    elif by == "hand":
        Teams().dismiss(Account.objects.all(), blue.connection.owner)
    if by == "the same request":
        evil["active"] = False
    elif active:
        evil["active"] = True
    before = Account.objects.values("username", "email", "password").get()
    answer = blue.patch(in_both, {"op": "replace", "value": evil})
    assert answer.status_code == 200
    assert (answer.json()["emails"], answer.json()["title"]) == (TAKE_OVER["emails"], "Dr.")
    assert answer.json() == blue.get(in_both).json()
    assert Account.objects.values("username", "email", "password").get() == before
    assert Account.objects.get().is_active
    for condition in ('emails.value eq "evil@blue.example"', 'userName eq "evil"'):
        assert blue.get("/Users", filter=condition).json()["totalResults"] == 1
    made = red.post("/Users", user(ADA, emails=email("ada@red.example")))
    assert made.status_code == 201
    expected = "ada@blue.example" if active and by != "the same request" else "ada@red.example"
    assert Account.objects.distinct().get().email == expected


def test_a_person_who_is_in_no_other_organization_stays_with_who_made_the_account(blue):  # noqa: F811
    made = blue.post("/Users", user(ADA, emails=email("ada@blue.example"))).json()
    for value in (False, True):
        off = {"op": "replace", "value": {"active": value, "title": str(value)}}
        assert blue.patch(f"/Users/{made['id']}", off).status_code == 200
    assert Resource.objects.get().owns_profile


@pytest.mark.parametrize("heirs", ["login name", "address", "picture of a name"])
def test_what_an_heir_holds_keeps_nobody_from_letting_go(red, blue, ada, heirs):  # noqa: F811
    victim = Account.objects.create_user("victim@green.example", "victim@green.example")
    Teams().admit(victim, client_of("Green").connection.owner)
    made = red.post("/Users", user("bo@red.example", emails=email("bo@red.example"))).json()
    shared = Account.objects.get(username="bo@red.example")
    Teams().admit(shared, blue.connection.owner)
    url = "/Users/" + blue.post("/Users", user("bo@red.example")).json()["id"]
    claimed = {
        "login name": {"userName": "victim@green.example"},
        "address": {"emails": email("victim@green.example")},
        "picture of a name": {"userName": "v\u0456ctim@green.example"},
    }[heirs]
    assert blue.patch(url, {"op": "replace", "value": claimed}).status_code == 200
    assert red.delete(f"/Users/{made['id']}").status_code == 204
    title = {"op": "replace", "path": "title", "value": "Dr."}
    assert blue.patch(url, title).json()["title"] == "Dr."
    shared.refresh_from_db()
    assert (shared.username, shared.email) == ("bo@red.example", "bo@red.example")
    own = {"userName": "bo@blue.example", "emails": email("bo@blue.example")}
    assert blue.patch(url, {"op": "replace", "value": own}).status_code == 200
    shared.refresh_from_db()
    assert (shared.username, shared.email) == ("bo@blue.example", "bo@blue.example")


def test_an_account_that_is_the_persons_own_is_written_by_who_made_it_alone(
    settings,
    red,  # noqa: F811
    blue,  # noqa: F811
    ada,
):
    own = type("Lasting", (Teams,), {"deactivates_accounts": False})
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": own}
    Teams().admit(ada, blue.connection.owner)
    url = "/Users/" + blue.post("/Users", user(ADA, **TAKE_OVER)).json()["id"]
    assert blue.patch(url, {"op": "replace", "value": EVIL_NAME}).status_code == 200
    ada.refresh_from_db()
    assert (ada.username, ada.email) == (ADA, "ada@red.example")
    assert ada.check_password(PASSWORD)
    bo = "/Users/" + red.post("/Users", user("bo", emails=email("bo@red.example"))).json()["id"]
    for active, address, held in (
        (True, "bob@red.example", "bob@red.example"),
        (False, "evil@red.example", "bob@red.example"),
        (True, "evil@red.example", "bob@red.example"),
        (True, "eviler@red.example", "bob@red.example"),
    ):
        value = {"active": active, "emails": email(address)}
        answer = red.patch(bo, {"op": "replace", "value": value}).json()
        assert (answer["active"], answer["emails"]) == (active, email(address))
        assert Account.objects.get(username="bo").email == held
