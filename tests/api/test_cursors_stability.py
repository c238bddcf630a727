"""Reading everybody while others write: who is left alone is seen exactly once.

``SCIM_STABILITY_USERS`` reads more people. SQLite keeps its test database in one memory, where
threads cannot write side by side: there the changes come between the pages.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.db import connections
from django.utils import timezone

from scim_provider.models import Connection, Resource
from tests.api.fixture_answers import user
from tests.conftest import ScimClient

USERS = int(os.environ.get("SCIM_STABILITY_USERS", "2000"))
PAGE = 50

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(connection: Connection) -> list[Resource]:
    """Everybody, in the order of creation; every fourth is there to be changed."""
    model = get_user_model()
    names = [f"person{(n * 7919) % USERS:06d}@example.com" for n in range(USERS)]
    model._default_manager.bulk_create(
        model(username=name, organization=connection.owner, password="!") for name in names
    )
    accounts = model._default_manager.in_bulk(names, field_name="username")
    now = timezone.now()
    Resource.objects.bulk_create(
        Resource(
            connection=connection,
            resource_type="User",
            name=name,
            name_key=name,
            unique_key=name,
            account=accounts[name],
            created=now,
            last_modified=now,
        )
        for name in names
    )
    return list(Resource.objects.filter(connection=connection).order_by("pk"))


def changes(access_key: str, people: list[Resource]) -> Iterator[Callable[[], int]]:
    """Changes over HTTP, over and over: a new name, a deletion, somebody new."""
    scim = ScimClient(access_key)
    for number, row in enumerate(people[::4]):
        path, name = f"/Users/{row.scim_id}", f"moved{number:06d}@example.com"
        rename = {"op": "replace", "path": "userName", "value": name}
        yield lambda path=path, rename=rename: scim.patch(path, rename).status_code
        if number % 2:
            yield lambda path=path: scim.delete(path).status_code
        else:
            body = user(f"new{number:06d}@example.com")
            yield lambda body=body: scim.post("/Users", body).status_code


@contextmanager
def meanwhile(acts: Iterator[Callable[[], int]]) -> Iterator[Callable[[], None]]:
    """Run ``acts`` in another thread, or a few at each call of what this gives."""
    seen: Counter[int] = Counter()
    done = threading.Event()

    def run() -> None:
        try:
            for act in acts:
                if done.is_set():
                    return
                seen[act()] += 1
        finally:
            connections.close_all()

    def few() -> None:
        for _ in range(5):
            if act := next(acts, None):
                seen[act()] += 1

    writer = threading.Thread(target=run)
    if database.vendor == "sqlite":
        yield few
    else:
        writer.start()
        try:
            yield lambda: None
        finally:
            done.set()
            writer.join()
    assert seen.total() >= 5  # the reader is soon done
    assert set(seen) <= {200, 201, 204}, seen


def read_by_cursor(scim: ScimClient, between: Callable[[], None], **query: Any) -> list[str]:
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = scim.get("/Users", cursor=cursor, count=PAGE, attributes="id", **query).json()
        ids += [resource["id"] for resource in page["Resources"]]
        cursor = page.get("nextCursor")
        between()
    return ids


def read_by_index(scim: ScimClient, between: Callable[[], None]) -> list[str]:
    ids: list[str] = []
    start, total = 1, 1
    while start <= total:
        page = scim.get("/Users", startIndex=start, count=PAGE, attributes="id").json()
        ids += [resource["id"] for resource in page["Resources"]]
        start, total = start + PAGE, page["totalResults"]
        between()
    return ids


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"sortBy": "userName"},
        {"sortBy": "userName", "sortOrder": "descending"},
        {"sortBy": "meta.lastModified"},
        {"sortBy": "active", "sortOrder": "descending"},
    ],
    ids=str,
)
def test_who_is_left_alone_is_on_exactly_one_page_by_cursor(
    access_key: str, people: list[Resource], query: dict[str, str]
) -> None:
    with meanwhile(changes(access_key, people)) as between:
        seen = Counter(read_by_cursor(ScimClient(access_key), between, **query))
    untouched = {row.scim_id for n, row in enumerate(people) if n % 4}
    assert {scim_id for scim_id in untouched if seen[scim_id] != 1} == set()


def test_nobody_is_twice_on_pages_by_index_while_others_are_added(
    access_key: str, people: list[Resource]
) -> None:
    scim = ScimClient(access_key)
    bodies = (user(f"new{n:06d}@example.com") for n in range(USERS))
    acts = (lambda body=body: scim.post("/Users", body).status_code for body in bodies)
    with meanwhile(acts) as between:
        seen = Counter(read_by_index(ScimClient(access_key), between))
    assert {row.scim_id for row in people if seen[row.scim_id] != 1} == set()
    assert max(seen.values()) == 1
