"""The index over stored documents: one row per comparable leaf value (docs/design.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from scim_provider.models import AttributeValue, Resource
from scim_provider.protocol.schema import Attribute, ResourceSchema, Target
from scim_provider.protocol.values import comparison_key

from .rows import OthersOfRow, replace_rows
from .saving import insert, update_where

Document = dict[str, Any]
IndexRow = tuple[str, int, str]
KEY_LENGTH = 255
_COLUMNS = ("connection", "resource", "path", "element", "key", "text")


def index_rows(document: Document, schema: ResourceSchema) -> Iterator[IndexRow]:
    """``(path, element, key)`` of every leaf value in a stored document."""
    for target, value in stored_values(document, schema):
        elements = value if target.attribute.multi_valued else [value]
        for position, element in enumerate(elements):
            yield from _element_rows(target, position, element)


def stored_values(document: Document, schema: ResourceSchema) -> Iterator[tuple[Target, Any]]:
    """Each attribute that has a value in the document, with its value."""
    for name, value in document.items():
        if value is None:
            continue  # marks an attribute as unassigned, whatever its column says
        if uri := schema.uri(name):
            for inner, inner_value in value.items():
                if target := schema.find(inner, uri):
                    yield target, inner_value
        elif target := schema.find(name, schema.core.id):
            yield target, value


def _element_rows(target: Target, position: int, element: Any) -> Iterator[IndexRow]:
    attribute = target.attribute
    if not attribute.is_complex:
        yield target.name, position, comparison_key(attribute, element)
        return
    if attribute.multi_valued:
        yield target.name, position, ""  # marks the element, for conditions on what it lacks
    for sub_attribute, value in _sub_values(attribute, element):
        for single in value if sub_attribute.multi_valued else [value]:
            yield str(target.of(sub_attribute)), position, comparison_key(sub_attribute, single)


def _sub_values(attribute: Attribute, element: Any) -> Iterator[tuple[Attribute, Any]]:
    for sub_attribute in attribute.sub_attributes:
        if sub_attribute.name in element:
            yield sub_attribute, element[sub_attribute.name]


def insert_indexed(resource: Resource, stored: Document, schema: ResourceSchema) -> None:
    """INSERT a resource and its index rows, and its account, where that waited for it."""
    names = ("path", "element", "key", "text", "connection")
    rows = [(*row, resource.connection_id) for row in new_index_rows(stored, schema)]
    waits = resource.account is not None and resource.account._state.adding
    others = OthersOfRow(AttributeValue, "resource", names, rows)
    insert(resource, others, first="account" if waits else "")


def sync_index(
    resource: Resource, before: Document, after: Document, schema: ResourceSchema
) -> None:
    """Bring the index rows of one resource up to date, by a DELETE and an INSERT.

    A single value that becomes another one is one UPDATE.
    """
    old, new = (_by_path(index_rows(_differing(*both), schema)) for both in _both(before, after))
    changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    if len(changed) == 1 and len(old[changed[0]]) == len(new[changed[0]]) == 1:
        (row,) = new[changed[0]]
        *_, path, element, key, text = _values(resource, row)
        changes = {"element": element, "key": key, "text": text}
        update_where(AttributeValue, {"resource": resource.pk, "path": path}, changes)
        return
    gone = [path for path in changed if path in old]
    come = [row for path in changed for row in sorted(new.get(path, ()))]
    replace_rows(
        AttributeValue,
        {"resource": [resource.pk], "path": gone} if gone else {},
        _COLUMNS,
        [_values(resource, row) for row in come],
    )


def _both(before: Document, after: Document) -> tuple[tuple[Document, Document], ...]:
    return (before, after), (after, before)


def _differing(document: Document, other: Document) -> Document:
    """The top-level values that are not the same in the other document."""
    return {name: value for name, value in document.items() if other.get(name) != value}


def new_index_rows(
    document: Document, schema: ResourceSchema
) -> Iterator[tuple[str, int, str, str | None]]:
    """``(path, element, key, text)`` of the rows of a new resource, ready for their columns."""
    for path, element, key in sorted(set(index_rows(document, schema))):
        yield path, element, key[:KEY_LENGTH], key if len(key) > KEY_LENGTH else None


def _by_path(rows: Iterable[IndexRow]) -> dict[str, set[IndexRow]]:
    grouped: dict[str, set[IndexRow]] = defaultdict(set)
    for row in rows:
        grouped[row[0]].add(row)
    return grouped


def _values(resource: Resource, row: IndexRow) -> tuple[Any, ...]:
    """An index row as values of :data:`_COLUMNS`."""
    path, element, key = row
    text = key if len(key) > KEY_LENGTH else None
    return resource.connection_id, resource.pk, path, element, key[:KEY_LENGTH], text
