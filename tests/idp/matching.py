"""What a transcript expects of an answer: plain values and matchers like ``{"$min": 1}``.

A dict whose keys all start with ``$`` is a set of matchers that must all hold; anything else is
compared for equality. Inside ``$match``, ``$each``, ``$some`` and ``$none`` a dict describes only
the members it names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any


class _Missing:
    """The value at a JSON pointer that leads nowhere."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()
NOTHING_IN_IT: tuple[Any, ...] = (MISSING, None, "", [], {})


def is_a(value: Any, kind: str) -> bool:
    """Whether ``value`` is of the JSON type ``kind``; a boolean is no number."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(
        value,
        {
            "string": str,
            "integer": int,
            "number": (int, float),
            "array": list,
            "object": dict,
            "null": type(None),
            "boolean": (),
        }[kind],
    )


def is_any_of(value: Any, wanted: list[Any]) -> bool:
    return any(matches(value, one) for one in wanted)


def elements_like(value: Any, wanted: Any) -> list[bool] | None:
    """For each element whether it is as described; None where there are no elements."""
    return [resembles(one, wanted) for one in value] if isinstance(value, list) else None


def resembles(value: Any, wanted: Any) -> bool:
    """As :func:`matches`, but a dict need only have the members of ``wanted``."""
    if not isinstance(wanted, dict) or is_matcher(wanted):
        return matches(value, wanted)
    return isinstance(value, dict) and all(
        resembles(value.get(name, MISSING), part) for name, part in wanted.items()
    )


MATCHERS: dict[str, Callable[[Any, Any], bool]] = {
    "$absent": lambda value, yes: (value is MISSING) is bool(yes),
    "$exists": lambda value, yes: (value is not MISSING) is bool(yes),
    "$empty": lambda value, yes: (
        any(value is one or same(value, one) for one in NOTHING_IN_IT) is bool(yes)
    ),
    "$type": lambda value, kind: any(
        is_a(value, one) for one in (kind if isinstance(kind, list) else [kind])
    ),
    "$regex": lambda value, pattern: isinstance(value, str) and bool(re.search(pattern, value)),
    "$ieq": lambda value, text: isinstance(value, str) and value.casefold() == text.casefold(),
    "$contains": lambda value, part: isinstance(value, (list, str)) and part in value,
    "$len": lambda value, size: isinstance(value, (list, str, dict)) and len(value) == size,
    "$min": lambda value, least: is_a(value, "number") and value >= least,
    "$max": lambda value, most: is_a(value, "number") and value <= most,
    "$oneOf": is_any_of,
    "$any": is_any_of,
    "$all": lambda value, wanted: all(matches(value, one) for one in wanted),
    "$not": lambda value, unwanted: not matches(value, unwanted),
    "$match": resembles,
    "$each": lambda value, wanted: all(elements_like(value, wanted) or [isinstance(value, list)]),
    "$some": lambda value, wanted: any(elements_like(value, wanted) or []),
    "$none": lambda value, unwanted: (
        value is MISSING
        or (isinstance(value, list) and not any(elements_like(value, unwanted) or []))
    ),
}


def is_matcher(wanted: Any) -> bool:
    return isinstance(wanted, dict) and bool(wanted) and set(wanted) <= set(MATCHERS)


def same(value: Any, wanted: Any) -> bool:
    """Equality of JSON values, in which 1 is not true."""
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted


def matches(value: Any, wanted: Any) -> bool:
    """Whether ``value`` is what the transcript wants."""
    if is_matcher(wanted):
        return all(MATCHERS[name](value, argument) for name, argument in wanted.items())
    return value is not MISSING and same(value, wanted)


def shown(value: Any) -> str:
    """A value as a test report prints it."""
    return repr(value) if value is MISSING else json.dumps(value, ensure_ascii=False)[:200]


def at(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901), or ``MISSING``.

    Two extras: ``#`` is the length of an array, a negative index counts from its end.
    """
    value = document
    for token in pointer.strip("/").split("/") if pointer.strip("/") else []:
        value = _member(value, token.replace("~1", "/").replace("~0", "~"))
    return value


def _member(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name, MISSING)
    if not isinstance(value, list):
        return MISSING
    if name == "#":
        return len(value)
    try:
        return value[int(name)]
    except (ValueError, IndexError):
        return MISSING
