"""Single values: checked against their attribute, and turned into comparison keys."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from .errors import InvalidValue
from .schema import Attribute, AttributeType

Simple = str | bool | int | float

# RFC 7643 §2.3.5: xsd:dateTime, of which the date and the time are both required.
_DATE_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)T(?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?",
    re.ASCII | re.IGNORECASE,
)
# What JSON can spell and no database stores: NUL and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


# Letters that are drawn as nothing, though Unicode counts them as letters, marks or signs: its
# Default_Ignorable_Code_Point without the categories Cf and Cc, and the empty pattern of Braille.
_UNDRAWN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)


def is_drawn(letter: str) -> bool:
    """Whether people see a character or, of white space, where it is."""
    return unicodedata.category(letter) not in ("Cf", "Cc") and not _UNDRAWN.match(letter)


def is_invisible(text: str) -> bool:
    """Whether people see nothing of ``text``: white space, controls, joiners."""
    return not any(is_drawn(letter) and not letter.isspace() for letter in text)


def code_points(text: str, most: int = 10) -> str:
    """``text`` as ``U+200B U+2060``, for an error detail."""
    shown = " ".join(f"U+{ord(letter):04X}" for letter in text[:most])
    return f"{shown} …" if len(text) > most else shown


def quoted(text: str, length: int = 60) -> str:
    """``text`` in single quotes for an error detail: short, and fit for an answer in UTF-8."""
    shown = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[:length])
    return f"'{shown}…'" if len(text) > length else f"'{shown}'"


def is_storable(text: str) -> bool:
    """Whether every database can hold ``text``: no NUL, no lone surrogate."""
    return not _UNSTORABLE.search(text)


def coerce(attribute: Attribute, value: object, *, strict: bool = False) -> Simple:
    """One simple value as it will be stored and returned (RFC 7643 §2.3).

    Unless ``strict``, booleans are also taken as ``"True"`` and ``"False"``, which Entra sends.
    Raises InvalidValue for a value that is not of the attribute's type.
    """
    if attribute.type == "boolean" and not strict:
        value = _lenient_boolean(value)
    if isinstance(value, str) and not is_storable(value):
        raise InvalidValue(
            f"'{attribute.name}' contains a NUL character or half of a surrogate pair. "
            "Send text without it."
        )
    coerced = _COERCIONS[attribute.type](value)
    if coerced is None:
        raise InvalidValue(
            f"'{attribute.name}' takes {_EXPECTED[attribute.type]}{_not(attribute, value)}."
        )
    return coerced


def _lenient_boolean(value: object) -> object:
    words = {"true": True, "false": False}
    return words.get(value.lower(), value) if isinstance(value, str) else value


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(value: object) -> int | float | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _integer(value)


def _date_time(value: object) -> str | None:
    try:
        return value if isinstance(value, str) and datetime_key(value) else None
    except ValueError:
        return None


def _binary(value: object) -> str | None:
    """Base64 in either alphabet; clients leave the padding out (RFC 7643 §2.3.6)."""
    if not isinstance(value, str):
        return None
    text = value.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return value


def _complex(value: object) -> None:
    return None


_COERCIONS: dict[AttributeType, Callable[[object], Simple | None]] = {
    "string": _string,
    "reference": _string,
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "dateTime": _date_time,
    "binary": _binary,
    "complex": _complex,
}
_EXPECTED: dict[AttributeType, str] = {
    "string": "text",
    "reference": "a URI as text",
    "boolean": "true or false",
    "integer": "a whole number",
    "decimal": "a number",
    "dateTime": "a date and time such as '2024-02-29T12:00:00Z'",
    "binary": "base64 text",
    "complex": "an object with its sub-attributes",
}


def _not(attribute: Attribute, value: object) -> str:
    """The refused value for an error detail; passwords are never repeated."""
    return "" if attribute.returned == "never" else f", not {_spelled(value)}"


def _spelled(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict | list | tuple):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    # Not str(int), which refuses more than 4300 digits.
    return quoted(str(Decimal(value) if isinstance(value, int) else value))


def comparison_key(attribute: Attribute, value: Simple) -> str:
    """The sortable text key of a coerced value: keys compare as the values do.

    Raises ValueError for a value that :func:`coerce` would have refused.
    """
    if attribute.type == "boolean":
        return "true" if value else "false"
    if attribute.type == "dateTime":
        return datetime_key(str(value))
    if attribute.type in ("integer", "decimal") and not isinstance(value, str):
        return number_key(value)
    return attribute.key(str(value))


def datetime_key(text: str) -> str:
    """The instant in UTC, in one fixed width; a dateTime without a zone is taken as UTC.

    Digits beyond microseconds are cut off. Raises ValueError for anything else than an
    xsd:dateTime of the years 1 to 9999.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a dateTime.")
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    zone = (match["zone"] or "Z").upper()
    moment = datetime.fromisoformat(f"{match['date']}T{match['time']}.{fraction}{zone}")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range.") from error
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def number_key(number: int | float | Decimal) -> str:
    """A text that sorts, byte by byte, as the finite number does; equal numbers, equal texts.

    A positive number 0.d₁d₂… × 10ᵉ is ``2``, the exponent, the digits. A negative one is ``0``
    and the complement of the same, closed by ``~`` so that more digits sort first. Zero is ``1``.
    """
    # repr(): 9.99 is the number that was sent, not the binary fraction nearest to it.
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    sign, digits, exponent = exact.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{number!r} is not a finite number.")
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "1"
    magnitude = _exponent_key(len(text) + exponent) + text.rstrip("0")
    return "0" + magnitude.translate(_COMPLEMENT) + "~" if sign else "2" + magnitude


def key_number(key: str) -> Decimal:
    """The number whose :func:`number_key` is ``key``."""
    if key == "1":
        return Decimal(0)
    negative = key[0] == "0"
    text = key[1:-1].translate(_COMPLEMENT) if negative else key[1:]
    small, behind = text[0] == "0", text[1:]
    head = behind.translate(_COMPLEMENT) if small else behind
    end = 2 + int(head[:2])
    exponent = -int(head[2:end]) if small else int(head[2:end])
    digits = behind[end:]
    return Decimal((int(negative), tuple(map(int, digits)), exponent - len(digits)))


_COMPLEMENT = str.maketrans("0123456789", "9876543210")


def _exponent_key(exponent: int) -> str:
    """A signed integer as sortable digits: its sign, how many digits it has, the digits."""
    digits = str(abs(exponent))
    key = f"{len(digits):02d}{digits}"
    return "1" + key if exponent >= 0 else "0" + key.translate(_COMPLEMENT)
