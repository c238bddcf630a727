"""``manage.py scim_import_django_scim2`` on a site whose keys are the ids: who stays out, and why.

tests/sites/test_django_scim2.py runs it on a database of the real package.
"""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test import override_settings
from django.utils import timezone

from example_project.accounts.models import Account, Organization
from scim_provider import django_scim2
from scim_provider.connections import connection_for
from scim_provider.django_scim2 import carrying, people
from scim_provider.models import Connection, Event, Membership, Resource, Role, RoleAssignment
from scim_provider.role_mapping import apply, preview
from tests.conftest import ScimClient
from tests.factories import AccountFactory, OrganizationFactory, SuperuserFactory

pytestmark = pytest.mark.django_db


def run(*arguments: str, code: int = 0) -> dict[str, Any]:
    printed = StringIO()
    fields = ("--user-id-field=id", "--group-id-field=id", "--organization=Acme")
    try:
        call_command("scim_import_django_scim2", *fields, "--json", *arguments, stdout=printed)
        ended = 0
    except SystemExit as stopped:
        ended = stopped.code
    assert ended == code, printed.getvalue()
    told: dict[str, Any] = json.loads(printed.getvalue())
    return told


def conflicts(told: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["reason"] for each in told["conflicts_told"]}


@pytest.fixture
def ana(organization: Organization) -> Account:
    return AccountFactory(organization=organization, username="Ana@example.com")


def test_people_and_groups_keep_their_ids(
    scim: ScimClient, ana: Account, organization: Organization, connection: Connection
) -> None:
    group = Group.objects.create(name="Sales")
    group.user_set.add(ana)
    told = run()
    assert (told["users"], told["groups"], told["members"]) == (1, 1, 1)
    user = scim.get(f"/Users/{ana.pk}").json()
    assert (user["userName"], user["emails"][0]["value"]) == ("Ana@example.com", ana.email)
    assert user["groups"][0]["value"] == str(group.pk)
    found = scim.get("/Users", filter='userName eq "ANA@example.com"').json()
    assert [each["id"] for each in found["Resources"]] == [str(ana.pk)]
    assert scim.get("/Users", filter=f'emails.value eq "{ana.email}"').json()["totalResults"] == 1
    told = Event.objects.get(connection=connection)
    assert (told.kind, told.account_id) == ("person.listed", ana.pk)
    assert "django-scim2" in told.reason


def test_other_organizations_stay_out(ana: Account, connection: Connection) -> None:
    stranger = AccountFactory(organization=OrganizationFactory())
    for name, some in (("Both", [ana, stranger]), ("Theirs", [stranger]), ("Empty", [])):
        Group.objects.create(name=name).user_set.add(*some)
    told = run()
    assert (told["users"], told["groups"], told["members"]) == (1, 1, 1)
    assert Resource.objects.get(resource_type="Group").name == "Both"
    assert Membership.objects.get().member.account == ana


def test_who_is_in_another_connection_too_is_a_member_in_this_one(
    ana: Account, connection: Connection, other_connection: Connection
) -> None:
    now = timezone.now()
    Resource.objects.create(
        connection=other_connection,
        resource_type="User",
        account=ana,
        name="ana",
        name_key="ana",
        created=now,
        last_modified=now,
    )
    Group.objects.create(name="Sales").user_set.add(ana)
    assert run()["members"] == 1
    assert Membership.objects.get().member.connection == connection


def test_who_stays_out_is_told_why(ana: Account, organization: Organization) -> None:
    SuperuserFactory(organization=organization, username="boss")
    AccountFactory(organization=organization, username=" ")
    told = run(code=1)
    assert (told["users"], told["conflicts"]) == (1, 2)
    assert "administrator of the site" in conflicts(told)["boss"]
    assert "no login name" in conflicts(told)[" "]
    with override_settings(SCIM_PROVIDER={"ALLOW_PRIVILEGED": True} | ORGANIZATIONS):
        assert run(code=1)["users"] == 1


@pytest.mark.skipif(database.vendor == "mysql", reason="MariaDB takes them for the same")
def test_names_in_two_spellings_are_told(ana: Account, organization: Organization) -> None:
    AccountFactory(organization=organization, username="ANA@example.com")
    for name in ("Sales", "sales"):
        Group.objects.create(name=name).user_set.add(ana)
    told = run(code=1)
    assert (told["users"], told["groups"]) == (1, 1)
    assert "same login name in another spelling" in conflicts(told)["ANA@example.com"]
    assert "unique_group_names" in conflicts(told)["sales"]
    Connection.objects.update(unique_group_names=False)
    assert run(code=1)["groups"] == 1


ORGANIZATIONS = {"ORGANIZATIONS": "example_project.accounts.scim.Organizations"}


def test_who_is_listed_under_another_id_is_told(
    scim: ScimClient, ana: Account, organization: Organization, connection: Connection
) -> None:
    bo = AccountFactory(organization=organization, username="bo@example.com")
    made = scim.post("/Users", {"userName": "cy@example.com"}).json()["id"]
    Resource.objects.filter(scim_id=made).update(scim_id=str(bo.pk))
    cy = Account.objects.get(username="cy@example.com")
    told = run(code=1)
    assert told["users"] == 1
    reasons = conflicts(told)
    assert "the same id" in reasons["bo@example.com"]
    assert f"under the id {bo.pk}" in reasons["cy@example.com"]
    assert Resource.objects.get(account=cy).scim_id == str(bo.pk)


def test_people_who_come_later_join_the_groups_that_are_there(
    ana: Account, organization: Organization, connection: Connection
) -> None:
    boss = SuperuserFactory(organization=organization)
    group = Group.objects.create(name="Sales")
    group.user_set.add(ana, boss)
    assert run(code=1)["members"] == 1
    Account.objects.filter(pk=boss.pk).update(is_staff=False, is_superuser=False)
    Membership.objects.all().delete()  # what the identity provider took out meanwhile
    told = run()
    assert (told["users"], told["users_there_already"], told["members"]) == (1, 1, 1)
    assert Membership.objects.get().member.account == boss


def test_who_joins_a_group_that_is_there_changes_its_version_and_gets_its_roles(
    scim: ScimClient, ana: Account, organization: Organization, connection: Connection
) -> None:
    boss = SuperuserFactory(organization=organization, username="boss")
    group = Group.objects.create(name="Sales")
    group.user_set.add(ana, boss)
    run(code=1)
    apply(connection, {"rules": [{"group": "Sales", "role": "analyst"}]})
    before = scim.get(f"/Groups/{group.pk}")
    Account.objects.filter(pk=boss.pk).update(is_staff=False, is_superuser=False)
    run()
    after = scim.get(f"/Groups/{group.pk}")
    assert (len(before.json()["members"]), len(after.json()["members"])) == (1, 2)
    assert before.headers["ETag"] != after.headers["ETag"]
    assert set(RoleAssignment.objects.values_list("user__account", "role__value")) == {
        (ana.pk, "analyst"),
        (boss.pk, "analyst"),
    }
    assert preview(connection, {}).as_dict()["people"] == 0


def test_who_was_deleted_through_scim_stays_deleted(
    scim: ScimClient, ana: Account, connection: Connection
) -> None:
    run()
    assert scim.delete(f"/Users/{ana.pk}").status_code == 204
    told = run()
    assert (told["users"], told["users_deleted_since"], told["conflicts"]) == (0, 1, 0)
    assert scim.get(f"/Users/{ana.pk}").status_code == 404


def test_ids_that_cannot_be_kept_are_told(
    organization: Organization, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of the site's own need be neither unique nor short."""
    for name, own_id in (("a", "same"), ("b", "same"), ("c", "c")):
        account = AccountFactory(organization=organization, username=name, last_name=own_id)
        Group.objects.create(name=name).user_set.add(account)
    fields = ("--user-id-field=last_name", "--group-id-field=id")
    told = run(*fields, code=1)
    assert (told["users"], told["groups"], told["members"]) == (2, 2, 2)
    assert conflicts(told) == {"b": "Another person of this connection has the same id."}
    assert run(*fields, code=1)["users_there_already"] == 2
    Resource.objects.all().delete()
    monkeypatch.setattr(Account, "scim_external_id", "x" * 256, raising=False)
    assert "external id is too long" in conflicts(run(*fields, code=1))["c"]
    for module in (carrying, people):
        monkeypatch.setattr(module, "text_of", lambda value: "7" * 255 if value else "")
    told = run(*fields, code=1)
    assert (told["users"], told["groups"]) == (0, 0)
    assert {each["reason"] for each in told["conflicts_told"]} == {
        "Its id is too long: at most 254 characters."
    }


def test_groups_of_one_id_are_told(
    ana: Account, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    Group.objects.create(name="Sales").user_set.add(ana)
    Group.objects.create(name="Support").user_set.add(ana)
    monkeypatch.setattr(carrying, "_group_name", lambda group: group.name)
    monkeypatch.setattr(carrying, "text_of", lambda value: "7" if value else "")
    told = run(code=1)
    assert (told["groups"], conflicts(told)) == (1, {"Support": "Another group has the same id."})


def test_a_rehearsal_makes_no_connection(organization: Organization) -> None:
    AccountFactory(organization=organization)
    assert run("--dry-run")["users"] == 1
    assert not Connection.objects.exists()
    assert not Role.objects.exists()


def test_a_rehearsal_changes_nothing(ana: Account, connection: Connection) -> None:
    Group.objects.create(name="Sales").user_set.add(ana)
    told = run("--dry-run")
    assert (told["dry_run"], told["users"], told["members"]) == (True, 1, 1)
    assert not Resource.objects.exists()
    assert not Event.objects.exists()
    assert run("--no-groups")["groups"] == 0


def test_people_get_lines_instead_of_json(ana: Account, connection: Connection) -> None:
    SuperuserFactory(organization=ana.organization, username="boss")
    printed = StringIO()
    arguments = ("--organization=Acme", "--user-id-field=id", "--no-groups", "--dry-run")
    with pytest.raises(SystemExit):
        call_command("scim_import_django_scim2", *arguments, stdout=printed)
    text = printed.getvalue()
    assert "Nothing was changed" in text
    assert "people carried over: 1\n" in text
    assert "'boss': It is an administrator of the site" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "accounts.Account has no field 'scim_id'"),
        (["--user-id-field=is_active"], "neither text nor whole numbers"),
        (["--user-id-field=id"], "auth.Group has no field 'scim_id'"),
        (["--user-id-field=id", "--group-model=no.Model"], "There is no model 'no.Model'"),
        (
            ["--user-id-field=id", "--group-model=accounts.Location", "--group-id-field=id"],
            "no members in a many-to-many field",
        ),
    ],
)
def test_a_site_without_its_columns_is_told(
    organization: Organization, arguments: list[str], says: str
) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        call_command("scim_import_django_scim2", "--organization=Acme", *arguments)
    assert refused.value.returncode == 2


def test_the_group_model_is_found_by_either_name() -> None:
    assert django_scim2.named_model("auth.Group") is Group
    assert django_scim2.named_model("django.contrib.auth.models.Group") is Group
    with override_settings(SCIM_SERVICE_PROVIDER={"GROUP_MODEL": Group}):
        assert django_scim2.configured_group_model() is Group


def test_a_connection_is_made_for_whom_has_none(organization: Organization) -> None:
    assert run()["users"] == 0
    assert not connection_for(organization).enabled
