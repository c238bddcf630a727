"""Members who were there before SCIM, and who come later on the site: listed by policy."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test import override_settings

from example_project.accounts.models import Account, Organization
from example_project.accounts.scim import Organizations
from scim_provider import existing
from scim_provider.models import (
    AttributeValue,
    Connection,
    Event,
    EventKind,
    ExistingPeople,
    Resource,
    Unlisted,
    UnlistedReason,
)
from scim_provider.organization_checks import check_members
from scim_provider.signals import users_linked, users_unlinked
from tests.api.fixture_answers import assert_error, group, user
from tests.api.test_groups import statements
from tests.conftest import ScimClient
from tests.factories import AccountFactory, LocationFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

KLAXON = "urn:ietf:params:scim:schemas:extension:klaxon:2.0:User"


@pytest.fixture
def listing(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """Acme's connection, which lists its members, and finds no search too long."""
    monkeypatch.setattr("scim_provider.mapping.keeping_up.QUICK", 60)
    existing.choose(connection, ExistingPeople.LIST)
    return connection


def members(organization: Organization, *names: str, **values: Any) -> list[Account]:
    return [AccountFactory(organization=organization, username=n, **values) for n in names]


def scim_members(action: str, **options: Any) -> dict[str, Any]:
    printed = StringIO()
    call_command("scim_members", action, organization="Acme", json=True, stdout=printed, **options)
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return answer


def names(page: Any) -> set[str]:
    return {each["userName"] for each in page.json()["Resources"]}


def test_nobody_is_listed_unless_the_policy_says_so(
    scim: ScimClient, organization: Organization
) -> None:
    members(organization, "ada")
    assert scim.get("/Users").json()["totalResults"] == 0
    assert scim.get("/Users", filter='userName eq "ada"').json()["totalResults"] == 0


def test_a_listed_member_is_a_whole_user(
    scim: ScimClient, listing: Connection, organization: Organization
) -> None:
    paris = LocationFactory(name="Paris", organization=organization)
    (ada,) = members(organization, "Ada", email="Ada@Acme.example", location=paris, mobile="+33")
    existing.list_all(listing, lambda number: None)
    for asked in (
        'userName eq "ada"',
        'emails.value eq "ada@acme.example"',
        'emails[type eq "work" and primary eq true].value sw "ADA"',
        'name.familyName eq "lovelace" and active eq true',
        f'{KLAXON}:location eq "paris" and {KLAXON}:notificationPhoneNumber eq "+33"',
    ):
        (found,) = scim.get("/Users", filter=asked).json()["Resources"]
        assert found["userName"] == "Ada", asked
        assert found["emails"] == [{"value": "Ada@Acme.example", "type": "work", "primary": True}]
        assert found[KLAXON] == {"location": "Paris", "notificationPhoneNumber": "+33"}
    before = Account.objects.values().get(pk=ada.pk)
    replaced = scim.put(f"/Users/{found['id']}", found)
    assert replaced.json()["meta"]["version"] == found["meta"]["version"]
    assert Account.objects.values().get(pk=ada.pk) == before


def test_listing_passes_over_whom_scim_may_not_touch_and_says_why(
    connection: Connection, organization: Organization
) -> None:
    members(organization, "ada", "hal", "")
    members(organization, "root", is_superuser=True)
    members(organization, "staff", is_staff=True)
    AccountFactory(username="hank")
    outlook = existing.Outlook(connection)
    assert (outlook.members, outlook.administrators, outlook.listable) == (3, 2, 2)
    assert outlook.obstacles == {"no_name": 1}
    told = scim_members("list")
    assert (told["listed"], told["passed_over"]) == (2, 1)
    counted = scim_members("status")
    assert (counted["listed"], counted["would_be_listed"]) == (2, 0)
    assert counted["left_alone_no_name"] == 1
    with override_settings(SCIM_PROVIDER={**settings.SCIM_PROVIDER, "ALLOW_PRIVILEGED": True}):
        assert scim_members("list")["listed"] == 2
    listed = set(Resource.objects.values_list("name", flat=True))
    assert {"root", "staff"} < listed
    assert "hank" not in listed


@pytest.mark.skipif(database.vendor == "mysql", reason="MariaDB takes both for one name")
def test_of_two_spellings_of_a_name_one_is_listed(
    connection: Connection, organization: Organization
) -> None:
    _, double = members(organization, "ada", "ADA")
    outlook = existing.Outlook(connection)
    assert (outlook.obstacles, outlook.listable) == ({"same_name": 1}, 1)
    assert scim_members("list")["passed_over"] == 1
    assert scim_members("status")["left_alone_same_name"] == 1
    Account.objects.filter(pk=double.pk).update(username="bea")
    assert scim_members("list")["listed"] == 1, "an obstacle that is gone is none"
    assert not Unlisted.objects.exists()


def test_a_run_that_was_stopped_goes_on(
    monkeypatch: pytest.MonkeyPatch, listing: Connection, organization: Organization
) -> None:
    members(organization, *(f"person{n}" for n in range(7)))
    monkeypatch.setattr(existing, "BATCH", 3)

    def killed(number: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        existing.list_all(listing, killed)
    assert Resource.objects.count() == 3
    assert listing.members_listed_at is None
    done: list[int] = []
    existing.list_all(listing, done.append)
    assert done == [3, 1]
    assert Resource.objects.count() == 7
    listing.refresh_from_db()
    assert listing.members_listed_at is not None
    assert Event.objects.filter(kind=EventKind.PERSON_LISTED).count() == 7
    assert AttributeValue.objects.filter(path="emails.value").count() == 7


def test_statements_of_a_run_do_not_grow_with_the_members(
    listing: Connection, organization: Organization
) -> None:
    def run(first: int, number: int) -> int:
        members(organization, *(f"person{n}" for n in range(first, first + number)))
        return len(statements(lambda: existing.list_all(listing, lambda n: None)))

    run(0, 1)
    assert run(1, 2) == run(3, 40)


def test_a_member_who_came_later_is_found_by_name(
    scim: ScimClient, listing: Connection, organization: Organization
) -> None:
    scim.get("/Users")
    members(organization, "Ada")
    for text in ("Ada", "ada", "ADA"):
        page = scim.get("/Users", filter=f'userName eq "{text}" and active eq true')
        assert names(page) == {"Ada"}, text
    assert scim.get("/Users", filter='userName eq "nobody"').json()["totalResults"] == 0


def test_a_list_from_its_start_has_those_who_came_by_index_and_by_cursor(
    scim: ScimClient, listing: Connection, organization: Organization
) -> None:
    members(organization, "ada", "bea")
    page = scim.get("/Users", count=1, cursor="")
    assert page.json()["totalResults"] == 2
    members(organization, "cleo")
    following = scim.get("/Users", count=1, cursor=page.json()["nextCursor"])
    assert names(following) == {"bea"}, "a cursor in flight goes on"
    assert scim.get("/Users", startIndex=2).json()["totalResults"] == 2, "not its start"
    page = scim.get("/Users", count=2)
    assert page.json()["totalResults"] == 3
    assert names(scim.get("/Users", sortBy="userName")) == {"ada", "bea", "cleo"}
    members(organization, "dora")
    assert scim.get("", filter='userName sw "d"').json()["totalResults"] == 1


def test_who_left_the_organization_is_in_no_answer_any_more(
    scim: ScimClient, listing: Connection, organization: Organization
) -> None:
    ada, _ = members(organization, "ada", "bea")
    ids = {u["userName"]: u["id"] for u in scim.get("/Users").json()["Resources"]}
    made = scim.post("/Groups", group(members=[{"value": ids["ada"]}, {"value": ids["bea"]}]))
    seen: list[Any] = []
    users_unlinked.connect(collect := lambda users, **more: seen.extend(users))
    Account.objects.filter(pk=ada.pk).update(organization=OrganizationFactory())
    url, taken = f"/Users/{ids['ada']}", {"op": "replace", "path": "active", "value": False}
    assert_error(scim.patch(url, taken), 404)
    assert_error(scim.put(url, user("ada")), 404)
    assert_error(scim.delete(url), 404)
    assert scim.get("/Users", filter='userName eq "ada"').json()["totalResults"] == 0
    assert_error(scim.get(url), 404)
    assert names(scim.get("/Users")) == {"bea"}
    left = scim.get(f"/Groups/{made.json()['id']}").json()
    assert [member["value"] for member in left["members"]] == [ids["bea"]]
    assert left["meta"]["version"] != made.json()["meta"]["version"]
    ada.refresh_from_db()
    assert ada.is_active
    told = Event.objects.get(kind=EventKind.PERSON_UNLINKED)
    assert (told.account, told.name) == (ada, "ada")
    assert "no member" in told.reason
    Account.objects.filter(pk=ada.pk).update(organization=organization)
    assert names(scim.get("/Users")) == {"ada", "bea"}, "who returns is listed again"
    users_unlinked.disconnect(collect)


def test_who_was_deleted_or_unlinked_is_not_taken_right_back(
    scim: ScimClient, listing: Connection, organization: Organization
) -> None:
    members(organization, "ada", "bea", "cleo")
    ids = {u["userName"]: u["id"] for u in scim.get("/Users").json()["Resources"]}
    scim.delete(f"/Users/{ids['ada']}")
    assert scim_members("unlink", user="BEA", by="dana")["unlinked"] == 1
    assert names(scim.get("/Users")) == {"cleo"}
    for gone in ("ada", "bea"):
        page = scim.get("/Users", filter=f'userName eq "{gone}"')
        assert page.json()["totalResults"] == 0
    assert scim_members("list")["listed"] == 0
    bea = Account.objects.get(username="bea")
    assert bea.is_active
    assert Unlisted.objects.get().reason == UnlistedReason.UNLINKED
    told = Event.objects.get(kind=EventKind.PERSON_UNLINKED)
    assert (told.account, told.data) == (bea, {"by": "dana"})
    assert scim_members("relink", user="bea")["relinked"] == 1
    assert names(scim.get("/Users")) == {"bea", "cleo"}
    for action in ("unlink", "relink"):
        with pytest.raises(CommandError):
            scim_members(action, user="nobody")


def test_listing_is_told_by_signal_after_the_commit(
    listing: Connection,
    organization: Organization,
    django_capture_on_commit_callbacks: Any,
) -> None:
    members(organization, "ada", "bea")
    seen: list[Any] = []

    def collect(users: list[Resource], **more: Any) -> None:
        seen.append(sorted(person.name for person in users))

    users_linked.connect(collect)
    with django_capture_on_commit_callbacks(execute=True):
        existing.list_all(listing, lambda number: None)
    assert seen == [["ada", "bea"]]
    users_linked.disconnect(collect)


def test_a_large_organization_is_searched_less_often(
    monkeypatch: pytest.MonkeyPatch,
    scim: ScimClient,
    listing: Connection,
    organization: Organization,
) -> None:
    monkeypatch.setattr("scim_provider.mapping.keeping_up.QUICK", -1)
    scim.get("/Users")
    listing.refresh_from_db()
    assert listing.members_due_at is not None
    members(organization, "ada")
    monkeypatch.setattr("scim_provider.mapping.keeping_up.QUICK", 60)
    Connection.objects.filter(pk=listing.pk).update(members_due_at="2100-01-01T00:00:00Z")
    assert scim.get("/Users").json()["totalResults"] == 0
    assert names(scim.get("/Users", filter='userName eq "ada"')) == {"ada"}


def test_a_connection_without_the_policy_pays_nothing(
    scim: ScimClient, connection: Connection, organization: Organization
) -> None:
    scim.post("/Users", user("ada"))
    acts = [lambda: scim.get("/Users"), lambda: scim.get("/Users", filter='userName eq "x"')]
    plain = [len(statements(act)) for act in acts]
    existing.choose(connection, ExistingPeople.LIST)
    listed = [len(statements(act)) for act in acts]
    assert all(more > before for before, more in zip(plain, listed, strict=True))
    existing.choose(connection, ExistingPeople.EMPTY)
    assert [len(statements(act)) for act in acts] == plain


def test_without_a_word_on_who_the_members_are_nobody_seems_to_have_left(
    scim: ScimClient, listing: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = scim.post("/Users", user("ada")).json()
    monkeypatch.delattr(Organizations, "members")
    monkeypatch.delattr(Organizations, "belongs")
    assert scim.get("/Users").json()["totalResults"] == 1
    assert scim.get(f"/Users/{made['id']}").status_code == 200
    assert scim.delete(f"/Users/{made['id']}").status_code == 204


def test_a_site_that_knows_who_belongs_is_told_to_say_who_the_members_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert check_members() == []
    monkeypatch.delattr(Organizations, "members")
    assert [found.id for found in check_members()] == ["scim_provider.W034"]
