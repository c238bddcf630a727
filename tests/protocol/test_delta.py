"""A delta does, unread, what the operations do one by one."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from scim_provider.protocol.delta import ValueDelta, fold
from scim_provider.protocol.patch import apply, parse_patch
from scim_provider.protocol.schema import Attribute, ResourceSchema, Schema

from .fixture_schemas import GROUP_SCHEMA, USER_SCHEMA


def folded(*operations: dict[str, Any]) -> ValueDelta | None:
    return fold(parse_patch({"Operations": list(operations)}, GROUP_SCHEMA))


def members(*ids: str) -> list[dict[str, str]]:
    return [{"value": member} for member in ids]


def applied(delta: ValueDelta, before: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a delta means, in the plainest way."""
    after = {} if delta.cleared else {element["value"]: element for element in before}
    for key in delta.removed:
        after.pop(key, None)
    return {**delta.added, **after}


def test_an_add_adds() -> None:
    delta = folded({"op": "add", "path": "members", "value": members("a", "b")})
    assert delta == ValueDelta(added={"a": {"value": "a"}, "b": {"value": "b"}})


def test_a_single_object_is_a_list_of_one() -> None:
    delta = folded({"op": "add", "path": "members", "value": {"value": "a"}})
    assert delta == ValueDelta(added={"a": {"value": "a"}})


def test_a_filter_on_value_removes() -> None:
    delta = folded({"op": "remove", "path": 'members[value eq "a" or value eq "b"]'})
    assert delta == ValueDelta(removed=frozenset("ab"))


@pytest.mark.parametrize("value", [members("a", "b"), ["a", "b"], [{"value": "a"}, "b"]])
def test_a_remove_with_a_list_removes_those_listed(value: list[Any]) -> None:
    delta = folded({"op": "Remove", "path": "members", "value": value})
    assert delta == ValueDelta(removed=frozenset("ab"))


def test_a_remove_with_an_empty_list_removes_nobody() -> None:
    assert folded({"op": "remove", "path": "members", "value": []}) == ValueDelta()


def test_a_remove_of_the_attribute_removes_all() -> None:
    assert folded({"op": "remove", "path": "members"}) == ValueDelta(cleared=True)


@pytest.mark.parametrize("nothing", [[], None])
def test_a_replace_with_nothing_removes_all(nothing: object) -> None:
    delta = folded({"op": "replace", "path": "members", "value": nothing})
    assert delta == ValueDelta(cleared=True)


def test_a_replace_forgets_what_came_before_it() -> None:
    delta = folded(
        {"op": "remove", "path": "members", "value": members("a")},
        {"op": "replace", "path": "members", "value": members("b")},
        {"op": "remove", "path": 'members[value eq "c"]'},
    )
    assert delta == ValueDelta(cleared=True, added={"b": {"value": "b"}})


def test_who_is_removed_and_added_again_comes_in_anew() -> None:
    delta = folded(
        {"op": "remove", "path": 'members[value eq "a"]'},
        {"op": "add", "path": "members", "value": [{"value": "a", "type": "User"}]},
    )
    assert delta is not None
    assert applied(delta, members("a")) == {"a": {"value": "a", "type": "User"}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": 'members[type eq "Group"]'},
        {"op": "remove", "path": 'members[value eq "a" and type eq "User"]'},
        {"op": "remove", "path": 'members[not (value eq "a")]'},
        {"op": "remove", "path": 'members[value sw "a"]'},
        {"op": "remove", "path": "members.type"},
        {"op": "replace", "path": 'members[value eq "a"]', "value": {"type": "User"}},
        {"op": "add", "path": 'members[value eq "a"].display', "value": "A"},
    ],
)
def test_other_filters_and_paths_need_the_values(operation: dict[str, Any]) -> None:
    assert folded(operation) is None


def test_elements_that_can_be_primary_need_the_values() -> None:
    emails = {"op": "add", "path": "emails", "value": [{"value": "a@example.com"}]}
    assert fold(parse_patch({"Operations": [emails]}, USER_SCHEMA)) is None


def test_an_immutable_list_needs_the_values() -> None:
    value = Attribute("value", mutability="immutable")
    seats = Attribute(
        "seats", "complex", multi_valued=True, mutability="immutable", sub_attributes=(value,)
    )
    schema = ResourceSchema(Schema("urn:example:Room", "Room", (seats,)))
    operation = {"op": "add", "path": "seats", "value": members("a")}
    assert fold(parse_patch({"Operations": [operation]}, schema)) is None


IDS = "abcdef"


def random_members(random: Random, most: int = 4) -> list[dict[str, str]]:
    ids = random.sample(IDS, random.randrange(most + 1))
    return [{"value": i, "display": random.choice("XY")} for i in ids]


def random_operation(random: Random) -> dict[str, Any]:
    some: Any = random_members(random)
    match random.randrange(7):
        case 0 | 1:
            return {"op": "add", "path": "members", "value": some}
        case 2:
            return {"op": "add", "path": "members", "value": {"value": random.choice(IDS)}}
        case 3:
            terms = [f'value eq "{i}"' for i in random.choices(IDS, k=random.randint(1, 3))]
            return {"op": "remove", "path": f"members[{' or '.join(terms)}]"}
        case 4:
            bare = [member["value"] for member in some]
            return {"op": "remove", "path": "members", "value": random.choice([some, bare])}
        case 5:
            return {"op": "replace", "path": "members", "value": random.choice([some, None])}
        case _:
            return {"op": "remove", "path": "members"}


@pytest.mark.parametrize("seed", range(20))
def test_the_delta_does_what_the_operations_do(seed: int) -> None:
    random = Random(seed)
    for _ in range(100):
        before = random_members(random)
        operations = [random_operation(random) for _ in range(random.randint(1, 6))]
        parsed = parse_patch({"Operations": operations}, GROUP_SCHEMA)
        delta = fold(parsed)
        assert delta is not None
        document = {"displayName": "G", **({"members": before} if before else {})}
        after = apply(document, parsed, GROUP_SCHEMA).get("members", [])
        assert applied(delta, before) == {m["value"]: m for m in after}, (before, operations)
