"""A request's resource becomes a canonical document, or a refusal that helps."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from scim_provider.protocol.core import ENTERPRISE_USER, ENTERPRISE_USER_URN, USER, USER_URN
from scim_provider.protocol.document import (
    check_required,
    merge_put,
    put_value,
    read_document,
    schemas_of,
)
from scim_provider.protocol.errors import InvalidSyntax, InvalidValue, Mutability, ScimError
from scim_provider.protocol.schema import Attribute, ResourceSchema

from .fixture_schemas import GROUP_SCHEMA, KLAXON_URN, TEST_URN, USER_SCHEMA

SCHEMAS = {"schemas": [USER_URN]}


def read(strict: bool = False, **body: Any) -> dict[str, Any]:
    """The document of a user, but for its name."""
    document = read_document({**SCHEMAS, "userName": "ada", **body}, USER_SCHEMA, strict=strict)
    assert document.document.pop("userName") == "ada"
    return document.document


def refusal(error: type[ScimError], strict: bool = False, **body: Any) -> str:
    with pytest.raises(error) as caught:
        read_document({**SCHEMAS, "userName": "ada", **body}, USER_SCHEMA, strict=strict)
    return caught.value.detail


def with_core(*attributes: Attribute, **options: Any) -> ResourceSchema:
    return ResourceSchema(USER.including(*attributes), (ENTERPRISE_USER,), **options)


# --- Names ---


def test_names_are_read_in_any_case() -> None:
    body = {"SCHEMAS": [USER_URN.upper()], "UserName": "ada", "EMAILS": [{"VALUE": "a@b.c"}]}
    document = read_document(body, USER_SCHEMA).document
    assert document == {"userName": "ada", "emails": [{"value": "a@b.c"}]}


def test_an_extension_is_read_under_its_urn_in_any_case_and_unannounced() -> None:
    container = {ENTERPRISE_USER_URN.upper(): {"DEPARTMENT": "Ops"}}
    assert read(**container) == {ENTERPRISE_USER_URN: {"department": "Ops"}}


def test_read_only_attributes_are_dropped() -> None:
    document = read(
        id="x",
        meta={"created": "2000-01-01T00:00:00Z"},
        groups=[{"value": "g"}],
        **{ENTERPRISE_USER_URN: {"manager": {"value": "u1", "displayName": "Boss"}}},
    )
    assert document == {ENTERPRISE_USER_URN: {"manager": {"value": "u1"}}}


def test_a_password_is_kept_for_the_mapping() -> None:
    assert read(password="s3cret") == {"password": "s3cret"}


def test_unknown_attributes_are_ignored_and_listed() -> None:
    body = {
        "userName": "ada",
        "prefferedLanguage": "en",
        "name": {"nope": 1, "givenName": "Ada"},
        ENTERPRISE_USER_URN: {"desk": 4},
        "urn:example:unknown": {"a": 1},
    }
    received = read_document(body, USER_SCHEMA)
    assert received.document == {"userName": "ada", "name": {"givenName": "Ada"}}
    assert set(received.ignored) == {
        "prefferedLanguage",
        "name.nope",
        f"{ENTERPRISE_USER_URN}:desk",
        "urn:example:unknown",
    }


def test_a_name_that_cannot_be_stored_is_listed_all_the_same() -> None:
    received = read_document({"userName": "ada", "a\ud800\x00": 1, "b" * 999: 1}, USER_SCHEMA)
    assert received.ignored == ("a\\ud800\\x00", "b" * 120)


@pytest.mark.parametrize("body", [{"nope": 1}, {"name": {"nope": 1}}, {TEST_URN: {"nope": 1}}])
def test_strict_refuses_unknown_attributes(body: dict[str, Any]) -> None:
    assert "nope" in refusal(InvalidSyntax, strict=True, **body)


# --- The message ---


@pytest.mark.parametrize("body", [None, [], "x", 5, True])
def test_a_body_must_be_an_object(body: object) -> None:
    with pytest.raises(InvalidSyntax):
        read_document(body, USER_SCHEMA)


@pytest.mark.parametrize("schemas", [None, [], ""])
def test_schemas_can_be_left_out_unless_strict(schemas: object) -> None:
    assert read(schemas=schemas) == {}
    refusal(InvalidSyntax, strict=True, schemas=schemas)


@pytest.mark.parametrize("schemas", [USER_URN, [5], {"a": 1}, ["urn:scim:schemas:core:1.0"]])
def test_schemas_must_name_the_core_schema(schemas: object) -> None:
    assert USER_URN in refusal(InvalidSyntax, schemas=schemas)


@pytest.mark.parametrize(
    "urn",
    [
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/User",
    ],
)
def test_unknown_urns_are_tolerated_unless_strict(urn: str) -> None:
    assert read(schemas=[USER_URN, urn]) == {}
    assert urn[:50] in refusal(InvalidValue, strict=True, schemas=[USER_URN, urn])


# --- Values ---


@pytest.mark.parametrize("nothing", [None, "", []])
def test_nothing_is_unassigned(nothing: object) -> None:
    assert read(nickName=nothing, emails=nothing, name=nothing, **{KLAXON_URN: nothing}) == {}


@pytest.mark.parametrize("nothing", [None, "", []])
def test_a_required_attribute_needs_a_value(nothing: object) -> None:
    assert "userName" in refusal(InvalidValue, userName=nothing)


def test_objects_of_nothing_are_nothing() -> None:
    container = {ENTERPRISE_USER_URN: {"department": "", "manager": {"value": ""}}}
    assert read(name={"givenName": None}, emails=[{}, None, ""], **container) == {}


def test_an_element_with_an_empty_value_is_nothing_whatever_its_type() -> None:
    assert read(phoneNumbers=[{"value": "", "type": "work", "primary": True}]) == {}
    assert read(addresses=[{"type": "work", "locality": None}]) == {}
    assert read(addresses=[{"type": "work"}]) == {"addresses": [{"type": "work"}]}


def test_values_are_of_their_type() -> None:
    extension = {"loginCount": 3, "score": 1.5, "vip": "False", "tags": ["a"], "badge": "YQ=="}
    assert read(active="True", **{TEST_URN: extension}) == {
        "active": True,
        TEST_URN: {**extension, "vip": False},
    }


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"displayName": 5}, "displayName"),
        ({"displayName": {"value": "x"}}, "displayName"),
        ({"displayName": ["x"]}, "displayName"),
        ({"active": "yes"}, "active"),
        ({"active": 1}, "active"),
        ({"name": "Ada"}, "name"),
        ({"name": {"givenName": 5}}, "name.givenName"),
        ({"emails": [{"value": 5}]}, "emails.value"),
        ({"emails": [5]}, "emails"),
        ({"x509Certificates": [{"value": "%%%"}]}, "x509Certificates.value"),
        ({TEST_URN: {"loginCount": True}}, f"{TEST_URN}:loginCount"),
        ({TEST_URN: {"hireDate": "2020-01-01"}}, f"{TEST_URN}:hireDate"),
        ({TEST_URN: [1]}, TEST_URN),
    ],
)
def test_another_type_is_refused_by_path(body: dict[str, Any], path: str) -> None:
    assert f"'{path}'" in refusal(InvalidValue, **body)


def test_strict_takes_no_text_for_a_boolean_nor_an_object_for_a_list() -> None:
    refusal(InvalidValue, strict=True, active="true")
    refusal(InvalidValue, strict=True, emails={"value": "a@b.c"})


def test_only_one_element_is_primary() -> None:
    emails = [{"value": "a@b.c", "primary": True}, {"value": "d@e.f", "primary": True}]
    assert "emails" in refusal(InvalidValue, emails=emails)


def test_the_same_value_is_kept_once() -> None:
    emails = [
        {"value": "a@b.c", "type": "work"},
        {"value": "A@B.C", "type": "Work", "primary": True},
        {"value": "a@b.c", "type": "home"},
    ]
    assert read(emails=emails)["emails"] == [
        {"value": "a@b.c", "type": "work", "primary": True},
        {"value": "a@b.c", "type": "home"},
    ]
    assert read(**{TEST_URN: {"tags": ["a", "A", "b"]}})[TEST_URN]["tags"] == ["a", "b"]


def test_a_member_is_kept_once_by_its_value() -> None:
    body = {"displayName": "G", "members": [{"value": "u1"}, {"value": "u1", "type": "User"}]}
    document = read_document(body, GROUP_SCHEMA).document
    assert [member["value"] for member in document["members"]] == ["u1"]


def test_a_member_needs_a_value() -> None:
    with pytest.raises(InvalidValue, match="members"):
        read_document({"displayName": "G", "members": [{"display": "Ada"}]}, GROUP_SCHEMA)


def test_canonical_values_bind_only_where_they_are_closed() -> None:
    role = Attribute("role", canonical_values=("admin", "analyst"), closed=True)
    body = {"userName": "ada", "emails": [{"value": "a@b.c", "type": "yacht"}], "role": "ADMIN"}
    assert read_document(body, with_core(role)).document == body
    with pytest.raises(InvalidValue, match=r"'role'.*'owner'.*admin, analyst"):
        read_document({"userName": "ada", "role": "owner"}, with_core(role))


# --- What is required ---


def test_a_required_extension_needs_content() -> None:
    schema = with_core(required_extensions=frozenset({ENTERPRISE_USER_URN}))
    with pytest.raises(InvalidValue, match=ENTERPRISE_USER_URN):
        read_document({"userName": "ada", ENTERPRISE_USER_URN: {"department": ""}}, schema)


def test_a_required_sub_attribute_is_required_in_every_element() -> None:
    badges = Attribute(
        "badges",
        "complex",
        multi_valued=True,
        sub_attributes=(Attribute("value"), Attribute("color", required=True)),
    )
    with pytest.raises(InvalidValue, match=r"badges\.color"):
        read_document({"userName": "ada", "badges": [{"value": "x"}]}, with_core(badges))


def test_an_attribute_required_in_an_extension_is_required_with_it() -> None:
    number = Attribute("employeeNumber", required=True)
    schema = ResourceSchema(USER, (ENTERPRISE_USER.including(number),))
    check_required({"userName": "ada"}, schema)
    with pytest.raises(InvalidValue, match="employeeNumber"):
        check_required({"userName": "ada", ENTERPRISE_USER_URN: {"department": "x"}}, schema)


# --- Hostile bodies ---


def test_depth_is_no_danger() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    deeper: Any = "x"
    for _ in range(100_000):
        deeper = {"a": deeper}
    for value in (deep, deeper):
        for name in ("displayName", "emails", "name", "nope", ENTERPRISE_USER_URN, "schemas"):
            with pytest.raises(ScimError):
                read_document({"userName": value, name: value}, USER_SCHEMA)
    text = '{"value":' * 100_000
    assert read(roles=[{"value": text}]) == {"roles": [{"value": text}]}


def test_a_hundred_thousand_members_are_read_and_a_thousand_values_of_anything_else() -> None:
    members = [{"value": f"{n}"} for n in range(100_000)]
    received = read_document({"displayName": "All", "members": members}, GROUP_SCHEMA)
    assert len(received.document["members"]) == 100_000
    emails = [{"value": f"{n}@example.com", "type": "work"} for n in range(1000)]
    assert len(read(emails=emails)["emails"]) == 1000
    with pytest.raises(InvalidValue, match="1000"):
        read(emails=[*emails, {"value": "one@more.example"}])


# --- PUT ---

BEFORE = {
    "schemas": [USER_URN, ENTERPRISE_USER_URN, TEST_URN],
    "id": "u1",
    "meta": {"resourceType": "User"},
    "userName": "ada",
    "active": False,
    "title": "Countess",
    "groups": [{"value": "g1"}],
    ENTERPRISE_USER_URN: {"manager": {"value": "u2", "displayName": "Boss"}},
    TEST_URN: {"serial": "A1", "notes": "n"},
}


def put(received: dict[str, Any]) -> dict[str, Any]:
    before = copy.deepcopy(BEFORE)
    after = merge_put(before, received, USER_SCHEMA)
    assert before == BEFORE
    return after


def test_a_put_clears_what_it_omits_and_keeps_what_is_not_the_clients() -> None:
    assert put({"userName": "ada.l"}) == {
        "schemas": [USER_URN, TEST_URN],
        "id": "u1",
        "meta": {"resourceType": "User"},
        "userName": "ada.l",
        "active": False,
        "groups": [{"value": "g1"}],
        TEST_URN: {"serial": "A1"},
    }


def test_a_put_of_the_same_changes_nothing() -> None:
    received = read_document(BEFORE, USER_SCHEMA).document
    assert put(received) == BEFORE


def test_a_put_cannot_change_an_immutable_value() -> None:
    assert put({"userName": "ada", TEST_URN: {"serial": "A1"}})[TEST_URN] == {"serial": "A1"}
    with pytest.raises(Mutability, match="serial"):
        put({"userName": "ada", TEST_URN: {"serial": "A2"}})


def test_a_put_replaces_an_object_and_drops_what_described_the_former_value() -> None:
    manager = put({"userName": "ada", ENTERPRISE_USER_URN: {"manager": {"value": "u3"}}})
    assert manager[ENTERPRISE_USER_URN] == {"manager": {"value": "u3"}}


def test_a_put_cannot_change_an_immutable_sub_attribute() -> None:
    sub = Attribute("code", mutability="immutable")
    schema = with_core(Attribute("desk", "complex", sub_attributes=(sub, Attribute("floor"))))
    before = {"userName": "ada", "desk": {"code": "7", "floor": "2"}}
    after = merge_put(before, {"userName": "ada", "desk": {"floor": "3"}}, schema)
    assert after["desk"] == {"code": "7", "floor": "3"}
    with pytest.raises(Mutability, match=r"desk\.code"):
        merge_put(before, {"userName": "ada", "desk": {"code": "8"}}, schema)


def test_a_put_needs_the_required_attributes() -> None:
    with pytest.raises(InvalidValue, match="userName"):
        put({"title": "x"})


# --- Helpers ---


def test_schemas_name_the_extensions_with_content() -> None:
    document = {ENTERPRISE_USER_URN: {"department": "x"}, TEST_URN: {}}
    assert schemas_of(document, USER_SCHEMA) == [USER_URN, ENTERPRISE_USER_URN]


def test_a_container_comes_and_goes_with_its_content_and_is_never_shared() -> None:
    target = USER_SCHEMA.find("department", ENTERPRISE_USER_URN)
    assert target is not None
    document: dict[str, Any] = {}
    put_value(document, target, "Ops")
    copied = dict(document)
    put_value(copied, target, None)
    assert (document, copied) == ({ENTERPRISE_USER_URN: {"department": "Ops"}}, {})


def test_characteristics_are_taken_from_the_schema_at_hand() -> None:
    name = USER.attribute("userName")
    assert name is not None
    schema = with_core(replace(name, required=False))
    assert read_document({"title": "x"}, schema).document == {"title": "x"}
