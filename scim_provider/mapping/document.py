"""Rows ↔ documents: reading a resource out of its row, and writing a changed one back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from scim_provider.protocol.schema import ResourceSchema, Target

from .homes import Home, Store

Document = dict[str, Any]
#: A leaf attribute that does not live in the document, and where it lives.
Placed = tuple[Target, Home]


def get_value(document: Document, target: Target) -> Any:
    """The value at a path of a document, None where there is none."""
    container = document.get(target.extension, {}) if target.extension else document
    value = container.get(target.attribute.name)
    if target.sub_attribute is None or value is None:
        return value
    return value.get(target.sub_attribute.name)


def set_value(document: Document, target: Target, value: Any) -> None:
    """Put a value at a path, or take it away with None; empty containers do not stay."""
    steps = [target.extension] if target.extension else []
    if target.sub_attribute is not None:
        steps.append(target.attribute.name)
    containers = [document]
    for step in steps:
        containers.append(containers[-1].get(step) or {})
    if value is None:
        containers[-1].pop(target.leaf.name, None)
    else:
        containers[-1][target.leaf.name] = value
    for step, outer, inner in reversed(list(zip(steps, containers, containers[1:], strict=False))):
        if inner:
            outer[step] = inner
        else:
            outer.pop(step, None)


def copied(document: Document) -> Document:
    """A copy whose containers can be changed; the values inside are shared."""
    return {k: dict(v) if isinstance(v, dict) else v for k, v in document.items()}


def read_stored(row: Any, placed: Iterable[Placed]) -> Document:
    """All that the row and its columns hold of the resource's own attributes."""
    document = copied(row.document)
    for target, home in placed:
        value = home.read(row, target)
        if value is not None:
            set_value(document, target, value)
    return document


@dataclass(frozen=True)
class Written:
    """What :func:`write_changes` set; nothing is saved yet."""

    stored_before: Document
    stored_after: Document
    account_fields: frozenset[str]


def write_changes(
    row: Any, before: Document, after: Document, homes: Sequence[Placed], schema: ResourceSchema
) -> Written:
    """Write the attributes that differ to their homes, and the rest into ``row.document``."""
    fields: set[str] = set()
    stored = copied(after)
    for target, home in homes:
        value = get_value(after, target)
        if value != get_value(before, target):
            home.write(row, target, value)
            fields |= home.account_fields
        if not isinstance(home, Store):
            set_value(stored, target, None)
    for name in ("schemas", "id", "meta"):
        stored.pop(name, None)
    previous, row.document = row.document, stored
    return Written(previous, stored, frozenset(fields))


def moment_text(moment: datetime) -> str:
    """A dateTime with its zone (RFC 7643 §2.3.5); a naive one is in the site's time zone."""
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
