"""Eight clients on one group, one person and each other: only SCIM's own answers, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scim_provider.models import Resource
from tests.conftest import ScimClient

from .test_concurrency import CLIENTS, GROUP, at_once, person
from .writers import several_writers

pytestmark = several_writers

ROUNDS = 6


def operation(op: str, *ids: str) -> dict[str, Any]:
    return {"op": op, "path": "members", "value": [{"value": scim_id} for scim_id in ids]}


def new_group(scim: ScimClient, name: str = "Sales", *ids: str) -> str:
    members = [{"value": scim_id} for scim_id in ids]
    body = {"schemas": [GROUP], "displayName": name, "members": members}
    return f"/Groups/{scim.post('/Groups', body).json()['id']}"


def new_people(scim: ScimClient, number: int) -> list[str]:
    return [scim.post("/Users", person(f"user{n}")).json()["id"] for n in range(number)]


def test_clients_that_hammer_one_group_lose_nothing(access_key: str) -> None:
    scim = ScimClient(access_key)
    ids = new_people(scim, CLIENTS)
    path = new_group(scim)

    def hammer(number: int) -> Callable[[], list[int]]:
        def act() -> list[int]:
            own, mine = ScimClient(access_key), ids[number]
            body = {"schemas": [GROUP], "displayName": f"Sales {number}"}
            answers = []
            for _ in range(ROUNDS):
                answers += [
                    own.patch(path, operation("add", mine)),
                    own.patch(path, {"op": "replace", "path": "displayName", "value": "Sales"}),
                    own.put(path, body | {"members": [{"value": i} for i in ids]}),
                    own.patch(path, operation("remove", mine)),
                ]
            answers.append(own.patch(path, operation("add", mine)))
            return [answer.status_code for answer in answers]

        return act

    found = at_once([hammer(number) for number in range(CLIENTS)])
    assert {status for statuses in found for status in statuses} <= {200, 204}
    assert ids[0] in {e["value"] for e in scim.get(path).json()["members"]}


def test_people_are_deleted_while_they_are_added_to_groups(access_key: str) -> None:
    scim = ScimClient(access_key)
    ids = new_people(scim, 16)
    paths = [new_group(scim, f"Group {n}", *ids) for n in range(3)]

    def delete(scim_id: str) -> Callable[[], int]:
        return lambda: ScimClient(access_key).delete(f"/Users/{scim_id}").status_code

    def change(number: int) -> Callable[[], int]:
        op = ("add", "replace", "remove")[number % 3]
        path = paths[number % len(paths)]
        return lambda: ScimClient(access_key).patch(path, operation(op, *ids[8:])).status_code

    acts = [act for n in range(8) for act in (delete(ids[n]), change(n), delete(ids[8 + n]))]
    statuses = at_once(acts)
    assert set(statuses) <= {204, 400}  # 400 names the member that is gone
    assert not Resource.objects.filter(resource_type="User").exists()
    assert [scim.get(path).json()["members"] for path in paths] == [[], [], []]


def test_of_racing_groups_of_one_name_exactly_one_is_made(access_key: str) -> None:
    body = {"schemas": [GROUP], "displayName": "Sales"}
    acts = [lambda: ScimClient(access_key).post("/Groups", body).status_code] * CLIENTS
    assert sorted(at_once(acts)) == [201] + [409] * (CLIENTS - 1)


def test_a_person_is_deleted_made_and_switched_at_once_without_an_error(access_key: str) -> None:
    def cycle(number: int) -> Callable[[], list[int]]:
        def act() -> list[int]:
            own, statuses = ScimClient(access_key), []
            for _ in range(3):
                made = own.post("/Users", person("ana"))
                found = own.get("/Users", filter='userName eq "ana"').json()["Resources"]
                path = f"/Users/{found[0]['id']}" if found else "/Users/nobody"
                off = {"op": "replace", "path": "active", "value": bool(number % 2)}
                statuses += [made.status_code, own.patch(path, off).status_code]
                statuses.append(own.delete(path).status_code)
            return statuses

        return act

    found = at_once([cycle(number) for number in range(CLIENTS)])
    assert {status for statuses in found for status in statuses} <= {200, 201, 204, 404, 409}
