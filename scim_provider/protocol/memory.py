"""The evaluator over documents: what PATCH selects with, and the oracle of the SQL one."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .filter import Filter, Operator, evaluate
from .schema import Target
from .values import comparison_key

_TESTS: dict[Operator, Callable[[str, str], bool]] = {
    "eq": operators.eq,
    "gt": operators.gt,
    "ge": operators.ge,
    "lt": operators.lt,
    "le": operators.le,
    "co": operators.contains,
    "sw": str.startswith,
    "ew": str.endswith,
}


def holds(found: str, operator: Operator, key: str) -> bool:
    """Whether ``found operator key``, of two keys of comparison; ``ne`` is asked otherwise."""
    return _TESTS[operator](found, key)


def matches(tree: Filter[Target], document: Mapping[str, Any]) -> bool:
    """Whether a canonical document matches a resolved filter (RFC 7644 §3.4.2.2)."""

    def read(target: Target) -> object:
        holder = document.get(target.extension) if target.extension else document
        return holder.get(target.attribute.name) if isinstance(holder, Mapping) else None

    return evaluate(tree, _Memory(read))


def value_matches(tree: Filter[Target], element: object) -> bool:
    """Whether one value of a multi-valued attribute matches the filter in its brackets."""
    return evaluate(tree, _Memory(lambda _: element))


@dataclass(frozen=True, slots=True)
class _Memory:
    """Evaluates over what ``read`` gives for an attribute: its value, or its list of values."""

    read: Callable[[Target], object]

    def values(self, target: Target) -> list[Any]:
        """The values at the target, those of sub-attributes pooled; no nulls among them."""
        values = _listed(self.read(target))
        if target.sub_attribute is None:
            return values
        name = target.sub_attribute.name
        holders = [value for value in values if isinstance(value, Mapping)]
        return [value for holder in holders for value in _listed(holder.get(name))]

    def compare(self, target: Target, operator: Operator, value: str) -> bool:
        """``ne`` holds where there is no value, and where any value differs."""
        keys = [comparison_key(target.leaf, found) for found in self.values(target)]
        if operator == "ne":
            return not keys or any(key != value for key in keys)
        return any(holds(key, operator, value) for key in keys)

    def present(self, target: Target) -> bool:
        return any(map(_has_content, self.values(target)))

    def all(self, terms: Sequence[bool]) -> bool:
        return all(terms)

    def any(self, terms: Sequence[bool]) -> bool:
        return any(terms)

    def negate(self, term: bool) -> bool:
        return not term

    def value_path(self, target: Target, tree: Filter[Target]) -> bool:
        return any(value_matches(tree, element) for element in self.values(target))

    def constant(self, value: bool) -> bool:
        return value


def _listed(value: object) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    return [value for value in values if value is not None]


def _has_content(value: object) -> bool:
    """Presence: null, "", [] and {} are no value, false and 0 are (RFC 7643 §2.5)."""
    if isinstance(value, Mapping):
        return any(map(_has_content, value.values()))
    if isinstance(value, list):
        return any(map(_has_content, value))
    return value is not None and value != ""
