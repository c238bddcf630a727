"""Groups over HTTP: members as sets, at a cost that does not depend on their number."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from scim_provider.models import (
    AccessKey,
    Connection,
    Membership,
    MissingMembers,
    Resource,
    UnknownMember,
)
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
Account = get_user_model()


def group(name: str = "Sales", *members: str, **attributes: Any) -> dict[str, Any]:
    elements = [{"value": member} for member in members]
    return {"schemas": [GROUP], "displayName": name, "members": elements, **attributes}


def people(scim: ScimClient, number: int, prefix: str = "user") -> list[str]:
    """Ids of so many Users, made in two statements."""
    connection = AccessKey.objects.get(last4=scim.key[-4:]).connection
    now = "2026-01-01T00:00:00Z"
    accounts = Account.objects.bulk_create(Account(username=f"{prefix}{n}") for n in range(number))
    rows = Resource.objects.bulk_create(
        Resource(
            connection=connection,
            resource_type="User",
            name=account.username,
            name_key=account.username,
            unique_key=account.username,
            account=account,
            created=now,
            last_modified=now,
        )
        for account in accounts
    )
    return [row.scim_id for row in rows]


def members_of(scim: ScimClient, scim_id: str) -> set[str]:
    return {e["value"] for e in scim.get(f"/Groups/{scim_id}").json()["members"]}


def statements(act: Any) -> list[str]:
    with CaptureQueriesContext(
        database,
    ) as captured:
        act()
    control = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
    return [q["sql"] for q in captured.captured_queries if not q["sql"].startswith(control)]


def test_a_group_is_created_with_members_and_users_show_it(scim: ScimClient) -> None:
    one, two = (scim.post("/Users", {"schemas": [USER], "userName": n}).json() for n in "ab")
    made = scim.post("/Groups", group("Sales", one["id"], two["id"], externalId="g-1"))
    assert made.status_code == 201
    element = next(e for e in made.json()["members"] if e["value"] == one["id"])
    assert element == {
        "value": one["id"],
        "$ref": one["meta"]["location"],
        "type": "User",
        "display": "a",
    }
    groups = scim.get(f"/Users/{one['id']}").json()["groups"]
    assert [(g["value"], g["type"], g["display"]) for g in groups] == [
        (made.json()["id"], "direct", "Sales")
    ]


def test_a_member_through_a_nested_group_is_indirect(scim: ScimClient) -> None:
    user = scim.post("/Users", {"schemas": [USER], "userName": "a"}).json()
    inner = scim.post("/Groups", group("Inner", user["id"])).json()
    outer = scim.post("/Groups", group("Outer", inner["id"])).json()
    groups = scim.get(f"/Users/{user['id']}").json()["groups"]
    assert {(g["display"], g["type"]) for g in groups} == {
        ("Inner", "direct"),
        ("Outer", "indirect"),
    }
    scim.patch(
        f"/Groups/{inner['id']}",
        {"op": "add", "path": "members", "value": [{"value": outer["id"]}]},
    )
    assert scim.get(f"/Users/{user['id']}").status_code == 200  # a circle ends


def test_members_is_there_though_empty_unless_it_is_excluded(scim: ScimClient) -> None:
    made = scim.post("/Groups", {"schemas": [GROUP], "displayName": "Empty"}).json()
    assert made["members"] == []
    without = scim.get(f"/Groups/{made['id']}", excludedAttributes="members").json()
    assert "members" not in without
    listed = scim.get("/Groups", excludedAttributes="members").json()
    assert "members" not in listed["Resources"][0]


def test_adding_and_removing_answers_204_and_is_idempotent(scim: ScimClient) -> None:
    one, two, three = people(scim, 3)
    made = scim.post("/Groups", group("Sales", one)).json()
    path = f"/Groups/{made['id']}"
    add = {
        "op": "Add",
        "path": "members",
        "value": [{"$ref": None, "value": v} for v in (one, two)],
    }
    assert scim.patch(path, add).status_code == 204
    version = scim.get(path).json()["meta"]["version"]
    assert scim.patch(path, add).status_code == 204
    assert scim.get(path).json()["meta"]["version"] == version
    remove = {"op": "Remove", "path": "members", "value": [{"value": two}, {"value": three}]}
    assert scim.patch(path, remove).status_code == 204
    assert members_of(scim, made["id"]) == {one}
    assert (
        scim.patch(path, {"op": "remove", "path": f'members[value eq "{one}"]'}).status_code == 204
    )
    assert members_of(scim, made["id"]) == set()


def test_a_patch_that_asks_for_attributes_is_answered_with_them(scim: ScimClient) -> None:
    (one,) = people(scim, 1)
    made = scim.post("/Groups", group()).json()
    add = {"op": "add", "path": "members", "value": [{"value": one}]}
    answer = scim.patch(f"/Groups/{made['id']}?attributes=members", add)
    assert answer.status_code == 200
    assert [e["value"] for e in answer.json()["members"]] == [one]


def test_replacing_the_members_leaves_exactly_those(scim: ScimClient) -> None:
    one, two, three = people(scim, 3)
    made = scim.post("/Groups", group("Sales", one, two)).json()
    path = f"/Groups/{made['id']}"
    kept = Membership.objects.get(member__scim_id=two).pk
    scim.patch(
        path, {"op": "replace", "path": "members", "value": [{"value": two}, {"value": three}]}
    )
    assert members_of(scim, made["id"]) == {two, three}
    assert Membership.objects.get(member__scim_id=two).pk == kept
    scim.patch(path, {"op": "replace", "path": "members", "value": []})
    assert members_of(scim, made["id"]) == set()


def test_a_filter_that_needs_the_members_is_understood_too(scim: ScimClient) -> None:
    one, two = people(scim, 2)
    inner = scim.post("/Groups", group("Inner")).json()["id"]
    made = scim.post("/Groups", group("Sales", one, two, inner)).json()
    path = f"/Groups/{made['id']}"
    assert scim.patch(path, {"op": "remove", "path": 'members[type eq "Group"]'}).status_code == 204
    assert members_of(scim, made["id"]) == {one, two}


def test_a_rename_does_not_touch_the_members(scim: ScimClient) -> None:
    (one,) = people(scim, 1)
    made = scim.post("/Groups", group("Sales", one)).json()
    echo = {"op": "replace", "value": {"id": made["id"], "displayName": "Sellers"}}
    assert scim.patch(f"/Groups/{made['id']}", echo).status_code == 204
    seen = scim.get(f"/Groups/{made['id']}").json()
    assert seen["displayName"] == "Sellers"
    assert [e["value"] for e in seen["members"]] == [one]


def test_an_unknown_member_is_refused_by_id_and_nothing_changes(
    scim: ScimClient, other_scim: ScimClient
) -> None:
    stranger = other_scim.post("/Users", {"schemas": [USER], "userName": "stranger"}).json()["id"]
    (one,) = people(scim, 1)
    made = scim.post("/Groups", group("Sales")).json()
    for unknown in ("nobody", stranger):
        add = {"op": "add", "path": "members", "value": [{"value": one}, {"value": unknown}]}
        answer = scim.patch(f"/Groups/{made['id']}", add)
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        assert unknown in answer.json()["detail"]
    assert members_of(scim, made["id"]) == set()


def test_a_policy_leaves_unknown_members_out(scim: ScimClient, connection: Connection) -> None:
    connection.unknown_member = UnknownMember.IGNORE
    connection.save()
    (one,) = people(scim, 1)
    made = scim.post("/Groups", group("Sales", one, "nobody"))
    assert [e["value"] for e in made.json()["members"]] == [one]


def test_a_put_without_members_empties_the_group_unless_the_policy_keeps_them(
    scim: ScimClient, connection: Connection
) -> None:
    (one,) = people(scim, 1)
    made = scim.post("/Groups", group("Sales", one)).json()
    bare = {"schemas": [GROUP], "displayName": "Sales"}
    connection.missing_members = MissingMembers.KEEP
    connection.save()
    assert len(scim.put(f"/Groups/{made['id']}", bare).json()["members"]) == 1
    assert scim.put(f"/Groups/{made['id']}", bare | {"members": []}).json()["members"] == []
    scim.put(f"/Groups/{made['id']}", group("Sales", one))
    connection.missing_members = MissingMembers.CLEAR
    connection.save()
    assert scim.put(f"/Groups/{made['id']}", bare).json()["members"] == []


def test_a_second_group_of_the_name_is_a_conflict_unless_the_policy_allows_it(
    scim: ScimClient, connection: Connection
) -> None:
    scim.post("/Groups", group("Sales"))
    assert scim.post("/Groups", group("SALES")).status_code == 409
    connection.unique_group_names = False
    connection.save()
    assert scim.post("/Groups", group("SALES")).status_code == 201


def test_a_deleted_user_is_in_no_group_and_the_groups_say_so(scim: ScimClient) -> None:
    user = scim.post("/Users", {"schemas": [USER], "userName": "a"}).json()
    made = scim.post("/Groups", group("Sales", user["id"])).json()
    scim.delete(f"/Users/{user['id']}")
    seen = scim.get(f"/Groups/{made['id']}").json()
    assert seen["members"] == []
    assert seen["meta"]["version"] != made["meta"]["version"]


def test_a_deactivated_user_stays_in_its_groups(scim: ScimClient) -> None:
    user = scim.post("/Users", {"schemas": [USER], "userName": "a"}).json()
    made = scim.post("/Groups", group("Sales", user["id"])).json()
    scim.patch(f"/Users/{user['id']}", {"op": "replace", "path": "active", "value": False})
    assert members_of(scim, made["id"]) == {user["id"]}


@pytest.mark.parametrize("change", ["add", "remove", "replace"])
def test_the_number_of_statements_does_not_depend_on_the_number_of_members(
    scim: ScimClient, change: str
) -> None:
    ids = people(scim, 1200)
    counts = []
    for size in (2, 1000):
        made = scim.post("/Groups", group(f"Group of {size}", *ids[100 : 100 + size])).json()
        value = [{"value": scim_id} for scim_id in ids[99 : 102 if size == 2 else 700]]
        operation = {"op": change, "path": "members", "value": value}
        counts.append(len(statements(partial(scim.patch, f"/Groups/{made['id']}", operation))))
    assert counts[0] == counts[1]
    assert counts[1] <= 8


def test_a_list_of_groups_takes_as_many_statements_for_few_as_for_many(scim: ScimClient) -> None:
    ids = people(scim, 60)
    counts = []
    for number in (2, 30):
        for n in range(number):
            scim.post("/Groups", group(f"{number}-{n}", *ids))
        counts.append(len(statements(lambda: scim.get("/Groups", count=50))))
    assert counts[0] == counts[1]


def test_excluded_members_are_not_read(scim: ScimClient) -> None:
    made = scim.post("/Groups", group("Sales", *people(scim, 5))).json()
    seen = statements(lambda: scim.get(f"/Groups/{made['id']}", excludedAttributes="members"))
    assert not [sql for sql in seen if Membership._meta.db_table in sql]
