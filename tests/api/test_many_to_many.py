"""A person in two organizations: each connection sees and ends its own membership."""

from __future__ import annotations

import pytest

from example_project.accounts.models import Account
from example_project.accounts.scim import StaffUsers
from scim_provider import keys
from scim_provider.connections import connection_for
from scim_provider.models import FormerUser, Resource
from scim_provider.organizations import organizations
from tests.api.fixture_answers import assert_error, user
from tests.conftest import ScimClient
from tests.sites.many_to_many.scim import Clubs, Teams

pytestmark = pytest.mark.django_db

ADA = "ada@example.com"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


class Watched(StaffUsers):
    def version(self, row):
        return super().version(row)


@pytest.fixture(params=[Teams, Clubs], ids=["flag", "row and UUID"])
def site(request, settings):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": request.param}
    return request.param()


def client_of(name):
    owner = organizations().owners.objects.create(name=name, slug=name.lower())
    connection = connection_for(owner)
    connection.enabled = True
    connection.save()
    client = ScimClient(keys.create_key(connection).secret)
    client.connection, client.team = connection, connection.owner
    return client


@pytest.fixture
def red(site):
    return client_of("Red")


@pytest.fixture
def blue(site):
    return client_of("Blue")


@pytest.fixture
def ada(red):
    return red.post("/Users", user(ADA, name={"givenName": "Ada"})).json()


@pytest.fixture
def in_both(red, blue, ada):
    """Ada's ids in both; Blue's row as a linking create makes it."""
    account = Account.objects.get()
    organizations().admit(account, blue.team)
    FormerUser.objects.create(connection=blue.connection, name_key=ADA, account=account)
    return ada["id"], blue.post("/Users", user(ADA)).json()["id"]


def teams_of(name=ADA):
    site = organizations()
    rows = site.active_memberships.filter(**{f"{site.member_key}__username": name})
    return set(rows.values_list(f"{site.organization_key}__name", flat=True))


def is_active(name=ADA):
    return Account.objects.get(username=name).is_active


def switch(client, scim_id, active):
    value = {"op": "replace", "path": "active", "value": active}
    answer = client.patch(f"/Users/{scim_id}", value)
    assert answer.status_code == 200, answer.content
    assert answer.json()["active"] is active
    return answer.json()


def found(client, condition):
    return client.get("/Users", filter=condition).json()["totalResults"]


def test_a_create_makes_an_account_and_its_membership(red, blue, ada):
    assert ada["active"] is True
    assert teams_of() == {"Red"}
    assert red.get(f"/Users/{ada['id']}").json() == ada
    assert_error(blue.get(f"/Users/{ada['id']}"), 404)


def test_each_connection_ends_and_begins_its_own_membership_alone(red, blue, in_both):
    in_red, in_blue = in_both
    before = blue.get(f"/Users/{in_blue}").json()
    switch(red, in_red, False)
    assert teams_of() == {"Blue"}
    assert is_active()
    assert blue.get(f"/Users/{in_blue}").json() == before
    assert red.get(f"/Users/{in_red}").json()["active"] is False
    switch(red, in_red, True)
    assert teams_of() == {"Red", "Blue"}


def test_the_account_is_off_while_no_membership_is_left(red, blue, in_both):
    in_red, in_blue = in_both
    switch(red, in_red, False)
    switch(blue, in_blue, False)
    assert not is_active()
    switch(blue, in_blue, True)
    assert is_active()
    assert teams_of() == {"Blue"}


def test_an_account_that_the_site_switched_off_stays_off(red, blue, in_both):
    Account.objects.update(is_active=False)
    switch(red, in_both[0], False)
    switch(red, in_both[0], True)
    assert not is_active()


def test_a_site_may_keep_accounts_out_of_it(settings, site, red, ada):
    kind = type("Leaving", (type(site),), {"deactivates_accounts": False})
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": kind}
    switch(red, ada["id"], False)
    assert (is_active(), teams_of()) == (True, set())


def test_the_filter_and_the_order_of_active_are_those_of_the_membership(red, blue, in_both):
    in_red, _in_blue = in_both
    red.post("/Users", user("bob@example.com"))
    switch(red, in_red, False)
    assert (found(red, "active eq true"), found(red, "active eq false")) == (1, 1)
    assert (found(blue, "active eq true"), found(blue, "active ne true")) == (1, 0)
    assert found(red, f'userName eq "{ADA}" and active eq false') == 1
    assert found(red, f'userName eq "{ADA}" and not (active eq true) and active pr') == 1
    for query in ({"sortBy": "active"}, {"sortBy": "active", "cursor": "", "count": "1"}):
        names, cursor = [], query
        while cursor is not None:
            page = red.get("/Users", **cursor).json()
            names += [each["userName"] for each in page["Resources"]]
            following = page.get("nextCursor")
            cursor = following and query | {"cursor": following}
        assert names == [ADA, "bob@example.com"]
    everything = red.get("", filter="active eq false").json()["Resources"]
    assert [each["active"] for each in everything] == [False]
    assert {each["active"] for each in red.get("").json()["Resources"]} == {True, False}


def test_what_is_read_in_another_way_says_the_same(red, in_both, settings):
    """A hook of the site's own in how rows are read."""
    types = [Watched, *settings.SCIM_PROVIDER["RESOURCE_TYPES"][1:]]
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"RESOURCE_TYPES": types}
    switch(red, in_both[0], False)
    assert red.get(f"/Users/{in_both[0]}").json()["active"] is False
    assert [one["active"] for one in red.get("/Users").json()["Resources"]] == [False]


def test_put_and_a_create_say_whether_the_membership_counts(red):
    body = user("new@example.com", active=False)
    made = red.post("/Users", body).json()
    assert (made["active"], teams_of("new@example.com")) == (False, set())
    assert not is_active("new@example.com")
    changed = red.put(f"/Users/{made['id']}", body | {"active": True}).json()
    assert (changed["active"], teams_of("new@example.com")) == (True, {"Red"})
    assert is_active("new@example.com")


def test_delete_ends_the_membership_and_a_create_takes_the_person_back(red, blue, in_both):
    in_red, in_blue = in_both
    assert red.delete(f"/Users/{in_red}").status_code == 204
    assert (teams_of(), is_active()) == ({"Blue"}, True)
    assert blue.get(f"/Users/{in_blue}").json()["active"] is True
    again = red.post("/Users", user(ADA))
    assert again.status_code == 201, again.content
    assert teams_of() == {"Red", "Blue"}
    assert Account.objects.count() == 1
    assert blue.delete(f"/Users/{in_blue}").status_code == 204
    assert is_active()
    assert red.delete(f"/Users/{again.json()['id']}").status_code == 204
    assert (teams_of(), is_active()) == (set(), False)


def test_delete_for_good_spares_an_account_that_another_organization_counts_on(red, blue, in_both):
    for client in (red, blue):
        client.connection.on_delete = "delete"
        client.connection.save()
    red.delete(f"/Users/{in_both[0]}")
    assert (teams_of(), is_active()) == ({"Blue"}, True)
    blue.delete(f"/Users/{in_both[1]}")
    assert not Account.objects.exists()


def test_an_account_of_another_organization_is_not_taken_over(red, blue, ada):
    assert_error(blue.post("/Users", user(ADA)), 409, "uniqueness")
    assert teams_of() == {"Red"}
    assert red.get(f"/Users/{ada['id']}").json() == ada


def bulk(client, *bodies):
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(number), "data": body}
        for number, body in enumerate(bodies)
    ]
    answer = client.post("/Bulk", {"schemas": [BULK], "Operations": operations}).json()
    return [one["status"] for one in answer["Operations"]]


def test_many_creates_make_their_memberships_in_sets(red, django_assert_max_num_queries):
    people = [user(f"{n}@example.com", active=n % 2 == 0) for n in range(40)]
    bulk(red, user("warm@example.com"), user("up@example.com", active=False))
    with django_assert_max_num_queries(40):
        assert set(bulk(red, *people)) == {"201"}
    assert organizations().active_memberships.count() == 21
    assert found(red, "active eq false") == 21
    assert Account.objects.filter(is_active=False).count() == 21


def test_many_who_return_have_their_memberships_and_accounts_back(red, ada):
    bob = red.post("/Users", user("bob@example.com")).json()
    for one in (ada, bob):
        red.delete(f"/Users/{one['id']}")
    assert not Account.objects.filter(is_active=True).exists()
    bodies = user(ADA), user("bob@example.com", active=False), user("new@example.com")
    assert bulk(red, *bodies) == ["201"] * 3
    assert [is_active(body["userName"]) for body in bodies] == [True, False, True]
    assert [teams_of(body["userName"]) for body in bodies] == [{"Red"}, set(), {"Red"}]


def test_reading_costs_what_it_costs_elsewhere(red, ada, django_assert_num_queries):
    red.get(f"/Users/{ada['id']}")
    red.get("/Users", filter='userName eq "x"')
    with django_assert_num_queries(2):
        red.get(f"/Users/{ada['id']}")
    with django_assert_num_queries(2):
        red.get("/Users", filter=f'userName eq "{ADA}"')


def test_a_connection_without_an_organization_has_no_memberships(red, ada, site_connection):
    scim = ScimClient(keys.create_key(site_connection).secret)
    made = scim.post("/Users", user("nobody@example.com"))
    assert made.status_code == 201
    assert scim.get(f"/Users/{made.json()['id']}").json()["active"] is False
    assert found(scim, "active eq true") == 0


def test_rows_that_the_site_changes_by_itself_are_answered_at_once(red, ada):
    organizations().memberships.delete()
    assert red.get(f"/Users/{ada['id']}").json()["active"] is False
    assert Resource.objects.get(scim_id=ada["id"]).version == 1
    switch(red, ada["id"], True)
    assert teams_of() == {"Red"}


@pytest.mark.parametrize("site", [Teams], indirect=True)
def test_the_last_who_manages_by_membership_stays_in_that_organization(site, red, blue, in_both):
    in_red, in_blue = (f"/Users/{each}" for each in in_both)
    managers = site.memberships.filter(**{site.organization_key: red.team})
    managers.update(**site.managers)
    inactive = {"op": "replace", "path": "active", "value": False}
    assert "the last active administrator of Red" in assert_error(red.patch(in_red, inactive), 403)
    assert_error(red.delete(in_red), 403)
    assert blue.delete(in_blue).status_code == 204
    assert teams_of() == {"Red"}

    red.post("/Users", user("bo@example.com"))
    managers.update(**site.managers)
    assert red.patch(in_red, inactive).status_code == 200
    assert teams_of() == set()
