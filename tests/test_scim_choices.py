"""``manage.py scim_choices`` tells which names have no row, and gives rows that were added."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from example_project.accounts.models import Account, Location
from example_project.accounts.scim import KLAXON
from scim_provider.models import Connection
from tests.api.test_groups import statements
from tests.conftest import ScimClient
from tests.factories import LocationFactory

pytestmark = pytest.mark.django_db
DEFAULT = {"d": "Default", "f": "Default"}


def run(action: str, *options: str) -> Any:
    out = io.StringIO()
    call_command("scim_choices", action, *options, organization="Acme", stdout=out)
    return json.loads(out.getvalue()) if options else out.getvalue()


def sent(scim: ScimClient, name: str, location: str | None) -> None:
    body = {"userName": name, KLAXON.id: {"location": location}} if location else {"userName": name}
    assert scim.post("/Users", body).status_code == 201


def places() -> dict[str, str | None]:
    return dict(Account.objects.values_list("username", "location__name"))


@pytest.fixture(autouse=True)
def people(scim: ScimClient, connection: Connection) -> None:
    LocationFactory(name="Graz", organization=connection.owner)
    LocationFactory(name="Moon")  # of another organization
    for name, place in (
        ("a", "Moon"),
        ("b", "MOON "),
        ("c", "Graz"),
        ("d", "Mars"),
        ("e", None),
        ("f", "mars"),
    ):
        sent(scim, name, place)


def test_names_without_a_row_are_told_with_how_many_have_them() -> None:
    told = [(each["name"], each["people"]) for each in run("list", "--json")["unfound"]]
    assert told == [("Mars", 2), ("MOON ", 1), ("Moon", 1)]
    assert "Mars" in run("list")


def test_a_row_that_is_added_is_taken_by_whom_it_was_sent_for(
    connection: Connection, scim: ScimClient
) -> None:
    assert run("apply", "--json") == {"changed": 0}
    LocationFactory(name="moon", organization=connection.owner)
    graz = Location.objects.get(name="Graz")
    Account.objects.filter(username="b").update(location=graz)  # on the profile page
    version = scim.get("/Users", filter='userName eq "a"').json()["Resources"][0]["meta"]["version"]
    assert "1 people changed" in run("apply")
    assert places() == {"a": "moon", "b": "Graz", "c": "Graz", "e": None, **DEFAULT}
    found = scim.get("/Users", filter='userName eq "a"').json()["Resources"][0]
    assert (found[KLAXON.id]["location"], found["meta"]["version"]) == ("Moon", version)
    assert [each["name"] for each in run("list", "--json")["unfound"]] == ["Mars"]


def test_statements_do_not_grow_with_people(scim: ScimClient) -> None:
    def cost(action: str) -> int:
        return len(statements(lambda: run(action, "--json")))

    few = {action: cost(action) for action in ("list", "apply")}
    for number in range(10):
        sent(scim, f"more{number}", "Mars" if number % 2 else "Graz")
    assert {action: cost(action) for action in ("list", "apply")} == few
    for number in range(5):
        sent(scim, f"other{number}", f"Planet {number}")
    assert cost("list") == few["list"]
