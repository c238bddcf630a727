"""A deleted organization takes its SCIM data with it, in sets, and nothing of another one."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection as database
from django.db import transaction
from django.db.models.signals import pre_delete
from django.test.utils import CaptureQueriesContext

from example_project.accounts.models import Account, Organization
from scim_provider import keys, removal
from scim_provider.connections import connection_for
from scim_provider.models import AttributeValue, Connection, Resource, Role
from scim_provider.roles import roles_of
from tests.api.fixture_answers import assert_error, group, user
from tests.conftest import ScimClient
from tests.factories import ConnectionFactory, OrganizationFactory
from tests.sites.many_to_many.models import Team
from tests.sites.many_to_many.scim import Teams

pytestmark = pytest.mark.django_db


def own_models():
    return {m for m in apps.get_app_config("scim_provider").get_models() if not m._meta.proxy}


def populate(client, people=3):
    ids = [
        client.post("/Users", user(f"{n}@{client.key[-6:]}.example", title="Dr.")).json()["id"]
        for n in range(people)
    ]
    client.delete(f"/Users/{ids.pop()}")
    client.post("/Groups", group("All", members=[{"value": scim_id} for scim_id in ids]))
    return ids


def rows_of(connection):
    return {rows.model: rows.count() for rows in removal.own_rows(connection)}


def client_of(owner):
    connection = connection_for(owner)
    connection.enabled = True
    connection.save()
    client = ScimClient(keys.create_key(connection).secret)
    client.connection = connection
    return client


@pytest.fixture
def teams(settings):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": Teams}
    red, blue = (Team.objects.create(name=name, slug=name.lower()) for name in ("Red", "Blue"))
    return client_of(red), client_of(blue)


def test_every_table_of_ours_is_reached(connection):
    assert set(rows_of(connection)) == {
        model
        for model in own_models()
        if any(field.is_relation and _is_ours(field) for field in model._meta.concrete_fields)
    } | {Connection}


def _is_ours(field):
    return field.related_model._meta.app_label == "scim_provider"


def test_all_that_scim_has_of_it_is_gone_and_nothing_of_another(scim, other_scim, connection):
    populate(scim), populate(other_scim)
    others = Connection.objects.exclude(pk=connection.pk).get()
    before = rows_of(others)
    assert rows_of(connection)[Resource] == 3
    connection.owner.delete()
    assert set(rows_of(connection).values()) == {0}
    assert rows_of(others) == before
    assert_error(scim.get("/Users"), 401)
    assert other_scim.get("/Users").status_code == 200


def test_people_whom_nobody_else_counts_on_are_deactivated(teams):
    red, blue = teams
    populate(red)
    shared = Account.objects.filter(is_active=True).first()
    Teams().admit(shared, blue.connection.owner)
    red.connection.owner.delete()
    assert list(Account.objects.filter(is_active=True)) == [shared]
    assert Account.objects.count() == 3


def test_a_policy_keeps_the_accounts(teams):
    red, _ = teams
    red.connection.on_organization_delete = "keep"
    red.connection.save()
    populate(red)
    active = Account.objects.filter(is_active=True).count()
    red.connection.owner.delete()
    assert Account.objects.filter(is_active=True).count() == active == 2
    assert not Resource.objects.exists()


def test_administrators_and_protected_people_stay_as_they_are(teams):
    red, _ = teams
    staff, protected = populate(red, 3)
    Resource.objects.filter(scim_id=protected).update(protected=True)
    Account.objects.filter(scim_resources__scim_id=staff).update(is_staff=True)
    active = set(Account.objects.filter(is_active=True))
    red.connection.owner.delete()
    assert set(Account.objects.filter(is_active=True)) == active
    assert len(active) == 2


def test_who_stays_elsewhere_loses_what_its_roles_granted(teams):
    red, blue = teams
    kept, granted = (Group.objects.create(name=name) for name in ("kept", "granted"))
    roles = Role.objects.filter(connection=red.connection, value="admin")
    roles.update(django_group=granted)
    red.post("/Users", user("ada@example.com", role="admin"))
    ada = Account.objects.get()
    ada.groups.add(kept)
    Teams().admit(ada, blue.connection.owner)
    assert set(ada.groups.all()) == {kept, granted}
    red.connection.owner.delete()
    assert set(ada.groups.all()) == {kept}


class WithRoles(Teams):
    """A site whose hook keeps roles in a column of its own."""

    def roles_changed(self, accounts, owner):
        roles = roles_of(accounts)
        for account in accounts:
            account.last_name = " ".join(role.value for role in roles.get(account.pk, []))
            account.save(update_fields=["last_name"])
        told.append((owner.name, sorted(account.username for account in accounts)))


told = []


@pytest.mark.parametrize("policy", ["deactivate", "keep"])
def test_the_hook_takes_off_the_roles_that_the_organization_gave(teams, settings, policy):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": WithRoles}
    red, blue = teams
    red.connection.on_organization_delete = policy
    red.connection.save()
    for name in ("ada", "bo"):
        red.post("/Users", user(name, role="admin"))
    red.post("/Users", user("cy"))
    ada, bo, _ = Account.objects.order_by("username")
    Resource.objects.filter(name="bo").update(protected=True)
    blue.connection.existing_account = "link"
    blue.connection.save()
    Teams().admit(ada, blue.connection.owner)
    blue.post("/Users", user("ada", role="analyst"))
    ada.refresh_from_db()
    assert set(ada.last_name.split()) == {"admin", "analyst"}
    told.clear()
    red.connection.owner.delete()
    ada.refresh_from_db()
    bo.refresh_from_db()
    if policy == "keep":
        assert (told, ada.last_name) == ([], "admin analyst")
    else:
        assert (told, ada.last_name) == ([("Red", ["ada"])], "analyst")
    assert bo.last_name == "admin", "protected people stay as they are"


def test_the_statements_are_as_many_for_one_person_as_for_many(teams):
    counts = []
    for client, people in zip(teams, (2, 30), strict=True):
        populate(client, people)
        with CaptureQueriesContext(
            database,
        ) as captured:
            client.connection.owner.delete()
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_organizations_that_are_deleted_together_each_take_theirs_along(teams):
    for client in teams:
        populate(client)
    Team.objects.all().delete()
    assert not Connection.objects.exists()
    assert not AttributeValue.objects.exists()


def test_nobody_else_pays_for_it():
    assert pre_delete.has_listeners(Organization)
    assert not pre_delete.has_listeners(Account)
    assert not pre_delete.has_listeners(Group)
    assert not pre_delete.has_listeners(Team)


def test_an_organization_that_never_had_scim_is_deleted_as_ever(db):
    organization = OrganizationFactory()
    organization.delete()
    assert not Organization.objects.exists()


def test_a_deletion_that_is_rolled_back_takes_nothing(connection, scim):
    populate(scim)
    before = rows_of(connection)

    def refuse(**kwargs):
        raise RuntimeError

    pre_delete.connect(refuse, sender=Organization)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            connection.owner.delete()
    finally:
        pre_delete.disconnect(refuse, sender=Organization)
    assert rows_of(connection) == before


def test_a_key_whose_organization_went_by_the_back_door_is_refused(connection, scim):
    Organization.objects.filter(pk=connection.owner.pk)._raw_delete("default")
    assert_error(scim.get("/Users"), 403)
    assert ConnectionFactory(owner=OrganizationFactory()).enabled
