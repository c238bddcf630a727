"""``manage.py scim_seed``: a company of made-up people, the same for the same seed."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from example_project.accounts.models import Organization
from scim_provider.connections import connection_for
from scim_provider.models import AttributeValue, Connection, Membership, Resource
from scim_provider.seeding import Seeding
from scim_provider.simulator.population import Population
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def seed(**options: Any) -> dict[str, Any]:
    """The summary of a run for Acme."""
    printed = StringIO()
    wanted = {"organization": "Acme", "users": 30, "groups": 20, "yes": True} | options
    call_command("scim_seed", json=True, stdout=printed, **wanted)
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return answer


def everything(connection: Connection) -> list[Any]:
    rows = Resource.objects.filter(connection=connection).order_by("resource_type", "scim_id")
    return list(rows.values_list("scim_id", "name", "external_id", "version", "document"))


def test_it_makes_people_and_groups(connection: Connection) -> None:
    told = seed()
    assert (told["users_created"], told["groups_created"]) == (30, 20)
    assert told["connection"] == str(connection.public_id)
    assert Resource.objects.filter(connection=connection).count() == 50
    people = get_user_model().objects.filter(organization=connection.owner)
    assert people.count() == 30
    assert not any(person.has_usable_password() for person in people)


def test_the_people_are_read_like_any_others(connection: Connection, scim: ScimClient) -> None:
    seed()
    found = scim.get("/Users", count=100).json()["Resources"]
    ids = {person["id"] for person in found}
    managers = {person[ENTERPRISE].get("manager", {}).get("value") for person in found}
    assert managers - {None} <= ids
    assert len(managers) == 5
    departments = {person[ENTERPRISE]["department"] for person in found}
    one = sorted(departments)[0]
    matching = scim.get("/Users", filter=f'{ENTERPRISE}:department eq "{one}"').json()
    wanted = {p["id"] for p in found if p[ENTERPRISE]["department"] == one}
    assert {person["id"] for person in matching["Resources"]} == wanted


def test_everybody_is_in_a_group_and_divisions_are_made_of_departments(
    connection: Connection, scim: ScimClient
) -> None:
    seed()
    groups = {g["displayName"]: g for g in scim.get("/Groups", count=100).json()["Resources"]}
    assert len(groups["Everybody (seed 1)"]["members"]) == 30
    inside = groups["Product division (seed 1)"]["members"]
    assert {member["type"] for member in inside} == {"Group"}
    assert "Engineering (seed 1)" in {member["display"] for member in inside}


def test_a_second_run_adds_nothing(connection: Connection) -> None:
    seed()
    before = everything(connection)
    told = seed()
    assert (told["users_there_already"], told["groups_there_already"]) == (30, 20)
    assert told["users_created"] == told["groups_created"] == told["users_refused"] == 0
    assert everything(connection) == before


def test_a_run_that_was_stopped_goes_on_to_the_same_end(connection: Connection) -> None:
    seed(users=12, groups=3)
    seed(users=30, groups=20)
    in_two = everything(connection)
    everybody = Resource.objects.get(connection=connection, name="Everybody (seed 1)")
    assert everybody.memberships.count() == 30
    seed(remove=True)
    seed()
    at_once = everything(connection)
    assert [row[:3] for row in in_two] == [row[:3] for row in at_once]
    assert [row[4] for row in in_two] == [row[4] for row in at_once]


def test_the_same_seed_is_the_same_people_and_another_one_is_not(connection: Connection) -> None:
    seed(users=5, groups=0)
    first = {row[1] for row in everything(connection)}
    seed(users=5, groups=0, seed=2)
    both = {row[1] for row in everything(connection)}
    assert len(both) == 10
    seed(remove=True)
    seed(users=5, groups=0)
    assert {row[1] for row in everything(connection)} == first


def test_two_organizations_have_people_of_their_own(
    connection: Connection, other_connection: Connection
) -> None:
    seed()
    told = seed(organization="Globex")
    assert told["users_created"] == 30
    assert Resource.objects.filter(connection=other_connection).count() == 50


def test_remove_takes_away_what_it_made_and_nothing_else(
    connection: Connection, scim: ScimClient
) -> None:
    mine = scim.post("/Users", {"userName": "ana", "externalId": "17"}).json()
    seed()
    everybody = Resource.objects.get(connection=connection, name="Everybody (seed 1)")
    path = f"/Groups/{everybody.scim_id}"
    operation = {"op": "add", "path": "members", "value": [{"value": mine["id"]}]}
    assert scim.patch(path, operation).status_code == 204
    assert seed(remove=True)["removed"] == 50
    assert [row[1] for row in everything(connection)] == ["ana"]
    assert list(get_user_model().objects.values_list("username", flat=True)) == ["ana"]
    assert not Membership.objects.exists()
    assert set(AttributeValue.objects.values_list("resource__name", flat=True)) <= {"ana"}


def test_names_that_are_taken_are_told(connection: Connection) -> None:
    taken = Population(30, 0, domain="acme.seed.example").person(3)["userName"]
    get_user_model().objects.create(username=taken)
    told = seed()
    assert (told["users_created"], told["users_refused"]) == (29, 1)
    assert taken in told["reasons"][0]


def test_it_does_nothing_where_debug_is_off_unless_it_is_told_to(connection: Connection) -> None:
    with pytest.raises(CommandError, match="--yes"):
        seed(yes=False)
    assert not Resource.objects.exists()


def test_debug_is_enough(connection: Connection, settings: Any) -> None:
    settings.DEBUG = True
    assert seed(yes=False)["users_created"] == 30


def test_an_unknown_organization_is_an_error(db: None) -> None:
    with pytest.raises(CommandError, match="Nowhere"):
        seed(organization="Nowhere")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_and_a_file_sees_lines(organization: Organization) -> None:
    options: dict[str, Any] = {"organization": "Acme", "users": 5, "groups": 1, "yes": True}
    seen, filed = Terminal(), StringIO()
    call_command("scim_seed", stdout=seen, **options)
    assert "\rUsers" in seen.getvalue()
    assert "100%  5 of 5" in seen.getvalue()
    call_command("scim_seed", stdout=filed, **options | {"seed": 2})
    assert "Users: 5 of 5\n" in filed.getvalue()
    assert "\r" not in filed.getvalue()
    assert "users created: 5\n" in filed.getvalue()


def test_statements_do_not_grow_with_the_people(organization: Organization) -> None:
    def statements(number: int, users: int) -> int:
        population = Population(users, 20, seed=number, domain=f"s{number}.example")
        seeding = Seeding(connection_for(organization), population)
        with CaptureQueriesContext(database) as captured:
            seeding.users(lambda more: None)
            seeding.groups(lambda more: None)
        assert seeding.report.counts["users_created"] == users
        return len(captured)

    statements(1, 10)
    few, many = statements(2, 10), statements(3, 100)
    # SQLite takes so few parameters in a statement that 100 people need some more.
    assert many - few <= (6 if database.features.max_query_params else 0)


def test_people_have_names_in_many_scripts() -> None:
    people = [Population(300, 0).person(number) for number in range(1, 301)]
    letters = {name[0] for person in people for name in [person["name"]["familyName"]]}
    for script in ("А-Я", "Α-Ω", "一-龥", "가-힣", "א-ת", "अ-ह"):
        first, last = script.split("-")
        assert any(first <= letter <= last for letter in letters), script
    assert all(person["userName"].isascii() for person in people)
    assert 0 < sum(not person["active"] for person in people) < 40
