"""A value for every attribute of a schema, and every filter that the schema allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from scim_provider.protocol.schema import Attribute, ResourceSchema, Target

#: What databases are known to disagree about.
TEXTS = (
    "Ängström",
    "ÄNGSTRÖM",
    "A\u0308ngstro\u0308m",
    '50%_of\\it\'s "quoted"',
    "50xyof",
    "😀 Ωmega",
    "ΣΊΣΥΦΟΣ",
    "zebra ",
    "zebra",
)
LONG = "Ωy" * 140
MOMENT = "2024-02-29T12:00:00.5+02:00"
OPERATORS = {
    "string": ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"),
    "binary": ("eq", "ne", "co", "sw", "ew"),
    "boolean": ("eq", "ne"),
    "integer": ("eq", "ne", "gt", "ge", "lt", "le"),
    "dateTime": ("eq", "ne", "gt", "ge", "lt", "le"),
}
OPERATORS |= {"reference": OPERATORS["string"], "decimal": OPERATORS["integer"]}


def leaves(schema: ResourceSchema) -> Iterator[Target]:
    """Every attribute that can be compared: not complex, not secret."""
    for target in schema:
        yield from (target.of(s) for s in target.attribute.sub_attributes)
        if not target.attribute.is_complex and target.attribute.returned != "never":
            yield target


def documents(schema: ResourceSchema, people: int, fixed: dict[str, Any]) -> list[dict[str, Any]]:
    """Resources that between them have every writable attribute, and each lacks some."""
    made = []
    for number in range(people):
        numbers = count(number * 7)
        document: dict[str, Any] = {"schemas": [schema.core.id]}
        for target in schema:
            attribute = target.attribute
            if attribute.mutability != "readWrite" or target.name in fixed:
                continue
            if (next(numbers) + number) % 4 == 3 and not attribute.required:
                continue
            holder = document.setdefault(target.extension, {}) if target.extension else document
            holder[attribute.name] = _value(attribute, numbers, number)
        made.append(document)
    return made


def _value(attribute: Attribute, numbers: Iterator[int], number: int) -> Any:
    if not attribute.multi_valued:
        return _single(attribute, numbers, number)
    values = [_single(attribute, numbers, number) for _ in range(number % 3 + 1)]
    for value in values[1:]:
        value.pop("primary", None)
    return values


def _single(attribute: Attribute, numbers: Iterator[int], number: int) -> Any:
    if not attribute.is_complex:
        return _simple(attribute, next(numbers), number)
    subs = [s for s in attribute.sub_attributes if s.mutability != "readOnly"]
    kept = [s for s in subs if s.name == "value" or next(numbers) % 5]
    return {s.name: _simple(s, next(numbers), number) for s in kept}


def _simple(attribute: Attribute, turn: int, number: int) -> Any:
    if attribute.type == "boolean":
        return turn % 2 == 0
    if attribute.type == "binary":
        return ("TUlJ", "AAEC", "tulj")[turn % 3]
    if attribute.type == "integer":
        return turn
    if attribute.type == "dateTime":
        return MOMENT
    return TEXTS[turn % len(TEXTS)]


def literals(target: Target, found: list[dict[str, Any]]) -> list[str]:
    """JSON literals to compare with: some that the documents have, one that they have not."""
    if target.leaf.type == "boolean":
        return ["true", "false"]
    if target.leaf.type in ("integer", "decimal"):
        return ["0", "7"]
    if target.leaf.type == "dateTime":
        own = next(iter(values_of(target, found)), MOMENT)
        return [json.dumps(own), json.dumps(MOMENT)]
    own = sorted(set(values_of(target, found)), key=len)[:3]
    texts = [own[0].upper(), own[-1], own[-1][1:4]] if own else []
    return [json.dumps(text, ensure_ascii=False) for text in [*texts, "%_", "o\u0308M"]]


def values_of(target: Target, found: list[dict[str, Any]]) -> Iterator[Any]:
    """Every value that the documents have at the target."""
    for document in found:
        holder = document.get(target.extension, {}) if target.extension else document
        value = holder.get(target.attribute.name)
        for element in value if isinstance(value, list) else [value]:
            if target.sub_attribute and isinstance(element, dict):
                element = element.get(target.sub_attribute.name)
            if element is not None and not isinstance(element, dict | list):
                yield element


def filters(schema: ResourceSchema, found: list[dict[str, Any]]) -> Iterator[str]:
    """Each operator on each leaf; the same inside brackets, and negated."""
    for target in leaves(schema):
        yield f"{target} pr"
        yield f"not ({target} pr)"
        for turn, operator in enumerate(OPERATORS[target.leaf.type]):
            options = literals(target, found)
            for literal in {options[turn % len(options)], options[(turn + 1) % len(options)]}:
                yield f"{target} {operator} {literal}"
                if target.sub_attribute and target.attribute.multi_valued:
                    inner = f"{target.sub_attribute.name} {operator} {literal}"
                    yield f"{target.name}[{inner} and not ({target.sub_attribute.name} pr)]"
                    yield f"not ({target.name}[{inner}])"
                elif operator not in ("eq", "ne"):
                    yield f"not ({target} {operator} {literal})"
