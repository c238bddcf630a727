"""What an admin reads when a filter or a path is refused."""

from __future__ import annotations

import time

import pytest

from scim_provider.protocol.errors import InvalidFilter, InvalidPath
from scim_provider.protocol.filter import (
    And,
    Comparison,
    Constant,
    Not,
    Or,
    Present,
    ValuePath,
    parse_filter,
    parse_value_path,
    resolve_filter,
    resolve_value_filter,
)
from scim_provider.protocol.path import AttributePath
from scim_provider.protocol.schema import Target

from .fixture_schemas import GROUP_SCHEMA, USER_SCHEMA


def refusal_of(text: str) -> str:
    with pytest.raises(InvalidFilter) as refusal:
        resolve_filter(parse_filter(text), USER_SCHEMA)
    return refusal.value.detail


def user_target(name: str) -> Target:
    target = USER_SCHEMA.find(name)
    assert target is not None
    return target


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "At column 1: expected an attribute, 'not (' or '(', found the end."),
        (
            "userName",
            "At column 9: expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr), "
            "found the end.",
        ),
        (
            "userName regex 1",
            "At column 10: expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr), "
            "found 'regex 1'.",
        ),
        (
            "userName eq 'x'",
            "At column 13: expected a value: text in double quotes, a number, true, false or "
            "null, found ''x''.",
        ),
        (
            'userName eq "x',
            "At column 13: expected a closing double quote for the text that begins here, "
            "found '\"x'.",
        ),
        (
            'userName eq "\\x41"',
            "At column 13: expected text escaped as in JSON, found '\"\\x41\"'.",
        ),
        (
            'userName eq "\\u0000"',
            "At column 13: expected text without NUL characters and halves of surrogate pairs, "
            "found '\"\\u0000\"'.",
        ),
        ("(title pr", "At column 10: expected 'and', 'or' or ')', found the end."),
        ("title pr)", "At column 9: expected 'and', 'or' or the end of the filter, found ')'."),
        (
            'emails[ims[type eq "x"]]',
            "At column 11: expected an operator, because brackets cannot be nested, "
            "found '[type eq \"x\"]]'.",
        ),
        (
            'emails[type eq "x"].1 eq 2',
            "At column 21: expected a sub-attribute such as 'value', found '1 eq 2'.",
        ),
        ("loginCount eq 1e999", "At column 15: expected a number below 1.8e308, found '1e999'."),
    ],
)
def test_a_syntax_error_names_the_column_and_what_was_expected(text: str, detail: str) -> None:
    assert refusal_of(text) == detail


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (
            'nick eq "x"',
            "'nick' is not an attribute of User. Check its spelling; an attribute of an "
            "extension needs its URN in front.",
        ),
        (
            'emails[kind eq "x"]',
            "'kind' is not an attribute of emails. Check its spelling; an attribute of an "
            "extension needs its URN in front.",
        ),
        (
            "active gt true",
            "'active' is a boolean and cannot be compared with 'gt'. It takes eq, ne and pr.",
        ),
        (
            'active eq "true"',
            "'active' is a boolean: compare it with true or false, without quotes.",
        ),
        ("title eq 5", "'title' is a string: compare it with text in double quotes."),
        (
            'meta.created gt "yesterday"',
            "'meta.created' is a dateTime: 'yesterday' is not a date and time such as "
            '"2024-02-29T12:00:00Z".',
        ),
        (
            'name eq "x"',
            "'name' is complex. Name one of its sub-attributes: formatted, familyName, "
            "givenName, middleName, honorificPrefix, honorificSuffix.",
        ),
        ("title gt null", "'title' cannot be compared with null by 'gt'. Use eq or ne."),
        ('password eq "x"', "'password' cannot be used in a filter. Leave it out."),
        ("password eq null", "'password' cannot be used in a filter. Leave it out."),
        (
            'schemas[value eq "x"]',
            "'schemas' has no sub-attributes: compare it without brackets.",
        ),
    ],
)
def test_a_misfit_names_the_attribute_and_what_it_takes(text: str, detail: str) -> None:
    assert refusal_of(text) == detail


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3000 + 'userName eq "a"' + ")" * 3000,
        "not (" * 3000 + 'userName eq "a"' + ")" * 3000,
        "(" * 100_000,
        " or ".join(["title pr"] * 10_000),
        'userName eq "' + "\\" * 100_001,
        "loginCount eq " + "1" * 100_000,
        'userName eq "' + "a" * 200_000 + '"',
        "a" * 100_000 + " pr",
    ],
    ids=["parentheses", "nots", "open", "terms", "backslashes", "digits", "length", "name"],
)
def test_an_excessive_filter_is_refused_quickly_and_briefly(text: str) -> None:
    start = time.process_time()
    assert len(refusal_of(text)) < 400
    assert time.process_time() - start < 1


def test_fifty_levels_and_two_hundred_terms_work() -> None:
    nested = "not (" * 50 + "title pr" + ")" * 50
    resolve_filter(parse_filter(nested), USER_SCHEMA)
    many = parse_filter(" or ".join(f'userName eq "u{i}"' for i in range(200)))
    assert isinstance(many, Or)
    assert len(many.terms) == 200


def test_a_number_of_five_thousand_digits_prints_and_parses() -> None:
    tree = parse_filter("loginCount eq " + "1" * 5000)
    assert parse_filter(str(tree)) == tree


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("userName", ("userName", None, None)),
        ("name.givenName", ("name.givenName", None, None)),
        ("groups.$ref", ("groups.$ref", None, None)),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
                None,
                None,
            ),
        ),
        ('emails[type eq "work"]', ("emails", 'type eq "work"', None)),
        ('emails[type eq "work"].value', ("emails", 'type eq "work"', "value")),
        ('members[value eq "a]b"].$ref', ("members", 'value eq "a]b"', "$ref")),
    ],
)
def test_a_patch_path_is_taken_apart(text: str, parsed: tuple[str, str | None, str | None]) -> None:
    path, tree, sub = parse_value_path(text)
    assert (str(path), str(tree) if tree else None, sub) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "emails[",
        "emails]",
        "/userName",
        "user name",
        "name.familyName.x",
        'emails[type eq "work"].value.x',
        'emails[type eq "work"]value',
        'emails[type eq "work"].',
        'emails.value[type eq "work"]',
        '[type eq "work"]',
    ],
)
def test_a_malformed_patch_path_is_an_invalid_path(text: str) -> None:
    with pytest.raises(InvalidPath):
        parse_value_path(text)


@pytest.mark.parametrize(
    "text",
    ["emails[]", "emails[0].value", 'emails[type eq "x" and ims[type eq "y"]].value', "a[b eq c]"],
)
def test_a_bad_filter_in_a_patch_path_is_an_invalid_filter(text: str) -> None:
    with pytest.raises(InvalidFilter, match="At column"):
        parse_value_path(text)


def test_the_value_of_a_simple_attribute_is_the_attribute() -> None:
    tags = user_target("tags")
    resolved = resolve_value_filter(parse_filter('value eq "RED"'), tags)
    assert resolved == Comparison(tags, "eq", "red")


def test_inside_brackets_targets_are_below_the_attribute() -> None:
    emails = user_target("emails")
    type_ = emails.attribute.sub("type")
    assert type_ is not None
    resolved = resolve_filter(parse_filter('emails[type eq "WORK"]'), USER_SCHEMA)
    assert resolved == ValuePath(emails, Comparison(emails.of(type_), "eq", "work"))


def test_brackets_on_a_singular_attribute_are_the_conditions_and_its_presence() -> None:
    manager = user_target("manager")
    value = manager.attribute.value_attribute
    assert value is not None
    resolved = resolve_filter(parse_filter('manager[value eq "A"]'), USER_SCHEMA)
    assert resolved == And((Present(manager), Comparison(manager.of(value), "eq", "A")))


def test_null_is_no_value() -> None:
    title = user_target("title")
    assert resolve_filter(parse_filter("title eq null"), USER_SCHEMA) == Not(Present(title))
    assert resolve_filter(parse_filter("title ne null"), USER_SCHEMA) == Present(title)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('userName eq "x"', False),
        ('userName ne "x"', True),
        ('userName co "x"', False),
        ("userName eq null", True),
        ("userName ne null", False),
        ("userName pr", False),
        ('emails[type eq "work"]', False),
    ],
)
def test_at_the_root_an_unknown_name_is_no_value(text: str, value: bool) -> None:
    tree = resolve_filter(parse_filter(text), GROUP_SCHEMA, lenient_names=True)
    assert tree == Constant(value)


def test_at_the_root_an_unknown_sub_attribute_is_no_value_either() -> None:
    members = GROUP_SCHEMA.find("members")
    tree = resolve_filter(parse_filter("members[primary pr]"), GROUP_SCHEMA, lenient_names=True)
    assert tree == ValuePath(members, Constant(False))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("And eq 1", Comparison(AttributePath("And"), "eq", 1)),
        ("not pr", Present(AttributePath("not"))),
        ("title PR", Present(AttributePath("title"))),
        ("a eq NULL", Comparison(AttributePath("a"), "eq", None)),
        ("a\teq\n-0.5e1", Comparison(AttributePath("a"), "eq", -5.0)),
    ],
)
def test_keywords_are_read_by_their_place(text: str, tree: object) -> None:
    assert parse_filter(text) == tree
