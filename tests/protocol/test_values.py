"""Single values: what is taken, what is refused, and how keys order them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scim_provider.protocol.errors import InvalidValue
from scim_provider.protocol.schema import Attribute
from scim_provider.protocol.values import coerce, comparison_key, datetime_key, number_key, quoted

ATTRIBUTES = {
    type_: Attribute("badge", type_)  # type: ignore[arg-type]
    for type_ in (
        "string",
        "boolean",
        "integer",
        "decimal",
        "dateTime",
        "reference",
        "binary",
        "complex",
    )
}
BIG = int(Decimal("9" * 5000))

TAKEN: list[tuple[str, Any]] = [
    ("string", ""),
    ("string", "Straße 李雷 😀"),
    ("boolean", True),
    ("boolean", False),
    ("integer", 0),
    ("decimal", 2),
    ("decimal", 2.5),
    ("dateTime", "2024-02-29T12:00:00Z"),
    ("dateTime", "2024-02-29T12:00:00.123456789+05:30"),
    ("dateTime", "2024-02-29T12:00:00"),
    ("reference", "../Users/2819c223"),
    ("binary", "AQID"),
    ("binary", "AQ=="),
    ("binary", "AQ"),
    ("binary", "-_8"),
]

REFUSED: list[tuple[str, Any]] = [
    ("string", None),
    ("string", 5),
    ("string", True),
    ("string", ["a"]),
    ("string", {"value": "a"}),
    ("string", "a\x00b"),
    ("string", "\ud800"),
    ("reference", "\udfff"),
    ("reference", 1),
    ("boolean", "yes"),
    ("boolean", 1),
    ("boolean", 0),
    ("boolean", ""),
    ("integer", 2.5),
    ("integer", 1e2),
    ("integer", True),
    ("integer", "5"),
    ("decimal", float("nan")),
    ("decimal", float("inf")),
    ("decimal", "2.5"),
    ("decimal", False),
    ("dateTime", "2020-01-01"),
    ("dateTime", "yesterday"),
    ("dateTime", "2011-02-30T00:00:00Z"),
    ("dateTime", "2011-02-03T25:00:00Z"),
    ("dateTime", "2011-02-03 04:05:06Z"),
    ("dateTime", "0001-01-01T00:00:00+01:00"),
    ("dateTime", "9999-12-31T23:59:59-01:00"),
    ("dateTime", "٢٠٢٤-02-29T12:00:00Z"),
    ("dateTime", 1305261754),
    ("binary", "%%%"),
    ("binary", "A"),
    ("binary", "é"),
    ("binary", 7),
    ("complex", {"value": "a"}),
]


@pytest.mark.parametrize(("type_", "value"), TAKEN)
def test_a_value_of_the_type_is_kept_as_sent(type_: str, value: Any) -> None:
    coerced = coerce(ATTRIBUTES[type_], value, strict=True)
    assert (type(coerced), coerced) == (type(value), value)


@pytest.mark.parametrize(("type_", "value"), REFUSED)
def test_any_other_value_is_refused_and_the_attribute_named(type_: str, value: Any) -> None:
    with pytest.raises(InvalidValue, match="'badge'"):
        coerce(ATTRIBUTES[type_], value)


@pytest.mark.parametrize(("text", "value"), [("True", True), ("false", False), ("FALSE", False)])
def test_booleans_as_text_are_taken_unless_strict(text: str, value: bool) -> None:
    assert coerce(ATTRIBUTES["boolean"], text) is value
    with pytest.raises(InvalidValue, match=f"takes true or false, not '{text}'"):
        coerce(ATTRIBUTES["boolean"], text, strict=True)


def test_a_long_value_is_cut_in_the_detail() -> None:
    with pytest.raises(InvalidValue) as refusal:
        coerce(ATTRIBUTES["boolean"], "x" * 10_000)
    assert len(refusal.value.detail) < 200


def test_a_detail_can_always_be_sent_as_utf_8() -> None:
    assert quoted("a\x00\ud800b") == "'a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b'"


def test_a_password_is_not_repeated_in_the_detail() -> None:
    password = Attribute("password", returned="never")
    with pytest.raises(InvalidValue) as refusal:
        coerce(password, 12345)
    assert "12345" not in refusal.value.detail


def test_a_huge_integer_is_an_integer() -> None:
    assert coerce(ATTRIBUTES["integer"], BIG) == BIG


def test_a_huge_integer_is_refused_with_a_detail_all_the_same() -> None:
    with pytest.raises(InvalidValue, match="'9999"):
        coerce(ATTRIBUTES["string"], BIG)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2011-05-13T04:42:34Z", "2011-05-13T06:42:34+02:00"),
        ("2011-05-13T04:42:34Z", "2011-05-13T04:42:34.000Z"),
        ("2011-05-13T04:42:34Z", "2011-05-13T04:42:34"),
        ("2011-05-13T04:42:34.123456Z", "2011-05-13T04:42:34.123456999Z"),
        ("2011-05-13T04:42:34Z", "2011-05-13t04:42:34z"),
    ],
)
def test_equal_instants_have_equal_keys(one: str, other: str) -> None:
    assert datetime_key(one) == datetime_key(other)


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    min_value=datetime(2, 1, 1),
    max_value=datetime(9998, 1, 1),
    timezones=OFFSETS | st.just(UTC),
)


@settings(deadline=None)
@given(MOMENTS, MOMENTS)
def test_datetime_keys_order_as_instants_do(one: datetime, other: datetime) -> None:
    assert (datetime_key(one.isoformat()) < datetime_key(other.isoformat())) == (one < other)


NUMBERS = (
    st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
)


def exact(number: int | float | Decimal) -> Decimal:
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
@example(9, 100)
@example(-9.5, -9.51)
@example(0.1, 0.09)
@example(-0.0, 0)
@example(-1, Decimal("1e-300"))
def test_number_keys_order_byte_by_byte_as_numbers_do(
    one: int | float | Decimal, other: int | float | Decimal
) -> None:
    keys = number_key(one).encode("ascii"), number_key(other).encode("ascii")
    assert (keys[0] < keys[1]) == (exact(one) < exact(other))
    assert (keys[0] == keys[1]) == (exact(one) == exact(other))


def test_equal_numbers_have_equal_keys() -> None:
    assert len({number_key(number) for number in (10, 10.0, 1e1, Decimal("1E+1"))}) == 1


def test_a_number_key_needs_a_finite_number() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        number_key(Decimal("NaN"))


@pytest.mark.parametrize(
    ("attribute", "value", "key"),
    [
        (ATTRIBUTES["boolean"], True, "true"),
        (ATTRIBUTES["boolean"], False, "false"),
        (ATTRIBUTES["string"], "BJensen", "bjensen"),
        (ATTRIBUTES["string"], "A\u030angstro\u0308m", "ångström"),
        (ATTRIBUTES["string"], "ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        (ATTRIBUTES["reference"], "/Users/A", "/Users/A"),
        (ATTRIBUTES["binary"], "AQID", "AQID"),
        (Attribute("id", case_exact=True), "A\u030a", "Å"),
        (Attribute("userName", precis=True), "ＢＪ", "bj"),
        (ATTRIBUTES["dateTime"], "2011-05-13T06:42:34+02:00", "2011-05-13T04:42:34.000000Z"),
        (ATTRIBUTES["integer"], 10, number_key(10)),
    ],
)
def test_a_key_is_what_a_value_is_compared_by(attribute: Attribute, value: Any, key: str) -> None:
    assert comparison_key(attribute, value) == key
