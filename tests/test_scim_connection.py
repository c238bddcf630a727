"""``manage.py scim_connection``: what tools and admins get on the command line."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from example_project.accounts.models import Organization
from scim_provider import keys
from scim_provider.models import Connection
from tests.conftest import ScimClient
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


def run(action: str, **options: Any) -> dict[str, Any]:
    printed = StringIO()
    call_command("scim_connection", action, as_json(options), stdout=printed)
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return answer


def as_json(options: dict[str, Any]) -> list[str]:
    named = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return [*named, "--json"]


def test_enable_prints_what_a_client_needs(organization: Organization) -> None:
    answer = run("enable", organization="acme")
    assert answer.keys() == {"base_url", "access_key", "authorization", "connection"}
    assert answer["base_url"] == "http://127.0.0.1:8000/scim/v2"
    assert answer["authorization"] == f"Bearer {answer['access_key']}"
    connection = Connection.objects.get(public_id=answer["connection"])
    assert (connection.owner, connection.enabled) == (organization, True)
    assert ScimClient(answer["access_key"]).get("/Users").status_code == 200


def test_enable_without_a_name_is_the_connection_of_the_whole_site() -> None:
    answer = run("enable")
    assert Connection.objects.get(public_id=answer["connection"]).owner is None
    assert ScimClient(answer["access_key"]).get("/Users").status_code == 200


def test_enable_makes_an_organization_where_the_site_lets_it() -> None:
    run("enable", organization="New one")
    assert Connection.objects.get().owner == Organization.objects.get(name="New one")


def test_enable_always_gives_a_key_that_works(organization: Organization) -> None:
    first, second, third = (run("enable", organization="Acme")["access_key"] for _ in range(3))
    answers = [ScimClient(key).get("/Users").status_code for key in (first, second, third)]
    assert answers == [401, 200, 200]


def test_rotate_keeps_the_old_key_for_a_while(organization: Organization) -> None:
    old = run("enable", organization="Acme")["access_key"]
    new = run("rotate", organization="Acme")["access_key"]
    assert [ScimClient(key).get("/Users").status_code for key in (old, new)] == [200, 200]
    with pytest.raises(CommandError, match="Two access keys are live"):
        run("rotate", organization="Acme")


def test_rotate_can_end_the_old_key_at_once(organization: Organization) -> None:
    old = run("enable", organization="Acme")["access_key"]
    new = run("rotate", organization="Acme", keep_old_for=0)["access_key"]
    assert [ScimClient(key).get("/Users").status_code for key in (old, new)] == [401, 200]


def test_rotate_needs_a_key(organization: Organization) -> None:
    with pytest.raises(CommandError, match="Run enable first"):
        run("rotate", organization="Acme")


def test_disable_ends_the_keys(organization: Organization) -> None:
    key = run("enable", organization="Acme")["access_key"]
    answer = run("disable", organization="Acme")
    assert (answer["enabled"], answer["keys"]) == (False, [])
    assert ScimClient(key).get("/Users").status_code in (401, 403)


def test_status_and_list_tell_no_secret(connection: Connection, access_key: str) -> None:
    status = run("status", organization="Acme")
    assert (status["organization"], status["enabled"], status["users"]) == ("Acme", True, 0)
    assert access_key not in json.dumps(status)
    assert run("list")["connections"] == [status]


def test_people_get_lines_instead_of_json(connection: Connection) -> None:
    keys.create_key(connection)
    printed = StringIO()
    call_command("scim_connection", "list", stdout=printed)
    assert "organization: Acme\n" in printed.getvalue()
    assert "keys: scim_••••" in printed.getvalue()


@pytest.mark.parametrize("action", ["rotate", "disable", "status"])
def test_an_unknown_organization_is_named_in_the_error(action: str) -> None:
    with pytest.raises(CommandError, match="no organization named 'Nobody'"):
        run(action, organization="Nobody")


def test_enable_lists_the_members_who_are_there_where_it_is_told_to(
    organization: Organization,
) -> None:
    AccountFactory(organization=organization, username="ada")
    assert "existing_people" not in run("enable", organization="Acme")
    answer = run("enable", organization="Acme", existing_people="list")
    assert (answer["existing_people"], answer["listed"]) == ("list", 1)
    page = ScimClient(answer["access_key"]).get("/Users").json()
    assert [person["userName"] for person in page["Resources"]] == ["ada"]
    assert run("enable", organization="Acme", existing_people="empty")["existing_people"] == "empty"
