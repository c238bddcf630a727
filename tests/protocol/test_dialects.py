"""What identity providers send is understood; the bodies are those of their recorded traffic."""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.protocol.core import ENTERPRISE_USER_URN, GROUP_URN, USER_URN
from scim_provider.protocol.document import read_document
from scim_provider.protocol.errors import InvalidSyntax, ScimError
from scim_provider.protocol.patch import apply, parse_patch

from .fixture_schemas import GROUP_SCHEMA, KLAXON_URN, USER_SCHEMA

APP_ROLE = '{"id":"06b07648-ecfe-589f-9d2f","value":"analyst","displayName":"Analyst"}'


def created(**body: Any) -> dict[str, Any]:
    document = read_document({"userName": "ada", **body}, USER_SCHEMA).document
    assert document.pop("userName") == "ada"
    return document


def refused_if_strict(**body: Any) -> None:
    with pytest.raises(ScimError):
        read_document({"schemas": [USER_URN], "userName": "ada", **body}, USER_SCHEMA, strict=True)


def patched(*operations: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    document = {"userName": "ada", **(before or {})}
    parsed = parse_patch({"Operations": list(operations)}, USER_SCHEMA, scim_id="u1")
    after = apply(document, parsed, USER_SCHEMA)
    assert after.pop("userName") == "ada"
    return after


def patched_group(*operations: dict[str, Any]) -> list[str]:
    """The members that operations leave of a group of a and b."""
    document = {"displayName": "G", "members": [{"value": "a"}, {"value": "b"}]}
    parsed = parse_patch({"Operations": list(operations)}, GROUP_SCHEMA, scim_id="g1")
    return [m["value"] for m in apply(document, parsed, GROUP_SCHEMA).get("members", [])]


# --- Names and paths ---


def test_dotted_and_urn_keys_in_a_body_are_put_where_they_belong() -> None:
    body = {
        "name.givenName": "Ada",
        "name": {"familyName": "Lovelace"},
        "NAME.middleName": "King",
        f"{ENTERPRISE_USER_URN}:department": "Ops",
        ENTERPRISE_USER_URN: {"division": "Parks", "manager.value": "u2"},
        f"{USER_URN}:title": "Countess",
        "costCenter": "7",
        "emails.value": "a@b.c",
    }
    assert created(**body) == {
        "name": {"givenName": "Ada", "familyName": "Lovelace", "middleName": "King"},
        ENTERPRISE_USER_URN: {
            "department": "Ops",
            "division": "Parks",
            "manager": {"value": "u2"},
            "costCenter": "7",
        },
        "title": "Countess",
        "emails": [{"value": "a@b.c"}],
    }
    refused_if_strict(**{"name.givenName": "Ada"})
    refused_if_strict(**{f"{ENTERPRISE_USER_URN}:department": "Ops"})


def test_dotted_and_urn_keys_in_a_patch_value_are_paths() -> None:
    value = {
        "displayName": "Bjfe",
        "name.givenName": "Kkom",
        f"{ENTERPRISE_USER_URN}:employeeNumber": "Aklq",
        f"{KLAXON_URN}:location": "York",
        f"{USER_URN}:role": "analyst",
        'emails[type eq "work"].value': "a@b.c",
        "foo.bar": 1,
    }
    assert patched({"op": "replace", "value": value}) == {
        "displayName": "Bjfe",
        "name": {"givenName": "Kkom"},
        ENTERPRISE_USER_URN: {"employeeNumber": "Aklq"},
        KLAXON_URN: {"location": "York"},
        "role": "analyst",
        "emails": [{"type": "work", "value": "a@b.c"}],
    }


def test_core_attributes_wrapped_in_their_urn_are_core_attributes() -> None:
    wrapped = {USER_URN: {"title": "Countess", "name": {"givenName": "Ada"}}}
    expected = {"title": "Countess", "name": {"givenName": "Ada"}}
    assert created(**wrapped) == expected
    assert patched({"op": "add", "value": wrapped}) == expected
    assert patched({"op": "add", "path": USER_URN, "value": wrapped[USER_URN]}) == expected
    refused_if_strict(**wrapped)


def test_a_urn_that_lacks_a_colon_is_understood() -> None:
    misprint = ENTERPRISE_USER_URN.replace("2.0:User", "2.0User")
    expected = {ENTERPRISE_USER_URN: {"department": "Ops"}}
    assert created(schemas=[USER_URN, misprint], **{misprint: {"department": "Ops"}}) == expected
    assert patched({"op": "add", "value": {misprint: {"department": "Ops"}}}) == expected


def test_an_extension_can_be_patched_as_a_whole() -> None:
    before = {KLAXON_URN: {"location": "Leeds", "notificationPhoneNumber": "1"}}
    bath = {KLAXON_URN: {"location": "Bath", "notificationPhoneNumber": "1"}}
    for operation in (
        {"op": "add", "path": KLAXON_URN, "value": {"location": "Bath"}},
        {"op": "replace", "value": {KLAXON_URN: {"location": "Bath"}}},
    ):
        assert patched(operation, before=before) == bath
    for operation in (
        {"op": "remove", "path": KLAXON_URN},
        {"op": "replace", "value": {KLAXON_URN: None}},
    ):
        assert patched(operation, before=before) == {}


@pytest.mark.parametrize("op", ["Add", "Replace", "ADD", "replace"])
def test_operations_come_in_capitals(op: str) -> None:
    assert patched({"op": op, "path": "title", "value": "x"}) == {"title": "x"}


def test_strict_takes_operations_in_lower_case_only() -> None:
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "Add", "path": "title", "value": "x"}],
    }
    with pytest.raises(InvalidSyntax, match="'Add'"):
        parse_patch(body, USER_SCHEMA, strict=True)


# --- Values ---


@pytest.mark.parametrize("value", ["True", "true", True, [True], ["True"]])
def test_booleans_come_as_text_and_in_lists(value: object) -> None:
    assert created(active=value) == {"active": True}
    assert patched({"op": "Replace", "path": "active", "value": value}) == {"active": True}
    assert patched({"op": "replace", "value": {"active": value}}) == {"active": True}


def test_emails_come_as_one_object_or_text() -> None:
    work = {"value": "a@b.c", "type": "work", "primary": True}
    assert created(emails=work) == {"emails": [work]}
    assert created(emails="a@b.c") == {"emails": [{"value": "a@b.c"}]}
    assert created(emails=["a@b.c"]) == {"emails": [{"value": "a@b.c"}]}


def test_a_lone_email_stays_as_it_was_sent() -> None:
    assert created(emails=[{"value": "a@b.c"}]) == {"emails": [{"value": "a@b.c"}]}


@pytest.mark.parametrize(
    "value",
    [
        "u2",
        {"value": "u2"},
        ["u2"],
        [{"$ref": "https://example.com/scim/v2/Users/u2", "value": "u2"}],
        [{"$ref": None, "value": "u2"}],
        {"$ref": "../Users/u2"},
        {"Value": "u2", "displayName": "Boss"},
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        f"{ENTERPRISE_USER_URN}:manager",
        f"{ENTERPRISE_USER_URN}.manager",
        f"{ENTERPRISE_USER_URN.lower()}.MANAGER",
        "manager",
    ],
)
def test_a_manager_comes_in_many_shapes(path: str, value: object) -> None:
    in_container = {ENTERPRISE_USER_URN: {"manager": value}}
    for document in (
        created(**in_container),
        created(**{path: value}),
        patched({"op": "Add", "path": path, "value": value}),
        patched({"op": "replace", "value": {path: value}}),
        patched({"op": "replace", "value": in_container}),
        patched({"op": "add", "path": ENTERPRISE_USER_URN, "value": {"manager": value}}),
    ):
        assert document[ENTERPRISE_USER_URN]["manager"]["value"] == "u2"


@pytest.mark.parametrize(
    "nothing", ["", None, {"value": ""}, {"value": None}, {"value": "", "$ref": ""}]
)
def test_a_manager_is_taken_away_with_nothing(nothing: object) -> None:
    manager = {"manager": {"value": "u2", "displayName": "Boss", "$ref": "../Users/u2"}}
    operation = {"op": "Replace", "path": f"{ENTERPRISE_USER_URN}:manager", "value": nothing}
    assert patched(operation, before={ENTERPRISE_USER_URN: manager}) == {}
    assert created(**{ENTERPRISE_USER_URN: {"manager": nothing}}) == {}


def test_a_manager_from_a_template_without_one_is_no_manager() -> None:
    empty = {"managerId": "", "displayName": " "}
    assert created(**{ENTERPRISE_USER_URN: {"manager": empty}}) == {}


def test_roles_come_as_json_in_a_text() -> None:
    expected = {"roles": [{"value": "analyst", "display": "Analyst"}]}
    operation = {"op": "Add", "path": "roles", "value": [{"value": APP_ROLE}]}
    assert patched(operation) == expected
    assert created(roles=[{"value": APP_ROLE}]) == expected
    assert created(roles=APP_ROLE) == expected


@pytest.mark.parametrize("text", ["{", "{}", '{"value":5}', "[]", '{"value":' * 9999])
def test_a_role_that_only_looks_like_json_stays_a_text(text: str) -> None:
    assert created(roles=[{"value": text}]) == {"roles": [{"value": text}]}


def test_the_display_of_a_role_comes_as_display_name() -> None:
    role = {"primary": False, "type": "App", "displayName": "Admin", "value": "admin"}
    expected = {"primary": False, "type": "App", "display": "Admin", "value": "admin"}
    assert created(roles=[role]) == {"roles": [expected]}


def test_the_primary_role_is_selected_with_a_text() -> None:
    before = {"roles": [{"value": "analyst", "primary": True}, {"value": "support"}]}
    operation = {"op": "Replace", "path": 'roles[primary eq "True"].value', "value": "manager"}
    assert patched(operation, before=before) == {
        "roles": [{"value": "manager", "primary": True}, {"value": "support"}]
    }
    assert patched(operation) == {"roles": [{"primary": True, "value": "manager"}]}


def test_what_the_path_selects_is_created_where_it_is_missing() -> None:
    assert patched(
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+44 5550 101"},
        {"op": "Replace", "path": 'addresses[type eq "work"].locality', "value": "Leeds"},
        {"op": "Replace", "path": 'addresses[type eq "work"].postalCode', "value": "LS1 1AA"},
        {"op": "Remove", "path": 'phoneNumbers[type eq "fax"].value'},
    ) == {
        "phoneNumbers": [{"type": "mobile", "value": "+44 5550 101"}],
        "addresses": [{"type": "work", "locality": "Leeds", "postalCode": "LS1 1AA"}],
    }


@pytest.mark.parametrize("nothing", ["", None])
def test_an_attribute_is_cleared_with_nothing(nothing: object) -> None:
    before = {"title": "x", "emails": [{"value": "a@b.c", "type": "work"}]}
    assert (
        patched(
            {"op": "Replace", "path": "title", "value": nothing},
            {"op": "Replace", "path": "emails", "value": nothing},
            {"op": "Replace", "path": 'phoneNumbers[type eq "work"].value', "value": nothing},
            before=before,
        )
        == {}
    )


# --- Groups ---


@pytest.mark.parametrize(
    "members",
    [
        ["a", "b"],
        [{"$ref": None, "value": "a"}, {"value": "b", "display": "B"}],
        [{"$ref": "Users/a"}, {"$ref": "https://example.com/scim/v2/Users/b/"}],
    ],
)
def test_members_come_in_many_shapes(members: list[Any]) -> None:
    document = read_document({"displayName": "G", "members": members}, GROUP_SCHEMA).document
    assert [member["value"] for member in document["members"]] == ["a", "b"]


@pytest.mark.parametrize(
    "value", [["a"], "a", [{"value": "a"}], {"value": "a"}, [{"$ref": None, "value": "a"}]]
)
def test_a_remove_with_a_list_of_members_removes_those(value: object) -> None:
    assert patched_group({"op": "Remove", "path": "members", "value": value}) == ["b"]


def test_strict_refuses_a_remove_with_a_value() -> None:
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "remove", "path": "members", "value": [{"value": "a"}]}],
    }
    with pytest.raises(InvalidSyntax, match="members"):
        parse_patch(body, GROUP_SCHEMA, strict=True)


def test_a_rename_with_id_and_schemas_leaves_the_members_alone() -> None:
    value = {"schemas": [GROUP_URN], "id": "g1", "externalId": "x", "displayName": "G2"}
    assert patched_group({"op": "replace", "value": value}) == ["a", "b"]
    assert patched_group({"op": "replace", "path": "id", "value": "g1"}) == ["a", "b"]


def test_a_scim_1_group_update_is_refused_with_advice() -> None:
    body = {"members": [{"value": "a", "operation": "delete"}]}
    with pytest.raises(InvalidSyntax, match=r"SCIM 1\.1"):
        parse_patch(body, GROUP_SCHEMA)
