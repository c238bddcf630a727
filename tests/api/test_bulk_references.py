"""``bulkId`` references over HTTP (RFC 7644 §3.7.1, §3.7.2)."""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.models import AttributeValue, Connection, Membership, Resource
from tests.api.bulk_requests import (
    bulk,
    delete,
    id_of,
    patch,
    post_group,
    post_user,
    put,
    results,
    statuses,
    valid_for_others,
)
from tests.api.fixture_answers import assert_error, group
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def members_of(scim: ScimClient, scim_id: str) -> set[str]:
    return {member["value"] for member in scim.get(f"/Groups/{scim_id}").json()["members"]}


def assert_no_reference_is_stored() -> None:
    assert not AttributeValue.objects.filter(key__icontains="bulkid").exists()
    assert "bulkid" not in str(list(Resource.objects.values())).lower()


# -- where references stand ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "member",
    [
        {"value": "bulkId:u"},
        {"$ref": "../Users/bulkId:u"},
        {"value": "bulkId:u", "$ref": "/Users/bulkId:u", "type": "User"},
    ],
)
@pytest.mark.parametrize("forward", [False, True])
def test_a_member_may_be_what_another_operation_creates(
    scim: ScimClient, member: dict[str, Any], forward: bool
) -> None:
    team = {**post_group("t"), "data": group("t", members=[member])}
    sent = [team, post_user("u")] if forward else [post_user("u"), team]
    found = {result["bulkId"]: id_of(result) for result in valid_for_others(scim, *sent)}
    assert members_of(scim, found["t"]) == {found["u"]}
    assert_no_reference_is_stored()


@pytest.mark.parametrize(
    "enterprise",
    [
        {ENTERPRISE: {"manager": {"value": "bulkId:boss"}, "department": "X"}},
        {ENTERPRISE: {"manager": "bulkId:boss", "department": "X"}},
        {
            f"{ENTERPRISE}:manager": {"$ref": "../Users/bulkId:boss"},
            f"{ENTERPRISE}:department": "X",
        },
    ],
)
def test_a_manager_may_be_what_a_later_operation_creates(
    scim: ScimClient, enterprise: dict[str, Any]
) -> None:
    report, boss = results(scim, post_user("report", **enterprise), post_user("boss"))
    manager = scim.get(f"/Users/{id_of(report)}").json()[ENTERPRISE]["manager"]
    assert manager["value"] == id_of(boss)
    assert_no_reference_is_stored()


def test_patches_take_references_in_values_paths_and_filters(
    scim: ScimClient, engineers: dict[str, Any], ada: dict[str, Any]
) -> None:
    path = f"/Groups/{engineers['id']}"
    scim.patch(path, {"op": "add", "path": "members", "value": [{"value": ada["id"]}]})
    found = results(
        scim,
        post_user("u"),
        post_user("v"),
        patch(path, {"op": "add", "path": "members", "value": [{"value": "bulkId:u"}]}),
        patch(path, {"op": "add", "value": {"members": [{"value": "bulkId:v"}]}}),
        patch(path, {"op": "remove", "path": 'members[value eq "bulkId:u"]'}),
        patch("/Users/bulkId:v", {"op": "add", "path": "nickName", "value": "V"}),
        put("/Users/bulkId:u", {"userName": "u@example.com", "nickName": "U"}),
    )
    assert statuses(found)[2:] == ["200"] * 5
    assert members_of(scim, engineers["id"]) == {ada["id"], id_of(found[1])}
    assert [scim.get(f"/Users/{id_of(r)}").json()["nickName"] for r in found[:2]] == ["U", "V"]


def test_what_was_created_may_be_deleted_in_the_same_request(scim: ScimClient) -> None:
    found = results(scim, post_user("u"), delete("/Users/bulkId:u"), post_group("late", "bulkId:u"))
    assert statuses(found) == ["201", "204", "400"]
    assert not Resource.objects.exists()


# -- RFC 7644's own examples --------------------------------------------------------------------


def test_the_circle_of_section_3_7_1(scim: ScimClient) -> None:
    a, b = valid_for_others(
        scim,
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "qwerty",
            "data": group("Group A", members=[{"type": "Group", "value": "bulkId:ytrewq"}]),
        },
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "ytrewq",
            "data": group("Group B", members=[{"type": "Group", "value": "bulkId:qwerty"}]),
        },
    )
    assert (a["status"], b["status"]) == ("201", "201")
    assert members_of(scim, id_of(a)) == {id_of(b)}
    assert members_of(scim, id_of(b)) == {id_of(a)}
    for result in (a, b):
        assert result["version"] == scim.get(f"/Groups/{id_of(result)}").headers["ETag"]


def test_the_user_in_a_group_of_section_3_7_2(scim: ScimClient) -> None:
    alice, guides = valid_for_others(
        scim,
        {**post_user("qwerty", "Alice"), "path": "/Users"},
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "ytrewq",
            "data": group("Tour Guides", members=[{"type": "User", "value": "bulkId:qwerty"}]),
        },
    )
    (member,) = scim.get(f"/Groups/{id_of(guides)}").json()["members"]
    assert (member["value"], member["display"]) == (id_of(alice), "Alice")


def test_the_manager_of_section_3_7_2(scim: ScimClient) -> None:
    enterprise = {ENTERPRISE: {"employeeNumber": "11250", "manager": {"value": "bulkId:qwerty"}}}
    alice, bob = results(
        scim, post_user("qwerty", "Alice"), post_user("ytrewq", "Bob", **enterprise)
    )
    stored = scim.get(f"/Users/{id_of(bob)}").json()[ENTERPRISE]
    assert (stored["employeeNumber"], stored["manager"]["value"]) == ("11250", id_of(alice))


def test_the_four_methods_of_section_3_7_3(scim: ScimClient) -> None:
    bob, dave, gone = (scim.post("/Users", {"userName": n}).json() for n in ("b", "d", "g"))
    found = valid_for_others(
        scim,
        post_user("qwerty", "Alice"),
        put(f"/Users/{bob['id']}", {"id": bob["id"], "userName": "Bob"}, version='W/"1"'),
        {
            "method": "PATCH",
            "path": f"/Users/{dave['id']}",
            "version": dave["meta"]["version"],
            "data": [
                {"op": "remove", "path": "nickName"},
                {"op": "add", "path": "userName", "value": "Dave"},
            ],
        },
        delete(f"/Users/{gone['id']}", version=gone["meta"]["version"]),
        failOnErrors=1,
    )
    assert statuses(found) == ["201", "200", "200", "204"]
    names = {each["userName"] for each in scim.get("/Users").json()["Resources"]}
    assert names == {"Alice", "Bob", "Dave"}


# -- what cannot be resolved --------------------------------------------------------------------


def test_what_refers_to_a_failed_post_is_409_and_to_none_is_400(
    scim: ScimClient, ada: dict[str, Any]
) -> None:
    found = valid_for_others(
        scim,
        post_user("bad", active="perhaps"),
        post_group("of-bad", "bulkId:bad"),
        post_user("report", **{ENTERPRISE: {"manager": {"value": "bulkId:bad"}}}),
        patch(f"/Users/{ada['id']}", {"op": "add", "path": "title", "value": "bulkId:none"}),
        post_group("of-none", "bulkId:none"),
        delete("/Users/bulkId:bad"),
        delete("/Users/bulkId:none"),
    )
    assert statuses(found) == ["400", "409", "409", "400", "400", "409", "400"]
    assert {r["response"].get("scimType") for r in found[3:5]} == {"invalidValue"}
    assert scim.get("/Users").json()["Resources"] == [ada]
    assert_no_reference_is_stored()


def test_an_unknown_member_that_is_left_out_is_still_no_bulk_id(
    scim: ScimClient, connection: Connection
) -> None:
    Connection.objects.filter(pk=connection.pk).update(unknown_member="ignore")
    found = results(scim, post_group("t", "bulkId:none"), post_group("u", "none"))
    assert statuses(found) == ["400", "201"]


def test_a_circle_that_cannot_be_closed_leaves_nothing(
    scim: ScimClient, engineers: dict[str, Any]
) -> None:
    found = results(
        scim,
        post_group("a", "bulkId:b"),
        {**post_group("b"), "data": group("Engineers", members=[{"value": "bulkId:a"}])},
        post_group("self", "bulkId:self"),
    )
    assert statuses(found) == ["409", "409", "400"]
    assert "bulkId:b" in found[0]["response"]["detail"]
    assert found[1]["response"]["scimType"] == "uniqueness"
    assert Resource.objects.get().scim_id == engineers["id"]


def test_managers_may_manage_each_other_and_themselves(scim: ScimClient) -> None:
    def managed(name: str, by: str) -> dict[str, Any]:
        manager = {ENTERPRISE: {"manager": {"value": f"bulkId:{by}"}, "department": "X"}}
        return post_user(name, password="Tr0ub4dor and more", **manager)

    found = results(
        scim, managed("a", "b"), managed("b", "c"), managed("c", "a"), managed("d", "d")
    )
    assert statuses(found) == ["201"] * 4
    ids = [id_of(result) for result in found]
    read = [scim.get(f"/Users/{each}").json()[ENTERPRISE] for each in ids]
    assert [each["manager"]["value"] for each in read] == [ids[1], ids[2], ids[0], ids[3]]


# -- hostile ------------------------------------------------------------------------------------


def test_ten_circles_of_groups(scim: ScimClient) -> None:
    names = [[f"{circle}-{n}" for n in range(3)] for circle in range(10)]
    sent = [post_group(c[n], f"bulkId:{c[n - 1]}") for n in range(3) for c in names]
    ids = {result["bulkId"]: id_of(result) for result in valid_for_others(scim, *sent)}
    for circle in names:
        for n, name in enumerate(circle):
            assert members_of(scim, ids[name]) == {ids[circle[n - 1]]}
    assert Membership.objects.count() == 30


@pytest.mark.parametrize(
    "name",
    ['x" or value pr or value eq "', "x]", "a/b/c", "bulkId:bulkId:x", "%s %(x)s", "ä\\u0000", " "],
)
def test_a_bulk_id_is_a_name_whatever_it_looks_like(
    scim: ScimClient, engineers: dict[str, Any], ada: dict[str, Any], name: str
) -> None:
    literal = f"bulkId:{name}".replace("\\", "\\\\").replace('"', '\\"')
    path = f"/Groups/{engineers['id']}"
    scim.patch(path, {"op": "add", "path": "members", "value": [{"value": ada["id"]}]})
    made, *rest = results(
        scim,
        {**post_user("x"), "bulkId": name},
        patch(path, {"op": "add", "path": "members", "value": [{"value": f"bulkId:{name}"}]}),
        patch(path, {"op": "remove", "path": f'members[value eq "{literal}"]'}),
        delete(f"/Users/bulkId:{name}"),
    )
    assert (made["bulkId"], made["status"]) == (name, "201")
    assert statuses(rest) == ["200", "200", "204"]
    assert members_of(scim, engineers["id"]) == {ada["id"]}


def test_one_bulk_id_twice_is_refused_before_anything_is_done(scim: ScimClient) -> None:
    detail = assert_error(bulk(scim, post_user("a"), post_group("a")), 400, "invalidSyntax")
    assert "'a'" in detail
    assert not Resource.objects.exists()


def test_data_may_be_as_deep_as_a_request_may_be(scim: ScimClient) -> None:
    deep: Any = "bulkId:u"
    for _ in range(27):
        deep = [deep]
    refused = {**post_user("v"), "data": {"userName": "v", "unknown": deep}}
    assert statuses(results(scim, refused, post_user("u"))) == ["201", "201"]
    too_deep = {**post_user("w"), "data": {"userName": "w", "unknown": [[deep]]}}
    assert_error(bulk(scim, too_deep), 400, "invalidSyntax")


def test_a_reference_to_nothing_makes_no_create_of_a_change(
    scim: ScimClient, ada: dict[str, Any]
) -> None:
    path = f"/Users/{ada['id']}"
    whole = {"schemas": ada["schemas"], "userName": "ada2", "title": "bulkId:"}
    (found,) = results(scim, put(path, whole))
    assert found["method"] == "PUT"
    assert found["status"] in ("200", "400")
    assert scim.get("/Users").json()["totalResults"] == 1
    assert_no_reference_is_stored()
