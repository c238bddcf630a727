"""What an answer holds: ``attributes``, ``excludedAttributes`` and ``returned``."""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.protocol.core import ENTERPRISE_USER_URN, GROUP_URN, USER, USER_URN
from scim_provider.protocol.errors import InvalidValue
from scim_provider.protocol.projection import Projection
from scim_provider.protocol.schema import Attribute, ResourceSchema, Target

from .fixture_schemas import GROUP_SCHEMA, KLAXON_URN, TEST_URN, USER_SCHEMA

ADA: dict[str, Any] = {
    "schemas": [USER_URN, ENTERPRISE_USER_URN],
    "id": "u1",
    "userName": "ada",
    "password": "s3cret",
    "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada Lovelace"},
    "emails": [{"value": "a@b.c", "type": "work"}, {"type": "home"}],
    "meta": {"resourceType": "User"},
    ENTERPRISE_USER_URN: {"department": "Ops", "manager": {"value": "u2"}},
    KLAXON_URN: {"location": "Leeds"},
}


def seen(attributes: str = "", excluded: str = "") -> dict[str, Any]:
    """What of Ada is seen, but for what always is."""
    before = repr(ADA)
    projected = Projection.parse([attributes], [excluded], USER_SCHEMA).apply(ADA)
    assert repr(ADA) == before
    assert projected.pop("schemas") == ADA["schemas"]
    assert projected.pop("id") == "u1"
    return projected


def test_by_default_everything_but_the_password_is_seen() -> None:
    rest = {name: ADA[name] for name in ADA if name not in ("schemas", "id", "password")}
    assert seen() == rest
    assert seen(attributes=" , ") == rest


def test_attributes_are_all_that_is_seen() -> None:
    assert seen("userName") == {"userName": "ada"}
    assert seen("USERNAME, meta") == {"userName": "ada", "meta": ADA["meta"]}


def test_names_can_come_one_by_one() -> None:
    projection = Projection.parse(["userName", "name.givenName"], [], USER_SCHEMA)
    assert set(projection.apply(ADA)) == {"schemas", "id", "userName", "name"}


def test_sub_attributes_are_seen_alone() -> None:
    assert seen("name.givenName") == {"name": {"givenName": "Ada"}}
    assert seen("emails.VALUE") == {"emails": [{"value": "a@b.c"}]}
    assert seen("name,name.givenName") == {"name": ADA["name"]}


def test_extensions_are_named_by_urn() -> None:
    assert seen(f"{ENTERPRISE_USER_URN}:department") == {ENTERPRISE_USER_URN: {"department": "Ops"}}
    assert seen(ENTERPRISE_USER_URN.upper()) == {ENTERPRISE_USER_URN: ADA[ENTERPRISE_USER_URN]}
    assert seen(f"{ENTERPRISE_USER_URN}:manager.value") == {
        ENTERPRISE_USER_URN: {"manager": {"value": "u2"}}
    }
    assert set(seen(USER_URN)) == {"userName", "name", "emails", "meta"}


def test_excluded_attributes_are_not_seen() -> None:
    assert "emails" not in seen(excluded="emails")
    assert seen(excluded="name.formatted")["name"] == {
        "givenName": "Ada",
        "familyName": "Lovelace",
    }
    without = seen(excluded=f"{ENTERPRISE_USER_URN}:department")
    assert without[ENTERPRISE_USER_URN] == {"manager": ADA[ENTERPRISE_USER_URN]["manager"]}
    assert KLAXON_URN in without
    assert ENTERPRISE_USER_URN not in seen(excluded=ENTERPRISE_USER_URN)


def test_what_is_always_returned_cannot_be_excluded() -> None:
    assert seen(excluded="id,schemas") == seen()


@pytest.mark.parametrize("name", ["password", "nope", "name.nope", "urn:example:nope", "$%&"])
def test_what_is_never_returned_or_unknown_is_not_seen(name: str) -> None:
    assert seen(name) == {}
    assert seen(excluded=name) == seen()


def test_both_parameters_exclude_each_other() -> None:
    with pytest.raises(InvalidValue, match="excludedAttributes"):
        Projection.parse(["userName"], ["emails"], USER_SCHEMA)


def target(path: str, schema: ResourceSchema = GROUP_SCHEMA) -> Target:
    name, _, sub = path.partition(".")
    found = schema.find(name)
    assert found is not None
    sub_attribute = found.attribute.sub(sub)
    return found.of(sub_attribute) if sub_attribute else found


@pytest.mark.parametrize(
    ("attributes", "excluded", "path", "wanted"),
    [
        ("", "", "members", True),
        ("", "", "members.display", True),
        ("", "members", "members", False),
        ("", "members", "members.value", False),
        ("", "members.display", "members", True),
        ("", "members.display", "members.display", False),
        ("displayName", "", "members", False),
        ("members.value", "", "members", True),
        ("members.value", "", "members.value", True),
        ("members.value", "", "members.display", False),
        ("displayName", "", "id", True),
    ],
)
def test_work_for_what_is_not_wanted_can_be_left(
    attributes: str, excluded: str, path: str, wanted: bool
) -> None:
    projection = Projection.parse([attributes], [excluded], GROUP_SCHEMA)
    assert projection.wants(target(path)) is wanted


def test_the_default_is_known_as_such() -> None:
    assert Projection.parse([], [], GROUP_SCHEMA).is_default
    assert Projection.parse([""], [" "], GROUP_SCHEMA).is_default
    assert not Projection.parse(["nope"], [], GROUP_SCHEMA).is_default
    assert not Projection.parse([], ["members"], GROUP_SCHEMA).is_default


ROOM = ResourceSchema(
    USER.including(
        Attribute("secret", returned="request"),
        Attribute("badge", "complex", returned="request", sub_attributes=(Attribute("value"),)),
        Attribute("token", "complex", returned="never", sub_attributes=(Attribute("value"),)),
        Attribute(
            "desk",
            "complex",
            sub_attributes=(
                Attribute("value", returned="always"),
                Attribute("code", returned="request"),
                Attribute("pin", returned="never"),
                Attribute("floor"),
            ),
        ),
    )
)
DESK = {"value": "d", "code": "c", "pin": "p", "floor": "1"}
OFFICE = {
    "schemas": [USER_URN],
    "id": "u1",
    "secret": "s",
    "badge": {"value": "b"},
    "token": {"value": "t"},
    "desk": DESK,
}


def office(attributes: str = "", excluded: str = "", *written: str) -> dict[str, Any]:
    targets = [target(path, ROOM) for path in written]
    projection = Projection.parse([attributes], [excluded], ROOM, written=targets)
    projected = projection.apply(OFFICE)
    return {name: value for name, value in projected.items() if name not in ("schemas", "id")}


def test_what_is_returned_on_request_is_seen_when_named_or_written() -> None:
    assert office() == {"desk": {"value": "d", "floor": "1"}}
    assert office("secret,badge") == {"secret": "s", "badge": {"value": "b"}}
    assert office("badge.value") == {"badge": {"value": "b"}}
    assert office("", "", "secret", "badge") == {
        "secret": "s",
        "badge": {"value": "b"},
        "desk": {"value": "d", "floor": "1"},
    }
    assert office("", "secret", "secret") == office()
    assert office("userName", "", "secret") == {}


def test_sub_attributes_follow_their_own_characteristic() -> None:
    assert office("desk") == {"desk": {"value": "d", "floor": "1"}}
    assert office("desk.code") == {"desk": {"value": "d", "code": "c"}}
    assert office("desk.floor") == {"desk": {"value": "d", "floor": "1"}}
    assert office("desk.pin") == {"desk": {"value": "d"}}
    assert office("", "desk.value") == office()
    assert office("", "desk") == {}
    assert office("", "", "desk.code") == {"desk": {"value": "d", "code": "c", "floor": "1"}}


def test_a_group_without_members_does_not_grow_any() -> None:
    group = {"schemas": [GROUP_URN], "id": "g1", "displayName": "G", TEST_URN: {"notes": "n"}}
    projected = Projection.parse([], [], GROUP_SCHEMA).apply(group)
    assert projected == {"schemas": [GROUP_URN], "id": "g1", "displayName": "G"}


def test_a_sub_attribute_returned_on_request_is_there_only_when_it_is_named() -> None:
    path = f"{ENTERPRISE_USER_URN}:manager.displayName"
    managed = {ENTERPRISE_USER_URN: {"manager": {"value": "u2", "displayName": "B"}}}
    asked = Projection.parse([path], [], USER_SCHEMA).apply(managed)
    assert asked == {ENTERPRISE_USER_URN: {"manager": {"displayName": "B"}}}
    unasked = Projection.parse([], [], USER_SCHEMA).apply(managed)
    assert unasked == {ENTERPRISE_USER_URN: {"manager": {"value": "u2"}}}
