"""``bulkId:x`` in the data of operations: the id of what another operation creates.

RFC 7644 §3.7.2. A reference is a string of its own (``"bulkId:x"``), the last part of a URI
(``"../Users/bulkId:x"``), or a literal in a PATCH path (``members[value eq "bulkId:x"]``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

_MARK = "bulkId:"
#: All before the reference is a URI's; all behind it is the bulkId, whatever it contains.
_REFERENCE = re.compile(rf"(\A|.*?/){_MARK}(.*)\Z", re.DOTALL)
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)

_Naming = Callable[[str], str]


def reference_in(text: str) -> str | None:
    """The bulkId that ``text`` refers to, None where it is no reference."""
    match = _REFERENCE.match(text) if _MARK in text else None
    return match[2] if match else None


def find_references(data: Any) -> frozenset[str]:
    """Every bulkId that ``data`` refers to."""
    found: set[str] = set()

    def collect(bulk_id: str) -> str:
        found.add(bulk_id)
        return bulk_id

    _replaced(data, collect)
    return frozenset(found)


def replace_references(data: Any, ids: Mapping[str, str]) -> Any:
    """A copy of ``data`` with real ids. Raises ``KeyError`` for a bulkId without one."""
    return _replaced(data, ids.__getitem__)


def without_references(data: dict[str, Any], bulk_ids: Collection[str]) -> dict[str, Any]:
    """A copy of a resource less all that refers to ``bulk_ids``: attributes and elements.

    An object goes as a whole with the reference in it: a member is nothing without its value.
    """
    kept = {}
    for name, value in data.items():
        rest = _without(value, bulk_ids)
        if rest is not _GONE:
            kept[name] = rest
    return kept


def _replaced(data: Any, naming: _Naming) -> Any:
    if isinstance(data, str):
        return _replaced_text(data, naming)
    if isinstance(data, list):
        return [_replaced(item, naming) for item in data]
    if isinstance(data, dict):
        return {_replaced_path(k, naming): _replaced_at(k, v, naming) for k, v in data.items()}
    return data


def _replaced_at(name: str, value: Any, naming: _Naming) -> Any:
    if name.lower() == "path" and isinstance(value, str):
        return _replaced_path(value, naming)
    return _replaced(value, naming)


def _replaced_text(text: str, naming: _Naming) -> str:
    match = _REFERENCE.match(text) if _MARK in text else None
    return match[1] + naming(match[2]) if match else text


def _replaced_path(path: str, naming: _Naming) -> str:
    """A PATCH path, or the name of an attribute, which some clients make a path."""

    def literal(match: re.Match[str]) -> str:
        try:
            text = json.loads(match[0], strict=False)
        except ValueError:
            return match[0]
        replaced = _replaced_text(text, naming)
        return match[0] if replaced == text else json.dumps(replaced, ensure_ascii=False)

    return _LITERAL.sub(literal, path) if _MARK in path else path


_GONE = object()


def _without(value: Any, bulk_ids: Collection[str]) -> Any:
    if isinstance(value, str):
        return _GONE if reference_in(value) in bulk_ids else value
    if isinstance(value, list):
        return [rest for item in value if (rest := _without(item, bulk_ids)) is not _GONE]
    if isinstance(value, dict):
        if any(_without(item, bulk_ids) is _GONE for item in _texts(value)):
            return _GONE
        return without_references(value, bulk_ids)
    return value


def _texts(value: dict[str, Any]) -> Iterator[str]:
    return (item for item in value.values() if isinstance(item, str))
