"""References to what another operation creates (RFC 7644 §3.7.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_provider.protocol.bulk import find_references, replace_references, without_references

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
IDS = {"qwerty": "2819c223", "a/b": "slashed", 'x" or value pr or value eq "': "quoted"}


@pytest.mark.parametrize(
    ("sent", "replaced"),
    [
        ({"members": [{"value": "bulkId:qwerty"}]}, {"members": [{"value": "2819c223"}]}),
        ({"manager": "bulkId:qwerty"}, {"manager": "2819c223"}),
        (
            {ENTERPRISE: {"manager": {"value": "bulkId:qwerty"}}},
            {ENTERPRISE: {"manager": {"value": "2819c223"}}},
        ),
        ({"$ref": "../Users/bulkId:qwerty"}, {"$ref": "../Users/2819c223"}),
        ({"$ref": "/Users/bulkId:qwerty"}, {"$ref": "/Users/2819c223"}),
        (
            {"$ref": "https://example.com/v2/Users/bulkId:qwerty"},
            {"$ref": "https://example.com/v2/Users/2819c223"},
        ),
        (["bulkId:qwerty", ["bulkId:a/b"]], ["2819c223", ["slashed"]]),
        (
            {"op": "remove", "path": 'members[value eq "bulkId:qwerty"]'},
            {"op": "remove", "path": 'members[value eq "2819c223"]'},
        ),
        (
            {"path": 'x[a eq "bulkId:qwerty" or b eq "bulkId:a/b"].c'},
            {"path": 'x[a eq "2819c223" or b eq "slashed"].c'},
        ),
        (
            {"value": {'members[value eq "bulkId:qwerty"].display': "Q"}},
            {"value": {'members[value eq "2819c223"].display': "Q"}},
        ),
    ],
)
def test_a_reference_is_replaced_wherever_it_stands(sent: Any, replaced: Any) -> None:
    before = json.dumps(sent)
    assert replace_references(sent, IDS) == replaced
    assert json.dumps(sent) == before


@pytest.mark.parametrize(
    "data",
    [
        {"displayName": "about bulkId:qwerty"},
        {"displayName": "BULKID:qwerty"},
        {"displayName": 'say "bulkId:qwerty"'},
        {"path": "bulkId"},
        {"path": 'x[a eq "\\q bulkId:qwerty"]'},
        {"path": 'x[a eq "about bulkId:qwerty"]'},
        {"n": 1, "t": True, "none": None, "empty": []},
    ],
)
def test_what_only_looks_like_a_reference_stays(data: Any) -> None:
    assert find_references(data) == frozenset()
    assert replace_references(data, {}) == data


def test_a_reference_to_nothing_has_no_id() -> None:
    with pytest.raises(KeyError):
        replace_references({"value": "bulkId:nobody"}, IDS)


def test_an_empty_bulk_id_is_a_reference_too() -> None:
    assert find_references({"value": "bulkId:"}) == {""}


def test_a_bulk_id_that_looks_like_filter_text_stays_within_its_literal() -> None:
    name = 'x" or value pr or value eq "'
    path = f"members[value eq {json.dumps('bulkId:' + name)}]"
    assert find_references({"path": path}) == {name}
    assert replace_references({"path": path}, IDS) == {"path": 'members[value eq "quoted"]'}


def test_an_id_that_looks_like_filter_text_stays_within_its_literal_too() -> None:
    hostile = {"x": '" or value pr or value eq "'}
    (path,) = replace_references({"path": 'members[value eq "bulkId:x"]'}, hostile).values()
    assert path == 'members[value eq "\\" or value pr or value eq \\""]'


def test_what_refers_to_others_goes_and_the_rest_stays() -> None:
    data = {
        "displayName": "A",
        "members": [{"value": "bulkId:b", "type": "Group"}, {"value": "bulkId:c"}, {"value": "7"}],
        "owner": "bulkId:b",
        ENTERPRISE: {"department": "X", "manager": {"$ref": "../Users/bulkId:b"}},
    }
    assert without_references(data, {"b"}) == {
        "displayName": "A",
        "members": [{"value": "bulkId:c"}, {"value": "7"}],
        ENTERPRISE: {"department": "X"},
    }


# -- for all data -------------------------------------------------------------------------------

names = st.text()
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    names.map("bulkId:{}".format),
    names.map("../Users/bulkId:{}".format),
    names.map(lambda name: f"members[value eq {json.dumps('bulkId:' + name)}]"),
)


def documents(*keys: str) -> st.SearchStrategy[Any]:
    def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lists = st.lists(inner, max_size=4)
        return lists | st.dictionaries(st.sampled_from(keys), inner, max_size=4)

    return st.recursive(leaves, containers, max_leaves=25)


@given(documents("value", "path", "$ref"))
def test_nothing_is_found_once_all_is_replaced(data: Any) -> None:
    found = find_references(data)
    replaced = replace_references(data, {name: f"id-{n}" for n, name in enumerate(found)})
    assert find_references(replaced) == frozenset()
    assert bool(found) == (replaced != data)


@given(st.dictionaries(st.text(), documents("value", "$ref", "members")))
def test_nothing_is_found_once_all_is_left_out(data: dict[str, Any]) -> None:
    found = find_references({f"_{name}": value for name, value in data.items()})
    left = without_references(data, found)
    assert find_references(list(left.values())) == frozenset()
    assert bool(found) == (left != data)
