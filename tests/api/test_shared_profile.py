"""Whose name it is: a person in two organizations, one account, two identity providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from example_project.accounts.models import Account
from scim_provider import existing, keys
from scim_provider.connections import connection_for
from scim_provider.models import AttributeValue, Resource
from scim_provider.resources import Home, SingleValue, UserResource
from tests.api.fixture_answers import user
from tests.conftest import ScimClient
from tests.sites.many_to_many.models import Team
from tests.sites.many_to_many.scim import Teams

pytestmark = pytest.mark.django_db

ADA = "ada@example.com"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
IN_RED = {"name": {"givenName": "Ada", "familyName": "Lovelace"}, "title": "Countess"}
IN_BLUE = {"name": {"givenName": "Augusta"}, "title": "Analyst", "password": "hunter2 and more 9"}


def client_of(name):
    connection = connection_for(Team.objects.create(name=name, slug=name.lower()))
    connection.enabled, connection.existing_account = True, "link"
    connection.save()
    client = ScimClient(keys.create_key(connection).secret)
    client.connection = connection
    return client


@pytest.fixture
def red(settings):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": Teams}
    return client_of("Red")


@pytest.fixture
def blue(red):
    return client_of("Blue")


def email(address):
    return [{"value": address, "type": "work", "primary": True}]


@pytest.fixture
def in_red(red):
    return red.post("/Users", user(ADA, emails=email("ada@red.example"), **IN_RED)).json()


@pytest.fixture(params=["POST", "Bulk"])
def in_blue(request, blue, in_red):
    Teams().admit(Account.objects.get(), blue.connection.owner)
    body = user(ADA.upper(), emails=email("ada@blue.example"), **IN_BLUE)
    if request.param == "POST":
        made = blue.post("/Users", body)
        assert made.status_code == 201, made.content
        return made.json()
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(n), "data": data}
        for n, data in enumerate([body, user("bob@blue.example", **IN_BLUE)])
    ]
    answer = blue.post("/Bulk", {"schemas": [BULK], "Operations": operations}).json()
    assert [one["status"] for one in answer["Operations"]] == ["201", "201"]
    return blue.get("/Users/" + answer["Operations"][0]["location"].rpartition("/")[2]).json()


def account():
    return Account.objects.distinct().get(scim_resources__name=ADA)


def found(client, condition):
    page = client.get("/Users", filter=condition).json()
    return [one["name"].get("givenName") for one in page["Resources"]]


def test_the_first_connection_writes_the_account_and_each_is_answered_what_it_sent(
    red, blue, in_red, in_blue
):
    ada = account()
    assert (ada.first_name, ada.last_name) == ("Ada", "Lovelace")
    assert (ada.username, ada.email) == (ADA, "ada@red.example")
    assert not ada.has_usable_password()
    assert in_blue["name"] == IN_BLUE["name"]
    assert in_blue["emails"] == email("ada@blue.example")
    assert blue.get(f"/Users/{in_blue['id']}").json() == in_blue
    assert red.get(f"/Users/{in_red['id']}").json() == in_red


def test_filters_orders_and_other_reads_agree_with_the_answers(red, blue, in_red, in_blue):
    one = f'userName eq "{ADA}" and '
    assert found(blue, one + 'name.givenName eq "augusta"') == ["Augusta"]
    assert found(blue, one + 'name.givenName sw "Ad"') == []
    assert found(blue, one + "name.familyName pr") == []
    assert found(blue, one + 'name.givenName ne "Ada"') == ["Augusta"]
    assert found(red, 'name.givenName eq "Ada" and name.familyName pr') == ["Ada"]
    assert found(red, 'name.givenName eq "Augusta"') == []
    blue.post("/Users", user("zoe@blue.example", name={"givenName": "Aaron"}))
    for query in ({}, {"cursor": ""}):
        page = blue.get("/Users", sortBy="name.givenName", **query).json()
        given = [one["name"]["givenName"] for one in page["Resources"]]
        assert given == sorted(given)
        assert given[0] == "Aaron"
    everything = blue.get("", filter='name.givenName eq "Augusta"').json()["Resources"]
    assert in_blue in everything


def test_a_change_of_the_other_connection_stays_with_it(red, blue, in_red, in_blue):
    url = f"/Users/{in_blue['id']}"
    changed = blue.patch(url, {"op": "replace", "path": "name.givenName", "value": "Gus"}).json()
    assert changed["name"] == {"givenName": "Gus"}
    assert found(blue, 'name.givenName eq "Gus"') == ["Gus"]
    unassigned = blue.patch(url, {"op": "remove", "path": "name"}).json()
    assert "name" not in unassigned
    put = blue.put(url, user(ADA, **IN_RED)).json()
    assert put["name"] == IN_RED["name"]
    assert account().first_name == "Ada"
    assert red.get(f"/Users/{in_red['id']}").json() == in_red
    too_long = {"op": "replace", "path": "name.givenName", "value": "x" * 151}
    assert blue.patch(url, too_long).status_code == 400


def test_the_owner_goes_on_writing(red, blue, in_red, in_blue):
    value = {"op": "replace", "path": "name.givenName", "value": "Ada Augusta"}
    red.patch(f"/Users/{in_red['id']}", value)
    assert account().first_name == "Ada Augusta"
    assert blue.get(f"/Users/{in_blue['id']}").json() == in_blue


def test_the_profile_goes_to_the_other_connection_when_the_owner_lets_go(
    red, blue, in_red, in_blue
):
    assert red.delete(f"/Users/{in_red['id']}").status_code == 204
    row = Resource.objects.get(scim_id=in_blue["id"])
    ada = row.account
    assert row.owns_profile
    assert (ada.first_name, ada.last_name, ada.email) == ("Augusta", "", "ada@blue.example")
    assert not AttributeValue.objects.filter(resource=row, path__startswith="name.").exists()
    assert blue.get(f"/Users/{in_blue['id']}").json() == in_blue
    again = red.post("/Users", user(ADA, **IN_RED)).json()
    assert again["name"] == IN_RED["name"]
    ada.refresh_from_db()
    assert ada.first_name == "Augusta"


def test_a_profile_that_was_left_goes_to_the_next_who_writes(red, blue, in_red, in_blue):
    red.connection.owner.delete()
    assert account_of(in_blue).first_name == "Ada"
    value = {"op": "replace", "path": "title", "value": "Head"}
    changed = blue.patch(f"/Users/{in_blue['id']}", value).json()
    assert changed["name"] == IN_BLUE["name"]
    ada = account_of(in_blue)
    assert (ada.first_name, ada.last_name) == ("Augusta", "")


def account_of(document):
    return Resource.objects.select_related("account").get(scim_id=document["id"]).account


def test_by_policy_every_connection_writes(red, blue, in_red):
    blue.connection.shared_profile = "every"
    blue.connection.save()
    Teams().admit(Account.objects.get(), blue.connection.owner)
    made = blue.post("/Users", user(ADA, **IN_BLUE)).json()
    assert account().first_name == "Augusta"
    assert red.get(f"/Users/{in_red['id']}").json()["name"]["givenName"] == "Augusta"
    red.put(f"/Users/{in_red['id']}", user(ADA, **IN_RED))
    assert blue.get(f"/Users/{made['id']}").json()["name"] == IN_RED["name"]


class OneAddress(UserResource):
    homes: ClassVar[Mapping[str, Home]] = {
        **UserResource.homes,
        "emails": SingleValue("account__email", type="work", primary=True),
    }


def test_one_element_of_an_attribute_has_an_owner_too(settings, red, blue):
    types = [OneAddress, *settings.SCIM_PROVIDER["RESOURCE_TYPES"][1:]]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": types}
    of_red, of_blue = email("ada@red.example"), email("ada@blue.example")
    in_red = red.post("/Users", user(ADA, emails=of_red)).json()
    Teams().admit(Account.objects.get(), blue.connection.owner)
    made = blue.post("/Users", user(ADA, emails=of_blue)).json()
    url = f"/Users/{made['id']}"
    assert (made["emails"], account().email) == (of_blue, "ada@red.example")
    other = email("zoe@blue.example")
    assert blue.patch(url, {"op": "replace", "path": "emails", "value": other}).status_code == 200
    for client, own, foreign in ((blue, other, of_red), (red, of_red, other)):
        assert [one["emails"] for one in client.get("/Users").json()["Resources"]] == [own]
        for value, number in ((own[0]["value"], 1), (foreign[0]["value"], 0)):
            page = client.get("/Users", filter=f'emails.value eq "{value}"').json()
            assert page["totalResults"] == number
    assert blue.get(url).json()["emails"] == other
    blue.post("/Users", user("bob", emails=email("bob@blue.example")))
    page = blue.get("/Users", sortBy="emails.value").json()["Resources"]
    assert [one["userName"] for one in page] == ["bob", ADA]
    assert red.delete(f"/Users/{in_red['id']}").status_code == 204
    assert account_of(made).email == "zoe@blue.example"
    assert blue.get(url).json()["emails"] == other


def test_one_element_is_listed_of_a_member_whom_somebody_else_owns(settings, red, blue):
    types = [OneAddress, *settings.SCIM_PROVIDER["RESOURCE_TYPES"][1:]]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": types}
    red.post("/Users", user(ADA, emails=email("ada@red.example")))
    Teams().admit(Account.objects.get(), blue.connection.owner)
    existing.choose(blue.connection, "list")
    (listed,) = blue.get("/Users").json()["Resources"]
    assert listed["emails"] == email("ada@red.example")
