"""The transcripts are worth what their matchers are worth: each must be able to fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.idp.matching import MISSING, at, matches
from tests.idp.variables import Unknown, Variables

USERS = [{"id": "1", "active": True}, {"id": "2", "active": True}]


@pytest.mark.parametrize(
    ("wanted", "fits", "does_not_fit"),
    [
        (1, 1, True),
        (True, True, 1),
        ("a", "a", MISSING),
        ({"a": 1}, {"a": 1}, {"a": 1, "b": 2}),
        ({"$exists": True}, None, MISSING),
        ({"$absent": True}, MISSING, None),
        ({"$empty": True}, [], [0]),
        ({"$empty": False}, 0, ""),
        ({"$type": "integer"}, 3, True),
        ({"$type": ["string", "null"]}, None, 3),
        ({"$type": "boolean"}, False, 0),
        ({"$regex": "^a.$"}, "ab", "abc"),
        ({"$ieq": "Ab"}, "aB", "a"),
        ({"$contains": "a"}, ["a"], ["ab"]),
        ({"$len": 2}, USERS, USERS[:1]),
        ({"$min": 2, "$max": 3}, 3, 4),
        ({"$oneOf": [1, {"$min": 5}]}, 6, 2),
        ({"$any": ["a", "b"]}, "b", "c"),
        ({"$all": [{"$min": 1}, {"$max": 2}]}, 2, 3),
        ({"$not": "a"}, "b", "a"),
        ({"$match": {"id": "1"}}, USERS[0], USERS[1]),
        ({"$each": {"active": True}}, USERS, [*USERS, {"id": "3"}]),
        ({"$some": {"id": "2"}}, USERS, USERS[:1]),
        ({"$none": {"id": "2"}}, USERS[:1], USERS),
        ({"$each": {"id": {"$regex": "[12]"}}}, USERS, "no list"),
    ],
)
def test_a_matcher_accepts_what_fits_and_nothing_else(
    wanted: Any, fits: Any, does_not_fit: Any
) -> None:
    assert matches(fits, wanted)
    assert not matches(does_not_fit, wanted)


def test_a_pointer_reaches_members_elements_and_lengths() -> None:
    document = {"Resources": USERS, "urn:a/b": {"c~d": 1}}
    assert at(document, "/Resources/1/id") == "2"
    assert at(document, "/Resources/-1/id") == "2"
    assert at(document, "/Resources/#") == 2
    assert at(document, "/urn:a~1b/c~0d") == 1
    assert at(document, "") is document
    assert at(document, "/Resources/7/id") is MISSING


def test_variables_nest_and_keep_their_type() -> None:
    variables = Variables(name="x y")
    variables["user_1"] = 7
    series = {"$list": {"var": "i", "from": 1, "to": 2, "item": {"n": "${i}"}}}
    assert variables.in_value("${user_1}") == 7
    assert variables.in_value(series) == [{"n": "1"}, {"n": "2"}]
    variables["i"] = "1"
    assert variables.in_text("${user_${i}} ${name|q} ${name|plus} ${name|upper}") == (
        "7 x%20y x+y X Y"
    )
    assert variables["uuid:a"] == variables["uuid:a"] != variables["uuid:b"]
    with pytest.raises(Unknown):
        variables.in_text("${nobody}")
