"""Two runs that list the same members, a client that creates people meanwhile, a look-up beside.

SQLite keeps its test database in one memory, where threads cannot write side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.db.models import Count

from example_project.accounts.models import Account, Organization
from scim_provider import existing, keys
from scim_provider.models import AttributeValue, Connection, Event, EventKind, Resource
from tests.api.fixture_answers import user
from tests.conftest import ScimClient
from tests.factories import AccountFactory

from .writers import several_writers

pytestmark = several_writers

PEOPLE = 60


def side_by_side(*acts: Callable[[], Any]) -> list[Any]:
    def closing(act: Callable[[], Any]) -> Any:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(closing, acts))


def run() -> int:
    return existing.list_all(Connection.objects.get(), lambda number: None).listed


def test_everybody_is_listed_once_whoever_else_lists_looks_up_and_creates(
    connection: Connection, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(existing, "BATCH", 7)
    connection.existing_account = "link"
    connection.save()
    existing.choose(connection, "list")
    secret = keys.create_key(connection).secret
    names = [f"person{number}" for number in range(PEOPLE)]
    for name in names:
        AccountFactory(organization=organization, username=name)

    def look_up() -> set[int]:
        asked = [f'userName eq "{name}"' for name in names[::3]]
        client = ScimClient(secret)
        return {client.get("/Users", filter=each).json()["totalResults"] for each in asked}

    def create() -> set[int]:
        client = ScimClient(secret)
        both = [*names[::4], *(f"new{number}" for number in range(10))]
        return {client.post("/Users", user(name)).status_code for name in both}

    def read() -> set[int]:
        client = ScimClient(secret)
        return {client.get("/Users", count=5).status_code for _ in range(10)}

    first, second, found, made, read_ = side_by_side(run, run, look_up, create, read)
    assert first + second <= PEOPLE
    assert (found, read_) == ({1}, {200})
    assert made <= {201, 409}
    run()
    people = Resource.objects.filter(connection=connection)
    assert people.count() == people.values("account").distinct().count() == PEOPLE + 10
    assert set(names) <= set(people.values_list("name", flat=True))
    kinds = [EventKind.PERSON_LISTED, EventKind.PERSON_LINKED]
    told = Event.objects.filter(kind__in=kinds).values("account").annotate(n=Count("pk"))
    assert {each["n"] for each in told} == {1}
    assert len(told) == PEOPLE
    mail = AttributeValue.objects.filter(path="emails.value", key__startswith="person")
    assert mail.values("resource").distinct().count() == mail.count()
    assert Account.objects.count() == PEOPLE + 10


def test_of_two_creates_that_match_one_account_one_links_it(
    connection: Connection, organization: Organization
) -> None:
    connection.existing_account = "link"
    connection.save()
    secret = keys.create_key(connection).secret
    for number in range(10):
        AccountFactory(organization=organization, username=f"person{number}")
    for number in range(10):

        def create(name: str = f"person{number}") -> int:
            return int(ScimClient(secret).post("/Users", user(name)).status_code)

        assert sorted(side_by_side(create, create)) == [201, 409]
    assert Event.objects.filter(kind=EventKind.PERSON_LINKED).count() == 10
    assert Resource.objects.count() == Account.objects.count() == 10
