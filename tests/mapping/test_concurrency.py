"""Clients at the same time: no lost member, no second person, nothing but SCIM answers.

SQLite keeps its test database in one memory, where threads cannot write side by side; its
writers are tested as processes in tests/idp. Here PostgreSQL and MariaDB.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections

from tests.conftest import ScimClient

from .writers import several_writers

pytestmark = several_writers

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
CLIENTS = 8


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """The results of all ``acts``, each in its own thread and database connection."""

    def run(act: Callable[[], Any]) -> Any:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(run, acts))


def person(name: str) -> dict[str, Any]:
    return {"schemas": [USER], "userName": name}


def test_members_added_at_once_are_all_there(access_key: str) -> None:
    scim = ScimClient(access_key)
    ids = [scim.post("/Users", person(f"user{n}")).json()["id"] for n in range(24)]
    made = scim.post("/Groups", {"schemas": [GROUP], "displayName": "Sales"}).json()
    path = f"/Groups/{made['id']}"

    def add(scim_id: str) -> Callable[[], int]:
        operation = {"op": "add", "path": "members", "value": [{"value": scim_id}]}
        return lambda: ScimClient(access_key).patch(path, operation).status_code

    assert set(at_once([add(scim_id) for scim_id in ids])) == {204}
    assert {e["value"] for e in scim.get(path).json()["members"]} == set(ids)
    assert scim.get(path).json()["meta"]["version"] == 'W/"25"'


def test_adds_and_removes_of_different_members_do_not_undo_each_other(access_key: str) -> None:
    scim = ScimClient(access_key)
    ids = [scim.post("/Users", person(f"user{n}")).json()["id"] for n in range(16)]
    body = {"schemas": [GROUP], "displayName": "Sales", "members": [{"value": i} for i in ids[:8]]}
    path = f"/Groups/{scim.post('/Groups', body).json()['id']}"

    def change(op: str, scim_id: str) -> Callable[[], int]:
        operation = {"op": op, "path": "members", "value": [{"value": scim_id}]}
        return lambda: ScimClient(access_key).patch(path, operation).status_code

    acts = [change("remove", i) for i in ids[:8]] + [change("add", i) for i in ids[8:]]
    assert set(at_once(acts)) == {204}
    assert {e["value"] for e in scim.get(path).json()["members"]} == set(ids[8:])


def test_of_racing_creates_exactly_one_wins(access_key: str) -> None:
    acts = [
        lambda: ScimClient(access_key).post("/Users", person("ana@example.com")).status_code
    ] * CLIENTS
    assert sorted(at_once(acts)) == [201] + [409] * (CLIENTS - 1)
    assert get_user_model().objects.count() == 1


def test_attributes_patched_at_once_are_all_kept(access_key: str) -> None:
    scim = ScimClient(access_key)
    path = f"/Users/{scim.post('/Users', person('ana')).json()['id']}"
    names = ["title", "nickName", "displayName", "userType", "locale", "timezone"]

    def replace(name: str) -> Callable[[], int]:
        operation = {"op": "replace", "path": name, "value": f"v-{name}"}
        return lambda: ScimClient(access_key).patch(path, operation).status_code

    assert set(at_once([replace(name) for name in names])) == {200}
    seen = scim.get(path).json()
    assert {name: seen[name] for name in names} == {name: f"v-{name}" for name in names}
