"""Protection is an account's: it outlives that the account is out of SCIM for a while."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from example_project.accounts.models import Account
from scim_provider import existing
from scim_provider.models import Event, EventKind, Resource, Unlisted
from scim_provider.protection import protect, protected_outside
from tests.api.fixture_answers import assert_error, user
from tests.api.test_linking import BULK, WAYS, create
from tests.factories import AccountFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

ADA = "ada@acme.example"
OWN = [{"value": ADA, "type": "work", "primary": True}]


@pytest.fixture
def unlinked(scim, connection):
    """Ada, whom SCIM protected, and who was unlinked."""
    connection.existing_account = "link"
    connection.save()
    AccountFactory(organization=connection.owner, username=ADA, email=ADA)
    assert scim.post("/Users", user(ADA, emails=OWN)).status_code == 201
    protect(connection, [ADA])
    unlink(connection)
    return Account.objects.get()


def unlink(connection):
    people = Resource.objects.filter(connection=connection, resource_type="User")
    assert existing.unlink(connection, people) == 1


def scim_protect(*arguments):
    out = io.StringIO()
    call_command("scim_protect", *arguments, "--json", organization="Acme", stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("times", [1, 2])
def test_who_was_protected_is_so_after_unlink_and_relink(scim, connection, unlinked, way, times):
    for _ in range(times):
        assert existing.relink(connection, ADA) == 1
        assert existing.relink(connection, ADA) == 0
        assert create(scim, way, user(ADA.upper(), emails=OWN, title="Countess")) == 201
        Resource.objects.exclude(account=unlinked).delete()
        (person,) = scim.get("/Users").json()["Resources"]
        assert person["title"] == "Countess"
        assert_error(scim.delete(f"/Users/{person['id']}"), 403)
        off = {"op": "replace", "path": "active", "value": False}
        assert_error(scim.patch(f"/Users/{person['id']}", off), 403)
        assert Resource.objects.get().protected
        assert not Unlisted.objects.exists()
        if times == 2:
            unlink(connection)
    unlinked.refresh_from_db()
    assert (unlinked.username, unlinked.email, unlinked.is_active) == (ADA, ADA, True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        (ADA, {"emails": [{"value": "evil@acme.example"}]}, "emails"),
        (ADA, {"active": False}, "deactivated"),
        (ADA, {"role": "admin"}, "role"),
    ],
)
def test_a_create_that_links_does_what_a_change_may(
    scim, connection, unlinked, way, name, body, said
):
    existing.relink(connection, ADA)
    before = Account.objects.values().get(pk=unlinked.pk)
    assert create(scim, way, user(name, **body)) == 403
    assert Account.objects.values().get(pk=unlinked.pk) == before
    told = Event.objects.filter(kind=EventKind.CHANGE_REFUSED).first()
    assert said in told.reason
    assert ADA in told.reason
    assert not Resource.objects.filter(account=unlinked).exists()
    assert [row.account for row in protected_outside(connection)] == [unlinked]


def test_who_is_listed_again_is_protected(scim, connection, unlinked):
    existing.choose(connection, "list")
    assert scim.get("/Users").json()["totalResults"] == 0
    existing.relink(connection, ADA)
    existing.choose(connection, "list")
    (person,) = scim.get("/Users").json()["Resources"]
    assert_error(scim.delete(f"/Users/{person['id']}"), 403)
    assert not Unlisted.objects.exists()


def test_who_leaves_the_organization_and_returns_is_protected(scim, connection, unlinked):
    existing.relink(connection, ADA)
    existing.choose(connection, "list")
    assert scim.get("/Users").json()["totalResults"] == 1
    Account.objects.update(organization=OrganizationFactory())
    assert scim.get("/Users").json()["totalResults"] == 0
    assert existing.Outlook(connection).unlisted == {}
    Account.objects.update(organization=connection.owner)
    (person,) = scim.get("/Users").json()["Resources"]
    assert_error(scim.delete(f"/Users/{person['id']}"), 403)


def test_who_cannot_be_listed_meanwhile_stays_protected_too(scim, connection, unlinked):
    existing.relink(connection, ADA)
    Account.objects.update(is_staff=True, username="")
    connection.existing_people = "list"
    connection.save()
    Account.objects.update(is_staff=False)
    for _ in range(2):
        assert scim.get("/Users").json()["totalResults"] == 0
        assert existing.Outlook(connection).unlisted == {"no_name": 1}
    Account.objects.update(username=ADA)
    existing.choose(connection, "list")
    (person,) = scim.get("/Users").json()["Resources"]
    assert_error(scim.delete(f"/Users/{person['id']}"), 403)


def test_the_site_ends_a_protection_of_somebody_who_is_out(scim, connection, unlinked):
    assert scim_protect()["protected"] == []
    assert scim_protect()["protected_outside"] == [ADA]
    report = scim_protect("--off", ADA)
    assert (report["changed"], report["protected_outside"]) == (1, [])
    assert Unlisted.objects.get().reason == "unlinked", "nobody let it in"
    assert scim_protect(ADA)["protected_outside"] == [ADA]
    existing.relink(connection, ADA)
    assert scim_protect("--off", ADA)["changed"] == 1
    assert not Unlisted.objects.exists()
    with pytest.raises(CommandError, match="no such person"):
        scim_protect("--off", ADA)
    made = scim.post("/Users", user(ADA)).json()
    assert scim.delete(f"/Users/{made['id']}").status_code == 204


def test_others_are_linked_together_as_before(scim, connection, unlinked):
    existing.relink(connection, ADA)
    bodies = [user(ADA, emails=OWN), user("bo@acme.example"), user("cy@acme.example")]
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(n), "data": body}
        for n, body in enumerate(bodies)
    ]
    answer = scim.post("/Bulk", {"schemas": [BULK], "Operations": operations}).json()
    assert [one["status"] for one in answer["Operations"]] == ["201"] * 3
    assert [*Resource.objects.filter(protected=True).values_list("name", flat=True)] == [ADA]
