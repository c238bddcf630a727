"""Every kind of home of an account that two organizations have obeys who owns its profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from django.db.models import CharField, F, Value
from django.db.models.functions import Concat
from django.urls import reverse

from example_project.accounts.models import Account
from scim_provider import existing
from scim_provider.mapping.beside import Beside
from scim_provider.mapping.paths import set_value
from scim_provider.models import Resource
from scim_provider.organization_checks import check_shared_homes
from scim_provider.ownership import give_back, keep_apart, take_up
from scim_provider.resources import (
    Attribute,
    Column,
    Computed,
    Flag,
    Home,
    Owner,
    Rows,
    Schema,
    SingleValue,
    UserResource,
)
from tests.api.fixture_answers import user
from tests.api.test_shared_profile import ADA, BULK, blue, client_of, red  # noqa: F401
from tests.factories import SuperuserFactory
from tests.sites.many_to_many.models import Phone
from tests.sites.many_to_many.scim import Teams

pytestmark = pytest.mark.django_db

OWN = Schema(
    "urn:example:shared",
    "Shared",
    (Attribute("called", "boolean"), Attribute("label", mutability="readOnly"), Attribute("born")),
)
CALLED, LABEL, BORN = f"{OWN.id}:called", f"{OWN.id}:label", f"{OWN.id}:born"
OF_RED = [{"value": "+44 1", "type": "work"}, {"value": "+44 2", "type": "mobile"}]
OF_BLUE = [{"value": "+49 3", "type": "work"}]


class Shouted(Column):
    """A site's own way to read a column."""

    def read(self, row: Any, target: Any) -> Any:
        return (super().read(row, target) or "").upper() or None


class LoudAddress(SingleValue):
    """A site's own kind of one of ours."""


class People(UserResource):
    extensions = (*UserResource.extensions, OWN)
    homes: ClassVar[Mapping[str, Home]] = {
        **UserResource.homes,
        "name.familyName": Shouted("account__last_name"),
        "emails": LoudAddress("account__email", type="work"),
        "phoneNumbers": Rows("account__phones", value="number", type="kind"),
        CALLED: Flag("account__first_name", true="Ada", false="Nobody"),
        LABEL: Computed(
            Concat("account__last_name", Value("/"), "account__email", output_field=CharField())
        ),
        BORN: Computed(F("account__date_joined")),
    }
    homes.pop("name.givenName")
    schema = UserResource.schema


@pytest.fixture(autouse=True)
def types(settings):
    types = [People, *settings.SCIM_PROVIDER["RESOURCE_TYPES"][1:]]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": types}


def person(phones, *, called=True, family="Lovelace", address="ada@red.example"):
    return user(
        ADA,
        schemas=[*user()["schemas"], OWN.id],
        name={"familyName": family},
        phoneNumbers=phones,
        emails=[{"value": address, "type": "work"}],
        **{OWN.id: {"called": called}},
    )


def numbers():
    return [*Phone.objects.order_by("pk").values_list("number", flat=True)]


@pytest.fixture
def in_red(red):  # noqa: F811
    return red.post("/Users", person(OF_RED)).json()


@pytest.fixture(params=["POST", "Bulk"])
def in_blue(request, blue, in_red):  # noqa: F811
    Teams().admit(Account.objects.get(), blue.connection.owner)
    body = person(OF_BLUE, called=False, family="Byron", address="ada@blue.example")
    if request.param == "POST":
        made = blue.post("/Users", body)
        assert made.status_code == 201, made.content
        return made.json()
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(n), "data": data}
        for n, data in enumerate([body, user("bob@blue.example")])
    ]
    answer = blue.post("/Bulk", {"schemas": [BULK], "Operations": operations}).json()
    assert [one["status"] for one in answer["Operations"]] == ["201", "201"]
    return blue.get("/Users/" + answer["Operations"][0]["location"].rpartition("/")[2]).json()


def count(client, condition):
    return client.get("/Users", filter=f'userName eq "{ADA}" and {condition}').json()[
        "totalResults"
    ]


def test_related_rows_have_an_owner(red, blue, in_red, in_blue):  # noqa: F811
    assert in_blue["phoneNumbers"] == OF_BLUE
    assert numbers() == ["+44 1", "+44 2"]
    url = f"/Users/{in_blue['id']}"
    more = [*OF_BLUE, {"value": "+49 4", "type": "home"}]
    add = {"op": "add", "path": "phoneNumbers", "value": more[1:]}
    assert blue.patch(url, add).json()["phoneNumbers"] == more
    for answer in (
        blue.get(url).json(),
        blue.get("/Users", filter=f'userName eq "{ADA}"').json()["Resources"][0],
        blue.get("/Users", sortBy="userName").json()["Resources"][0],
        blue.get("", filter=f'userName eq "{ADA}"').json()["Resources"][0],
    ):
        assert answer["phoneNumbers"] == more
    assert red.get(f"/Users/{in_red['id']}").json() == in_red
    assert blue.patch(url, {"op": "remove", "path": "phoneNumbers"}).status_code == 200
    assert "phoneNumbers" not in blue.get(url).json()
    assert numbers() == ["+44 1", "+44 2"]


def test_filters_and_orders_see_the_values_of_the_own_connection(
    red,  # noqa: F811
    blue,  # noqa: F811
    in_red,
    in_blue,
):
    for client, own, other in ((red, OF_RED, OF_BLUE), (blue, OF_BLUE, OF_RED)):
        for elements, number in ((own, 1), (other, 0)):
            value = elements[0]["value"]
            assert count(client, f'phoneNumbers.value eq "{value}"') == number
            assert count(client, f'phoneNumbers[type eq "work" and value eq "{value}"]') == number
            assert count(client, f'phoneNumbers sw "{value}"') == number
            assert count(client, f'not (phoneNumbers eq "{value}")') == 1 - number
        assert count(client, "phoneNumbers pr") == 1
    blue.post("/Users", user("zoe@blue.example", phoneNumbers=[{"value": "+49 2"}]))
    page = blue.get("/Users", sortBy="phoneNumbers.value", filter="phoneNumbers pr").json()
    assert [one["phoneNumbers"][0]["value"] for one in page["Resources"]] == ["+49 2", "+49 3"]
    assert blue.get("/Users", filter='phoneNumbers eq "+49 3"').json()["totalResults"] == 1
    assert blue.get("/Users", filter='phoneNumbers eq "+44 1"').json()["totalResults"] == 0


def test_what_a_site_calls_its_own_kinds_of_homes_has_an_owner_too(
    red,  # noqa: F811
    blue,  # noqa: F811
    in_red,
    in_blue,
):
    ada = Account.objects.distinct().get(scim_resources__name=ADA)
    assert (ada.email, ada.last_name, ada.first_name) == ("ada@red.example", "Lovelace", "Ada")
    assert in_red["emails"][0]["value"] == "ada@red.example"
    assert in_blue["emails"][0]["value"] == "ada@blue.example"
    for client, name, own, called in (
        (red, "LOVELACE", in_red, True),
        (blue, "Byron", in_blue, False),
    ):
        for answer in (
            own,
            client.get("/Users", filter=f'id eq "{own["id"]}"').json()["Resources"][0],
        ):
            assert answer["name"]["familyName"] == name
            assert answer[OWN.id]["called"] is called
        assert count(client, f"{CALLED} eq true") == int(called)
        assert count(client, 'emails.value eq "ada@red.example"') == int(called)


def test_what_is_computed_of_the_profile_is_its_owners(red, blue, in_red, in_blue):  # noqa: F811
    assert in_red[OWN.id]["label"] == "Lovelace/ada@red.example"
    assert "label" not in in_blue[OWN.id]
    assert in_blue[OWN.id]["born"] == in_red[OWN.id]["born"], "the site's, and nobody writes it"
    for client, number in ((red, 1), (blue, 0)):
        assert count(client, f'{LABEL} sw "Love"') == number
        assert count(client, f"{LABEL} pr") == number
    assert blue.get("/Users", sortBy=LABEL).status_code == 200


def test_related_rows_go_along_with_the_profile(red, blue, in_red, in_blue):  # noqa: F811
    assert red.delete(f"/Users/{in_red['id']}").status_code == 204
    assert numbers() == ["+49 3"]
    url = f"/Users/{in_blue['id']}"
    assert blue.get(url).json()["phoneNumbers"] == OF_BLUE
    assert not Resource.objects.get(scim_id=in_blue["id"]).document.get("phoneNumbers")
    assert blue.patch(url, {"op": "remove", "path": "phoneNumbers"}).status_code == 200
    assert numbers() == []


def test_who_takes_a_profile_over_without_a_value_leaves_none_of_the_other(
    red,  # noqa: F811
    blue,  # noqa: F811
    in_red,
):
    Teams().admit(Account.objects.get(), blue.connection.owner)
    made = blue.post("/Users", user(ADA)).json()
    assert "phoneNumbers" not in made
    assert red.delete(f"/Users/{in_red['id']}").status_code == 204
    assert numbers() == []
    assert "phoneNumbers" not in blue.get(f"/Users/{made['id']}").json()


def test_by_policy_every_connection_writes_related_rows(red, blue, in_red):  # noqa: F811
    blue.connection.shared_profile = "every"
    blue.connection.save()
    Teams().admit(Account.objects.get(), blue.connection.owner)
    blue.post("/Users", person(OF_BLUE))
    assert numbers() == ["+49 3"]
    assert red.get(f"/Users/{in_red['id']}").json()["phoneNumbers"] == OF_BLUE


@pytest.mark.parametrize("by", ["the admin", "code"])
def test_a_policy_that_trusts_no_longer_counts_at_once(
    red,  # noqa: F811
    blue,  # noqa: F811
    in_red,
    client,
    by,
    django_assert_max_num_queries,
):
    blue.connection.shared_profile = "every"
    blue.connection.save()
    Teams().admit(Account.objects.get(), blue.connection.owner)
    made = blue.post("/Users", person(OF_BLUE, family="Byron", address="ada@blue.example")).json()
    bob = blue.post("/Users", user("bob@blue.example", title="Dr.")).json()
    before = [blue.get(f"/Users/{one['id']}").json() for one in (made, bob)]
    blue.connection.shared_profile = "first"
    if by == "code":
        blue.connection.save()
        with django_assert_max_num_queries(20):
            assert keep_apart(blue.connection) == 1
    else:
        client.force_login(SuperuserFactory())
        url = reverse("admin:scim_provider_connection_change", args=[blue.connection.pk])
        fields = client.get(url).context["adminform"].form.initial
        fields = {name: value for name, value in fields.items() if value not in (None, False)}
        keys = {f"access_keys-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
        assert client.post(url, fields | keys | {"shared_profile": "first"}).status_code == 302
    assert [*Resource.objects.filter(owns_profile=False)] == [
        Resource.objects.get(scim_id=made["id"])
    ]
    after = [blue.get(f"/Users/{one['id']}").json() for one in (made, bob)]
    before[0][OWN.id].pop("label")  # is computed of what is the other's now
    assert after == before
    assert count(blue, 'phoneNumbers eq "+49 3"') == count(blue, "name.familyName pr") == 1
    evil = {"emails": [{"value": "evil@blue.example", "type": "work"}], "phoneNumbers": OF_RED[:1]}
    assert blue.patch(f"/Users/{made['id']}", {"op": "replace", "value": evil}).status_code == 200
    assert Account.objects.filter(email="ada@blue.example").exists()
    assert numbers() == ["+49 3"]
    red.put(f"/Users/{in_red['id']}", person(OF_RED))
    assert numbers() == ["+44 1", "+44 2"]


def test_who_is_listed_starts_with_what_the_account_says(
    red,  # noqa: F811
    blue,  # noqa: F811
    in_red,
    django_assert_max_num_queries,
):
    Teams().admit(Account.objects.get(), blue.connection.owner)
    existing.choose(blue.connection, "list")
    (listed,) = blue.get("/Users").json()["Resources"]
    assert listed["phoneNumbers"] == OF_RED
    assert count(blue, 'phoneNumbers eq "+44 1"') == 1
    change = {"op": "remove", "path": 'phoneNumbers[type eq "work"]'}
    assert blue.patch(f"/Users/{listed['id']}", change).json()["phoneNumbers"] == OF_RED[1:]
    assert numbers() == ["+44 1", "+44 2"]


class Editable(UserResource):
    homes: ClassVar[Mapping[str, Home]] = {
        **UserResource.homes,
        "title": Column("account__last_name"),
    }
    homes.pop("name.familyName")
    owners: ClassVar[Mapping[str, Owner]] = {"title": Owner.PERSON_ONCE_EDITED}


def test_what_a_person_edited_goes_back_to_who_owns_the_profile(settings, red, blue):  # noqa: F811
    types = [Editable, *settings.SCIM_PROVIDER["RESOURCE_TYPES"][1:]]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": types}
    red.post("/Users", user(ADA, title="Countess"))
    Teams().admit(Account.objects.get(), blue.connection.owner)
    made = blue.post("/Users", user(ADA, title="Analyst")).json()
    assert made["title"] == "Analyst"
    Account.objects.update(last_name="Herself")
    assert give_back(Resource.objects.filter(connection=blue.connection)) == 0
    assert take_up(blue.connection) == 0
    assert Account.objects.get().last_name == "Herself"
    assert give_back(Resource.objects.all()) == 1
    assert Account.objects.get().last_name == "Countess"


class Extension(Beside):
    """A home that a site makes by itself: one phone of the account."""

    def fill(self, pairs, target, context):
        for row, document in pairs:
            found = Phone.objects.filter(user__scim_resources=row.pk, kind="own").first()
            set_value(document, target, found and found.number)

    def save(self, changes, target):
        for row, value in changes:
            Phone.objects.filter(user=row.account, kind="own").delete()
            if value:
                Phone.objects.create(user=row.account, kind="own", number=value)


def with_extension(of_profile):
    kind = type("Extension", (Extension,), {"of_profile": of_profile})
    homes = {**UserResource.homes, "nickName": kind()}
    return type("WithExtension", (UserResource,), {"homes": homes})


@pytest.mark.parametrize(("of_profile", "is_apart"), [(True, True), (False, False), (None, False)])
def test_a_home_of_the_sites_own_says_whether_it_is_of_the_profile(
    settings,
    red,  # noqa: F811
    blue,  # noqa: F811
    of_profile,
    is_apart,
):
    types = [with_extension(of_profile), *settings.SCIM_PROVIDER["RESOURCE_TYPES"][1:]]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": types}
    told = check_shared_homes()
    assert [one.id for one in told] == ["scim_provider.W036"] * (of_profile is None)
    if told:
        assert "nickName" in told[0].msg
        assert "of_profile" in told[0].hint
    in_red = red.post("/Users", user(ADA, nickName="+1")).json()
    Teams().admit(Account.objects.get(), blue.connection.owner)
    in_blue = blue.post("/Users", user(ADA, nickName="+2")).json()
    assert in_blue["nickName"] == "+2"
    assert numbers() == (["+1"] if is_apart else ["+2"])
    expected = "+1" if is_apart else "+2"
    assert red.get(f"/Users/{in_red['id']}").json()["nickName"] == expected
    assert blue.get("/Users").json()["Resources"] == [in_blue]
