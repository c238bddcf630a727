"""Every PATCH vector, in the profile that its main answer describes; then what they leave out."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from scim_provider.protocol.core import ENTERPRISE_USER_URN, USER_URN
from scim_provider.protocol.errors import (
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    Mutability,
    NoTarget,
    ScimError,
)
from scim_provider.protocol.patch import apply, parse_patch, read_patch

from .fixture_schemas import GROUP_SCHEMA, TEST_URN, USER_SCHEMA

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parent.parent / "vectors" / "patch-vectors.json").read_text("utf-8")
)["vectors"]
BY_ID = {vector["id"]: vector for vector in VECTORS}
PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SCHEMAS = {"User": USER_SCHEMA, "Group": GROUP_SCHEMA}

#: What the main answer refuses, the default profile takes: the strict one refuses it.
STRICT = {
    "PV-022": "unknown attributes are ignored unless strict",
    "PV-051": "unknown attributes are ignored unless strict",
    "PV-109": "Entra expects the element to be created",
    "PV-111": "Entra expects the element to be created",
}
#: Answered elsewhere, or otherwise.
EXCEPT = {
    "PV-062": "uniqueness is the database's to decide",
    "PV-151": "an empty list names no member to remove: the vector's other answer",
}


def body_of(vector: dict[str, Any]) -> Any:
    if "request" in vector:
        return vector["request"]
    return {"schemas": [PATCH_URN], "Operations": vector["operations"]}


def run(vector: dict[str, Any], *, strict: bool = False) -> tuple[Any, Any]:
    """The document before and after, or the error in its place."""
    schema = SCHEMAS[vector["resourceType"]]
    before = {name: value for name, value in vector["before"].items() if value != []}
    untouched = copy.deepcopy(before)
    try:
        operations = parse_patch(
            body_of(vector), schema, strict=strict, scim_id=vector["before"]["id"]
        )
        after: Any = apply(before, operations, schema)
    except ScimError as error:
        after = error
    assert before == untouched, "the input has been changed"
    return before, after


def canonical(value: Any) -> Any:
    """Comparable as the file's ``about`` asks for: sets, and no difference that means nothing."""
    if isinstance(value, dict):
        members = {name: canonical(item) for name, item in value.items() if name != "meta"}
        return {
            name: item
            for name, item in members.items()
            if item not in (None, [], {}) and not (name == "primary" and item is False)
        }
    if isinstance(value, list):
        return sorted(
            (canonical(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True)
        )
    return value


def at(document: Any, path: str) -> Any:
    """The values at ``members.value``, or at an attribute of any extension."""
    name, sub = path.split(".")
    holders = [document, *(value for key, value in document.items() if key.startswith("urn:"))]
    found = next(holder[name] for holder in holders if name in holder)
    return [item[sub] for item in found] if isinstance(found, list) else found[sub]


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=v["id"]) for v in VECTORS if v["id"] not in EXCEPT]
)
def test_patch_vector(vector: dict[str, Any]) -> None:
    before, after = run(vector, strict=vector["id"] in STRICT)
    if "error" in vector:
        assert isinstance(after, ScimError), f"{vector['why']}: {after}"
        expected = vector["error"]
        assert after.status == expected["status"]
        assert after.scim_type in [expected["scimType"], *expected.get("scimTypeAlt", [])]
        return
    assert not isinstance(after, ScimError), f"{vector['why']}: {after!r}"
    if "compare" in vector:
        assert at(after, vector["compare"]) == at(vector["after"], vector["compare"])
    else:
        assert canonical(after) == canonical(vector["after"]), vector["why"]
    if "modified" in vector:
        assert (after != before) is vector["modified"]


@pytest.mark.parametrize("vector_id", ["PV-022", "PV-051"])
def test_unknown_attributes_are_ignored_by_default(vector_id: str) -> None:
    before, after = run(BY_ID[vector_id])
    assert after == before


@pytest.mark.parametrize("vector_id", ["PV-109", "PV-111"])
def test_a_replace_that_selects_nothing_creates_by_default(vector_id: str) -> None:
    _, after = run(BY_ID[vector_id])
    assert canonical(after) == canonical(BY_ID[vector_id]["compat"]["entra"])


def test_a_remove_with_an_empty_list_removes_nobody() -> None:
    before, after = run(BY_ID["PV-151"])
    assert after == before


def test_the_vectors_are_all_there() -> None:
    assert len(VECTORS) == 154


# --- What the vectors do not ask ---


def patched(
    before: dict[str, Any], *operations: dict[str, Any], strict: bool = False
) -> dict[str, Any]:
    """A user, or a group if it has no userName, after operations."""
    schema = USER_SCHEMA if "userName" in before else GROUP_SCHEMA
    body = {"schemas": [PATCH_URN], "Operations": list(operations)}
    untouched = copy.deepcopy(before)
    after = apply(before, parse_patch(body, schema, strict=strict), schema)
    assert before == untouched
    return after


ADA: dict[str, Any] = {
    "userName": "ada",
    "emails": [
        {"value": "a@b.c", "type": "work", "primary": True},
        {"value": "a@b.c", "type": "home"},
        {"value": "d@e.f", "type": "home"},
    ],
}
GROUP: dict[str, Any] = {
    "displayName": "G",
    "members": [{"value": "u1", "type": "User"}, {"value": "u2"}],
}


@pytest.mark.parametrize(
    ("listed", "left"),
    [
        ([{"value": "A@b.c"}], [2]),
        ([{"value": "a@b.c", "type": "Home"}], [0, 2]),
        ([{"value": "a@b.c", "type": "work"}, {"value": "d@e.f"}], [1]),
        ([{"type": "home"}], [0, 1, 2]),
        ("d@e.f", [0, 1]),
        ([], [0, 1, 2]),
    ],
)
def test_a_remove_with_a_list_removes_what_it_describes(listed: Any, left: list[int]) -> None:
    after = patched(ADA, {"op": "remove", "path": "emails", "value": listed})
    assert after["emails"] == [ADA["emails"][place] for place in left]


def test_simple_values_are_removed_and_selected_too() -> None:
    before = {"userName": "ada", TEST_URN: {"tags": ["red", "blue", "green"]}}
    after = patched(
        before,
        {"op": "remove", "path": f"{TEST_URN}:tags", "value": ["RED"]},
        {"op": "replace", "path": f'{TEST_URN}:tags[value eq "blue"]', "value": "black"},
        {"op": "remove", "path": f'{TEST_URN}:tags[value sw "gr"]'},
    )
    assert after[TEST_URN] == {"tags": ["black"]}


def test_an_added_primary_takes_over() -> None:
    new = {"value": "n@b.c", "primary": True}
    emails = patched(ADA, {"op": "add", "path": "emails", "value": new})["emails"]
    assert [email.get("primary") for email in emails] == [False, None, None, True]
    known = {"value": "d@e.f", "type": "home", "primary": True}
    emails = patched(ADA, {"op": "add", "path": "emails", "value": known})["emails"]
    assert [email.get("primary") for email in emails] == [False, None, True]


@pytest.mark.parametrize("path", ["emails.primary", 'emails[type eq "home"].primary'])
def test_only_one_can_be_made_primary(path: str) -> None:
    with pytest.raises(InvalidValue, match="emails"):
        patched(ADA, {"op": "replace", "path": path, "value": True})


def test_another_order_is_no_change() -> None:
    operation = {"op": "replace", "path": "emails", "value": ADA["emails"][::-1]}
    assert patched(ADA, operation) == ADA


def test_a_sub_attribute_of_all_elements_creates_one_where_there_is_none() -> None:
    after = patched({"userName": "ada"}, {"op": "add", "path": "emails.value", "value": "x"})
    assert after["emails"] == [{"value": "x"}]
    gone = {"op": "remove", "path": "emails.value"}
    assert patched({"userName": "ada"}, gone) == {"userName": "ada"}


def test_an_add_through_a_filter_creates_or_merges() -> None:
    add = {"op": "add", "path": 'emails[type eq "other"]', "value": {"value": "x"}}
    assert patched(ADA, add)["emails"][3] == {"type": "other", "value": "x"}
    clear = {"op": "add", "path": 'emails[type eq "work"]', "value": {"primary": None}}
    assert patched(ADA, clear)["emails"][0] == {"value": "a@b.c", "type": "work"}
    remove = {"op": "replace", "path": 'emails[type eq "work"]', "value": None}
    assert patched(ADA, remove)["emails"] == ADA["emails"][1:]


def test_an_immutable_value_can_be_set_once() -> None:
    path = f"{TEST_URN}:serial"
    set_to = [{"op": "replace", "path": path, "value": value} for value in ("A1", "A1", "A2")]
    assert patched(ADA, *set_to[:2])[TEST_URN] == {"serial": "A1"}
    with pytest.raises(Mutability, match="serial"):
        patched(ADA, *set_to)


def test_a_member_is_never_turned_into_another() -> None:
    same = {"op": "replace", "path": 'members[value eq "u1"]', "value": {"type": "User"}}
    assert patched(GROUP, same) == GROUP
    for value in ({"value": "u9"}, {"value": "u1", "type": "Group"}):
        with pytest.raises(Mutability, match="members"):
            patched(GROUP, {**same, "value": value})


def test_no_member_is_created_without_a_value() -> None:
    path = 'members[type eq "Group"].display'
    with pytest.raises(NoTarget, match="members"):
        patched(GROUP, {"op": "add", "path": path, "value": "x"})
    with pytest.raises(InvalidValue, match="members"):
        patched(GROUP, {"op": "add", "path": "members", "value": [{"display": "x"}]})


def test_the_last_attribute_of_an_extension_takes_its_urn_along() -> None:
    core = {"userName": "ada", "schemas": [USER_URN]}
    before = {**core, "schemas": [USER_URN, TEST_URN], TEST_URN: {"notes": "n"}}
    assert patched(before, {"op": "remove", "path": f"{TEST_URN}:notes"}) == core


def test_another_manager_has_another_name() -> None:
    manager = {"value": "u2", "$ref": "../Users/u2", "displayName": "Boss"}
    before = {"userName": "ada", ENTERPRISE_USER_URN: {"manager": manager}}
    path = f"{ENTERPRISE_USER_URN}:manager"
    for operation in (
        {"op": "replace", "path": f"{path}.value", "value": "u3"},
        {"op": "replace", "path": path, "value": {"value": "u3", "displayName": "Nobody"}},
    ):
        assert patched(before, operation)[ENTERPRISE_USER_URN]["manager"] == {"value": "u3"}
    same = {"op": "replace", "path": f"{path}.value", "value": "u2"}
    assert patched(before, same) == before


def test_what_a_resource_lacked_before_does_not_hold_it_back() -> None:
    group = {"externalId": "x"}
    assert patched(group, {"op": "remove", "path": "externalId"}) == {}
    with pytest.raises(InvalidValue, match="displayName"):
        patched(GROUP, {"op": "replace", "path": "displayName", "value": None})


@pytest.mark.parametrize("name", ["schemas", "meta"])
def test_what_is_ours_is_ignored_without_a_path(name: str) -> None:
    assert patched(ADA, {"op": "replace", "value": {name: ["x"]}}) == ADA
    assert patched(ADA, {"op": "replace", "path": "schemas", "value": ["x"]}) == ADA


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "add", "path": 5, "value": 1}, InvalidPath),
        ({"op": "add", "path": 'name[givenName eq "x"]', "value": {}}, InvalidPath),
        ({"op": "add", "path": 'emails[type eq "x"].nope', "value": 1}, InvalidPath),
        ({"op": "add", "value": "x"}, InvalidValue),
        ({"op": "add", "path": TEST_URN, "value": "x"}, InvalidValue),
        ({"op": "remove", "path": USER_URN}, NoTarget),
        ({"op": "remove", "path": "userName"}, Mutability),
        ({"op": 5, "path": "title", "value": "x"}, InvalidSyntax),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_operations_that_are_refused(
    operation: dict[str, Any], error: type[ScimError], strict: bool
) -> None:
    with pytest.raises(error):
        patched(ADA, operation, strict=strict)


def test_strict_wants_the_message_schema() -> None:
    body = {"Operations": [{"op": "add", "path": "title", "value": "x"}]}
    assert parse_patch(body, USER_SCHEMA)
    with pytest.raises(InvalidSyntax, match=PATCH_URN):
        parse_patch(body, USER_SCHEMA, strict=True)


def test_unknown_attributes_of_a_patch_are_listed() -> None:
    value = {"nope": 1, "title": "x", TEST_URN: {"nope": 1}, "name": {"nope": 1}}
    received = read_patch({"Operations": [{"op": "add", "value": value}]}, USER_SCHEMA)
    assert received.ignored == ("nope", f"{TEST_URN}:nope", "name.nope")
