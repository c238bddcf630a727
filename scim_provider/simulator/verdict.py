"""Judging an answer: which expectations it misses, said so that somebody can act on it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .client import Answer
from .script import Expectation, Level, Step

MISSING: Any = object()

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "array": (list,),
    "object": (dict,),
}

STATUS_ADVICE: Mapping[int, str] = {
    401: "Check the access key: copied whole, of this service, not revoked or expired.",
    403: "The key is known but may not do this: check its rights and that provisioning is on.",
    404: "Check the base URL: it ends where /Users begins.",
    405: "The service must allow this method on this path.",
    406: "The service must be able to answer application/scim+json (RFC 7644 §3.1).",
    408: "The service gave up waiting: look for a slow query or a blocked worker.",
    409: "Something with this name exists already, or the service compares names too loosely.",
    413: "The service must take bodies of this size.",
    415: "The service must take application/scim+json and application/json (RFC 7644 §3.1).",
    429: "The service limits requests: raise the limit for this key, or send Retry-After.",
    501: "The service must support this operation for this identity provider.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What was expected, what came, and what an admin or developer can do about it."""

    level: Level
    expected: str
    came: str
    advice: str


def judge(step: Step, answer: Answer) -> list[Problem]:
    """All that is wrong with the answer: the first miss at each place, or a wrong status alone.

    Expectations are about the first of the accepted statuses: 200 rather than 204 or 404.
    Their operands are filled in already.
    """
    if answer.status not in step.statuses:
        return [_wrong_status(step, answer)]
    if answer.status != step.statuses[0]:
        return []
    problems: dict[str, Problem] = {}
    for expectation in step.expectations:
        # Without a document, one explanation stands for all that it lacks.
        bodiless = answer.document is None and not expectation.in_header
        place = "a JSON body" if bodiless else expectation.place
        if place not in problems and (problem := _miss(step, expectation, answer)):
            problems[place] = problem
    return list(problems.values())


def find(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901), or `MISSING`."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name, MISSING)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return MISSING
    return document


def show(value: Any) -> str:
    """A value as an explanation quotes it."""
    if value is MISSING:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:157]}…"


def describe_answer(answer: Answer) -> str:
    """One line: status, reason and the service's own explanation, or how its body begins."""
    status = f"{answer.status} {answer.reason}".strip()
    if location := answer.headers.get("location") if 300 <= answer.status < 400 else None:
        return f"{status} to {location}"
    said = answer.error_detail or " ".join(answer.text.split())
    return f"{status}: {show(said)}" if said else f"{status} without a body"


def _wrong_status(step: Step, answer: Answer) -> Problem:
    wanted = " or ".join(str(status) for status in step.statuses)
    advice = " ".join(filter(None, (step.advice, _status_advice(answer))))
    return Problem(step.level, f"status {wanted}", describe_answer(answer), advice)


def _status_advice(answer: Answer) -> str:
    if answer.status == 404 and answer.error_detail:
        return ""
    if answer.status in STATUS_ADVICE:
        return STATUS_ADVICE[answer.status]
    if answer.status >= 500:
        return "The service broke on this request: look for the traceback in its log."
    if 300 <= answer.status < 400:
        return "Identity providers do not follow redirects: use the base URL it points to."
    if answer.status == 400:
        return "The service refused the request: its explanation above says which part."
    return ""


def _miss(step: Step, expectation: Expectation, answer: Answer) -> Problem | None:
    level: Level = "should" if "should" in (step.level, expectation.level) else "must"
    place = expectation.place
    if expectation.in_header:
        value: Any = answer.headers.get(place.lower(), MISSING)
    elif answer.document is None:
        return Problem(level, "a JSON body", *_no_json(answer))
    else:
        value = find(answer.document, place)
    test = TESTS[expectation.test]
    if test.holds(value, expectation.operand):
        return None
    expected = f"{place} {test.wanted(expectation.operand)}"
    return Problem(level, expected, f"{place} is {_typed(value)}", expectation.advice)


def _no_json(answer: Answer) -> tuple[str, str]:
    kind = answer.content_type or "no Content-Type"
    return (
        f"{describe_answer(answer)} ({kind})",
        "The service must answer this request with the resource as JSON. A page in HTML means "
        "that the base URL is not the one of its SCIM endpoints.",
    )


def _typed(value: Any) -> str:
    kind = next((name for name, types in TYPES.items() if type(value) in types), "")
    return f"{show(value)} ({kind})" if kind else show(value)


@dataclass(frozen=True, slots=True)
class _Test:
    """`holds(value, operand)`, and what `operand` asks for in words."""

    holds: Callable[[Any, Any], bool]
    wanted: Callable[[Any], str]


def _is_type(value: Any, name: str) -> bool:
    return type(value) in TYPES[name]


def _is(value: Any, operand: Any) -> bool:
    return type(value) is type(operand) and bool(value == operand)


def _is_ignoring_case(value: Any, operand: str) -> bool:
    return isinstance(value, str) and value.casefold() == operand.casefold()


def _covers(value: Any, part: Mapping[str, Any]) -> bool:
    return isinstance(value, dict) and all(_is(value.get(key), part[key]) for key in part)


def _some(value: Any, part: Mapping[str, Any]) -> bool:
    return isinstance(value, list) and any(_covers(item, part) for item in value)


def _every(value: Any, types: Mapping[str, str]) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and all(_is_type(item.get(name), types[name]) for name in types)
        for item in value
    )


def _blank(value: Any) -> bool:
    return value is MISSING or value in (None, "", [], {})


TESTS: Mapping[str, _Test] = {
    "is": _Test(_is, lambda wanted: f"is {_typed(wanted)}"),
    "is_ignoring_case": _Test(_is_ignoring_case, lambda wanted: f"is {show(wanted)}"),
    "type": _Test(_is_type, lambda name: f"is of type {name}"),
    "matches": _Test(
        lambda value, pattern: isinstance(value, str) and bool(re.search(pattern, value)),
        lambda pattern: f"matches {pattern}",
    ),
    "contains": _Test(
        lambda value, item: isinstance(value, list) and item in value,
        lambda item: f"contains {show(item)}",
    ),
    "size": _Test(
        lambda value, size: isinstance(value, list) and len(value) == size,
        lambda size: f"has {size} value{'' if size == 1 else 's'}",
    ),
    "at_least": _Test(
        lambda value, least: _is_type(value, "integer") and value >= least,
        lambda least: f"is a number, at least {least}",
    ),
    "empty": _Test(
        lambda value, wanted: _blank(value) is wanted,
        lambda wanted: "is empty or absent" if wanted else "is there and not empty",
    ),
    "has": _Test(_some, lambda part: f"has a value with {show(part)}"),
    "lacks": _Test(
        lambda value, part: not _some(value, part),
        lambda part: f"has no value with {show(part)}",
    ),
    "every": _Test(
        _every,
        lambda types: "has in every value " + ", ".join(f"{n} ({t})" for n, t in types.items()),
    ),
}
