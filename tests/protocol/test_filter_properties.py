"""Filters in general: what prints parses back, nothing crashes, and another library agrees."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, ScimFilter, User

from scim_provider.protocol.core import ENTERPRISE_USER, ENTERPRISE_USER_URN, USER, USER_URN
from scim_provider.protocol.errors import InvalidFilter, InvalidPath
from scim_provider.protocol.filter import (
    And,
    Comparison,
    Filter,
    Not,
    Or,
    Present,
    ValuePath,
    parse_filter,
    parse_value_path,
    resolve_filter,
)
from scim_provider.protocol.memory import matches
from scim_provider.protocol.path import AttributePath
from scim_provider.protocol.schema import ResourceSchema

Tree = Filter[AttributePath]
OPERATORS = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]

# -- printing ----------------------------------------------------------------------------------

NAMES = st.from_regex(r"\A\$?[A-Za-z][A-Za-z0-9_-]{0,8}\Z") | st.sampled_from(
    ["and", "or", "not", "pr", "eq", "true", "null", "$ref"]
)
PATHS = st.builds(
    AttributePath, NAMES, st.none() | NAMES, st.sampled_from([None, "urn:a:b:2.0:User"])
)
LITERALS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
)


def trees(leaves: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    def grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        terms = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.builds(And, terms) | st.builds(Or, terms) | st.builds(Not, inner)

    return st.recursive(leaves, grow, max_leaves=6)


PLAIN: st.SearchStrategy[Tree] = st.builds(Present, PATHS) | st.builds(
    Comparison, PATHS, st.sampled_from(OPERATORS), LITERALS
)
ANY_TREE = trees(PLAIN | st.builds(ValuePath, PATHS, trees(PLAIN)))


@settings(deadline=None)
@given(ANY_TREE)
def test_a_printed_filter_parses_to_the_same_tree(tree: Tree) -> None:
    parsed = parse_filter(str(tree))
    assert (parsed, str(parsed)) == (tree, str(tree))


# -- robustness --------------------------------------------------------------------------------

TOKENS = st.sampled_from(
    [
        *OPERATORS,
        *("and", "or", "not", "pr", "(", ")", "[", "]", ".", ":", " ", "\t", '"', "\\", "urn:a:b"),
        *("userName", "emails", "type", "primary", "active", "name", "meta.created", "title"),
        *(
            '"work"',
            '"\\ud83d\\ude00"',
            '"\\ud800"',
            '"\\u12"',
            "true",
            "null",
            "1",
            "-0.5e3",
            "1e9",
        ),
        *("\x00", "\ud800", "é", "İ", "٣", "\u00a0", "1e99999", "-"),
    ]
)
NOISE = st.lists(TOKENS, max_size=20).map(" ".join) | st.lists(TOKENS, max_size=20).map("".join)
SCHEMA = ResourceSchema(core=USER, extensions=(ENTERPRISE_USER,))


@settings(deadline=None)
@given(st.text() | NOISE | st.binary().map(lambda data: data.decode("latin-1")))
@example("\ud800")
@example('emails[type eq "work"].')
def test_any_text_is_a_filter_or_an_invalid_filter(text: str) -> None:
    try:
        tree = resolve_filter(parse_filter(text), SCHEMA)
    except InvalidFilter as refusal:
        refusal.detail.encode()
        return
    assert matches(tree, {"userName": "a"}) in (True, False)


@settings(deadline=None)
@given(st.text() | NOISE)
def test_any_text_is_a_path_or_an_invalid_one(text: str) -> None:
    try:
        path, _, _ = parse_value_path(text)
    except (InvalidPath, InvalidFilter) as refusal:
        refusal.detail.encode()
        return
    assert text.startswith(str(path))


# -- agreement with scim2-models ---------------------------------------------------------------

TEXTS = st.text("aAbBßÅé%_\\\"' ", min_size=1, max_size=3)
MOMENTS = st.sampled_from(
    [
        "2011-05-13T04:42:34Z",
        "2011-05-13T06:42:34+02:00",
        "2011-05-13T06:42:33+02:00",
        "2011-05-13T04:42:34.5Z",
        "2024-02-29T12:00:00+05:30",
    ]
)
ADDRESSES = st.sampled_from(["a@b.example", "A@B.example", "c@d.example"])
TYPES = st.sampled_from(["work", "home", "other"])

DOCUMENTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"schemas": st.just([USER_URN, ENTERPRISE_USER_URN]), "id": st.just("1"), "userName": TEXTS},
    optional={
        "externalId": TEXTS,
        "title": TEXTS,
        "active": st.booleans(),
        "name": st.fixed_dictionaries({"familyName": TEXTS}, optional={"givenName": TEXTS}),
        "emails": st.lists(
            st.fixed_dictionaries(
                {"value": ADDRESSES}, optional={"type": TYPES, "primary": st.booleans()}
            ),
            min_size=1,
            max_size=3,
        ),
        "meta": st.fixed_dictionaries({"created": MOMENTS, "lastModified": MOMENTS}),
        ENTERPRISE_USER_URN: st.fixed_dictionaries(
            {"department": TEXTS}, optional={"manager": st.fixed_dictionaries({"value": TEXTS})}
        ),
    },
)


def path(text: str) -> AttributePath:
    parsed = AttributePath.parse(text)
    assert parsed is not None
    return parsed


def compared(
    names: list[str], operators: list[str], values: st.SearchStrategy[Any]
) -> st.SearchStrategy[Tree]:
    paths = st.sampled_from(names).map(path)
    return st.builds(Comparison, paths, st.sampled_from(operators), values)


MULTI = [operator for operator in OPERATORS if operator != "ne"]
ORDERED = ["eq", "ne", "gt", "ge", "lt", "le"]
SINGULAR = [
    "userName",
    "TITLE",
    "externalId",
    "name.familyName",
    f"{ENTERPRISE_USER_URN}:department",
    f"{ENTERPRISE_USER_URN}:manager.value",
]
IN_BRACKETS = (
    compared(["value"], OPERATORS, ADDRESSES)
    | compared(["type"], OPERATORS, TYPES)
    | compared(["primary"], ["eq"], st.just(True))
    | st.builds(Present, st.sampled_from(["value", "TYPE", "display"]).map(path))
)
COMPARABLE = trees(
    compared(SINGULAR, OPERATORS, TEXTS)
    | compared(SINGULAR, ["eq", "ne"], st.none())
    | compared(["active"], ["eq", "ne"], st.booleans())
    | compared(["meta.created", "META.lastModified"], ORDERED, MOMENTS)
    | compared(["emails", "emails.value"], MULTI, ADDRESSES)
    | compared(["emails.type"], MULTI, TYPES)
    | st.builds(Present, st.sampled_from([*SINGULAR, "active", "emails", "name", "meta"]).map(path))
    | st.builds(ValuePath, st.just(path("emails")), trees(IN_BRACKETS))
)


def ours(text: str, document: dict[str, Any]) -> bool:
    return matches(resolve_filter(parse_filter(text), SCHEMA), document)


def theirs(text: str, document: dict[str, Any]) -> bool:
    user = User[EnterpriseUser].model_validate(document)
    return bool(ScimFilter[User[EnterpriseUser]](text).match(user))


@settings(deadline=None)
@given(COMPARABLE, DOCUMENTS)
def test_another_implementation_agrees(tree: Tree, document: dict[str, Any]) -> None:
    assert ours(str(tree), document) == theirs(str(tree), document)


WORK_AND_HOME = {
    "userName": "a",
    "title": "",
    "emails": [{"value": "a@b.example", "type": "work"}, {"value": "c@d.example", "type": "home"}],
}
UNTYPED = {"userName": "ｂＪ", "emails": [{"value": "a@b.example"}]}

#: Filters kept out of the comparison above: our answer, the document, and what decides.
DIFFERENCES = [
    ('emails.type ne "work"', True, WORK_AND_HOME, "RFC 7644 §3.4.2.2: any value that differs"),
    ("emails[primary eq false]", True, UNTYPED, "RFC 7643 §2.4: absent means not primary"),
    ("emails.primary eq false", True, UNTYPED, "RFC 7643 §2.4: absent means not primary"),
    ("title eq null", True, WORK_AND_HOME, "RFC 7644 §3.4.2.2: an empty value is not present"),
    ('userName eq "BJ"', True, UNTYPED, "RFC 7644 §5: width is mapped in user names"),
]


@pytest.mark.parametrize(("text", "answer", "document", "decides"), DIFFERENCES)
def test_where_another_implementation_differs_the_standard_decides(
    text: str, answer: bool, document: dict[str, Any], decides: str
) -> None:
    document = {"schemas": [USER_URN], "id": "1", **document}
    assert ours(text, document) is answer, decides
    assert theirs(text, document) is not answer
