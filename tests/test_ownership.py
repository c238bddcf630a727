"""Attributes that the person may edit, too: who wins, what is answered, what the profile shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django import forms
from django.contrib.auth import get_user_model
from django.template import Context, Template
from django.test import Client

from example_project.accounts.models import Account
from example_project.accounts.scim import KLAXON, StaffUsers
from scim_provider.forms import ManagedFieldsMixin
from scim_provider.home_checks import check_homes
from scim_provider.mapping.owned import Owned
from scim_provider.models import Connection, Resource
from scim_provider.ownership import Owner, client_name, give_back, take_up
from tests.api.test_groups import statements
from tests.conftest import ScimClient
from tests.factories import AccountFactory, LocationFactory

pytestmark = pytest.mark.django_db

LOCATION, PHONE = f"{KLAXON.id}:location", f"{KLAXON.id}:notificationPhoneNumber"


class Owners(StaffUsers):
    """Every kind of home with an owner."""

    owners: ClassVar[dict[str, Owner]] = {
        LOCATION: Owner.PERSON_ONCE_EDITED,
        PHONE: Owner.PERSON_ONCE_EDITED,
        "emails": Owner.PERSON_ONCE_EDITED,
        "name.givenName": Owner.PERSON_ALWAYS,
        "name.familyName": Owner.IDP,
    }


@pytest.fixture
def owners(settings: Any) -> None:
    types = ["scim_provider.resources.GroupResource", "scim_provider.resources.RoleResource"]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": [Owners, *types]}


def body(**more: Any) -> dict[str, Any]:
    return {
        "userName": "ana",
        "name": {"givenName": "Ana", "familyName": "Silva"},
        "emails": [{"value": "ana@work.example", "type": "work", "primary": True}],
        KLAXON.id: {"location": "Vienna", "notificationPhoneNumber": "+43 1"},
        **more,
    }


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def bulk(scim: ScimClient, sent: dict[str, Any]) -> Any:
    operation = {"method": "POST", "path": "/Users", "bulkId": "a", "data": sent}
    schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    scim.post("/Bulk", {"schemas": [schema], "Operations": [operation]})
    return scim.get("/Users").json()["Resources"][0]


def create(scim: ScimClient, sent: dict[str, Any]) -> Any:
    return scim.post("/Users", sent).json()


def ana() -> Account:
    return Account.objects.get(username="ana")


@pytest.mark.parametrize("make", [create, bulk])
def test_the_identity_provider_wins_until_the_person_has_edited(
    scim: ScimClient, connection: Connection, make: Any
) -> None:
    """Klaxon's rule: unknown locations are "Default", and people may edit their own by hand."""
    vienna, graz = (
        LocationFactory(name=name, organization=connection.owner) for name in ("Vienna", "Graz")
    )
    made = make(scim, body())
    path = f"/Users/{made['id']}"
    assert ana().location == vienna
    scim.patch(path, replace(LOCATION, "Graz"))
    assert ana().location == graz
    scim.patch(path, replace(LOCATION, "Atlantis"))
    assert ana().location.name == "Default"
    LocationFactory(name="Atlantis", organization=connection.owner)  # no edit of the person's
    scim.put(path, body(**{KLAXON.id: {"location": "Graz"}}))
    assert ana().location == graz

    Account.objects.update(location=vienna)  # on the profile page
    for sent in ("Atlantis", "Graz", None, "Linz"):
        answer = scim.patch(path, replace(LOCATION, sent)).json()
        assert answer.get(KLAXON.id, {}).get("location") == sent
        assert ana().location == vienna
        found = scim.get("/Users", filter=f'{LOCATION} eq "{sent}"').json()["totalResults"]
        assert found == (1 if sent else 0)
    same = scim.put(path, answer)
    assert same.json()["meta"]["version"] == answer["meta"]["version"]

    assert give_back(Resource.objects.all(), LOCATION) == 1
    assert ana().location.name == "Default"
    scim.patch(path, replace(LOCATION, "Graz"))
    assert ana().location == graz


@pytest.mark.usefixtures("owners")
@pytest.mark.parametrize("make", [create, bulk])
def test_columns_and_copies_and_an_always_winning_person(
    scim: ScimClient, connection: Connection, make: Any
) -> None:
    made = make(scim, body())
    path = f"/Users/{made['id']}"
    assert (ana().mobile, ana().email, ana().first_name) == ("+43 1", "ana@work.example", "Ana")
    mail = [{"value": "new@work.example", "type": "work", "primary": True}]
    new = body(
        emails=mail,
        name={"givenName": "Anna", "familyName": "Souza"},
        **{KLAXON.id: {"notificationPhoneNumber": "+43 2"}},
    )
    answer = scim.put(path, new).json()
    assert answer["name"] == {"givenName": "Anna", "familyName": "Souza"}
    assert (ana().mobile, ana().email) == ("+43 2", "new@work.example")
    assert (ana().first_name, ana().last_name) == ("Ana", "Souza")

    Account.objects.update(mobile="", email="own@home.example", last_name="Hand")
    answer = scim.put(path, body()).json()
    assert answer[KLAXON.id]["notificationPhoneNumber"] == "+43 1"
    assert answer["emails"][0]["value"] == "ana@work.example"
    assert (ana().mobile, ana().email, ana().last_name) == ("", "own@home.example", "Silva")
    assert scim.get("/Users", filter=f'{PHONE} eq "+43 1"').json()["totalResults"] == 1
    names = scim.get("/Users", sortBy="name.givenName").json()["Resources"]
    assert [one["name"]["givenName"] for one in names] == ["Ana"]
    assert scim.get("/Users", filter='name.givenName eq "Ana"').json()["totalResults"] == 1

    assert give_back(Resource.objects.all()) == 1
    assert (ana().mobile, ana().email, ana().first_name) == ("+43 1", "ana@work.example", "Ana")
    scim.patch(path, {"op": "remove", "path": PHONE})
    assert ana().mobile == ""  # cleared by the identity provider, as nobody edited it
    too_long = scim.patch(path, replace("name.givenName", "x" * 200))
    assert (too_long.status_code, too_long.json()["scimType"]) == (400, "invalidValue")


@pytest.mark.usefixtures("owners")
@pytest.mark.parametrize("make", [create, bulk])
def test_who_returns_has_edited_what_they_had_edited(scim: ScimClient, make: Any) -> None:
    made = make(scim, body())
    Account.objects.update(email="own@home.example")
    scim.delete(f"/Users/{made['id']}")
    make(scim, body(**{KLAXON.id: {"notificationPhoneNumber": "+43 9"}}))
    assert (ana().mobile, ana().email) == ("+43 9", "own@home.example")


def test_an_owner_that_comes_later_takes_up_what_is_there(
    scim: ScimClient, connection: Connection, settings: Any
) -> None:
    path = f"/Users/{create(scim, body())['id']}"
    provider = settings.SCIM_PROVIDER
    types = ["scim_provider.resources.GroupResource", "scim_provider.resources.RoleResource"]
    settings.SCIM_PROVIDER = provider | {"RESOURCE_TYPES": [Owners, *types]}
    assert take_up(connection) == 1
    assert take_up(connection) == 0
    assert scim.get(path).json()[KLAXON.id]["notificationPhoneNumber"] == "+43 1"
    assert scim.get("/Users", filter=f'{PHONE} eq "+43 1"').json()["totalResults"] == 1
    scim.patch(path, replace(PHONE, "+43 3"))
    assert ana().mobile == "+43 3"


def test_owners_cost_no_statement(scim: ScimClient, settings: Any) -> None:
    path = f"/Users/{create(scim, body())['id']}"
    scim.get(path)
    title = replace(PHONE, "+43 4")
    plain = [
        len(statements(lambda: scim.patch(path, title))),
        len(statements(lambda: scim.get(path))),
    ]
    types = ["scim_provider.resources.GroupResource", "scim_provider.resources.RoleResource"]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": [Owners, *types]}
    scim.patch(path, replace(PHONE, "+43 5"))
    owned = [
        len(statements(lambda: scim.patch(path, replace(PHONE, "+43 6")))),
        len(statements(lambda: scim.get(path))),
    ]
    assert owned[1] == plain[1]
    assert owned[0] <= plain[0] + 1  # the index row, as of any stored attribute


# -- the profile page --------------------------------------------------------------------------


@pytest.fixture
def profile(scim: ScimClient, connection: Connection) -> Client:
    create(scim, body())
    Connection.objects.update(last_client="Okta SCIM Client 1.0.0")
    client = Client()
    client.force_login(ana())
    return client


def test_the_profile_page_locks_what_is_managed_and_says_by_whom(
    profile: Client, connection: Connection
) -> None:
    graz = LocationFactory(name="Graz", organization=connection.owner)
    page = profile.get("/profile/").content.decode()
    assert "Your account is managed by Okta." in page
    assert page.count("Managed by Okta.") == 3
    for name, locked in {"first_name": True, "mobile": True, "location": False}.items():
        field = page.split(f'name="{name}"', 1)[1].split(">", 1)[0]
        assert ("disabled" in field) is locked, name
    assert profile.post("/profile/", {"location": graz.pk}).status_code == 302
    assert (ana().location, ana().mobile, ana().first_name) == (graz, "+43 1", "Ana")


def test_a_locked_field_that_is_sent_all_the_same_is_refused(profile: Client) -> None:
    answer = profile.post("/profile/", {"location": "", "mobile": "+1 666"})
    assert "This is managed by Okta. Have it changed there." in answer.content.decode()
    assert ana().mobile == "+43 1"
    same = {"location": "", "mobile": "+43 1", "first_name": "Ana", "last_name": "Silva"}
    assert profile.post("/profile/", same).status_code == 302


def test_who_is_not_managed_edits_everything(connection: Connection) -> None:
    account = AccountFactory(organization=connection.owner)
    client = Client()
    client.force_login(account)
    assert "anaged by" not in client.get("/profile/").content.decode()
    sent = {"first_name": "A", "last_name": "B", "mobile": "+1", "location": ""}
    assert client.post("/profile/", sent).status_code == 302
    account.refresh_from_db()
    assert (account.first_name, account.mobile) == ("A", "+1")


def test_a_connection_that_is_off_manages_nobody(profile: Client) -> None:
    Connection.objects.update(enabled=False)
    assert "anaged by" not in profile.get("/profile/").content.decode()


def test_it_costs_one_query_however_often_it_is_asked(profile: Client) -> None:
    account = ana()
    template = Template(
        "{% load scim_ownership %}{% managed_by a %}|{% managed_by a 'mobile' %}|"
        "{% managed_by a 'location' %}"
    )
    shown: list[str] = []
    asked = statements(lambda: shown.append(template.render(Context({"a": account}))))
    assert (shown, len(asked)) == (["Okta|Okta|"], 1)


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("Okta SCIM Client 1.0.0", "Okta"),
        ("azure-ad-provisioning", "Microsoft Entra ID"),
        ("<script>alert(1)</script>", "your organization’s identity provider"),
        ("", "your organization’s identity provider"),
    ],
)
def test_only_names_that_are_known_are_shown(client: str, name: str) -> None:
    assert client_name(client) == name


def test_the_mixin_works_with_any_form_of_the_user_model(profile: Client) -> None:

    class Plain(ManagedFieldsMixin, forms.ModelForm):
        class Meta:
            model = get_user_model()
            fields = ["username", "email", "is_active", "location"]

    form = Plain(instance=ana())
    assert form.managed_fields == ["username", "email", "is_active"]
    bound = Plain({"location": ""}, instance=ana())
    assert bound.is_valid(), bound.errors
    assert bound.save().is_active
    assert Plain().managed_fields == []  # of nobody yet
    prefixed = Plain({"x-email": "other@example.com"}, instance=ana(), prefix="x")
    assert list(prefixed.errors) == ["email"]


def test_owned_attributes_of_the_example_are_owned() -> None:
    owned = [str(target) for target, home in StaffUsers().placed if isinstance(home, Owned)]
    assert owned == [LOCATION]


# -- the page ----------------------------------------------------------------------------------

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "ownership.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def run_block(beginning: str, **names: Any) -> dict[str, Any]:
    source = next(text for _, text in BLOCKS if beginning in text)
    exec(compile(source, "ownership.md", "exec"), names)  # the page is ours
    return names


def test_the_page_is_right_as_printed(
    scim: ScimClient, connection: Connection, settings: Any
) -> None:
    users = run_block("class Users")["Users"]
    types = ["scim_provider.resources.GroupResource", "scim_provider.resources.RoleResource"]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": [users, *types]}
    assert [c for c in check_homes() if c.id == "scim_provider.E055"] == []
    made = create(scim, body())
    path = f"/Users/{made['id']}"
    assert (ana().first_name, ana().email) == ("Ana", "ana@work.example")
    Account.objects.update(email="own@home.example")
    scim.put(path, body(name={"givenName": "Nan"}))
    assert (ana().first_name, ana().email) == ("Ana", "own@home.example")
    run_block("give_back(", account=ana(), KLAXON=KLAXON)
    run_block("take_up(", connection=connection)
    form = run_block("class ProfileForm")["ProfileForm"](instance=ana())
    assert form.managed_fields == ["last_name"]
    template = Template(next(text for language, text in BLOCKS if language == "django"))
    shown = template.render(Context({"user": ana()}))
    assert "managed by your organization’s identity provider." in shown


class Wrong(StaffUsers):
    owners: ClassVar[dict[str, Any]] = {
        "userName": Owner.PERSON_ALWAYS,
        "title": Owner.PERSON_ALWAYS,
        "emails": "somebody",
    }


def test_what_nobody_can_own_is_an_error(settings: Any) -> None:
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": [Wrong]}
    found = [check.msg for check in check_homes() if check.id == "scim_provider.E055"]
    assert len(found) == 3
    assert "'userName'" in found[0]
    assert "'title'" in found[1]
    assert "no Owner" in found[2]
