"""Rows ↔ documents: reading a resource out of its row, and writing a changed one back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from scim_provider.protocol.schema import Target

from .homes import Home
from .paths import Document as Document
from .paths import get_value, put_leaf, set_value

#: A leaf attribute that does not live in the document, and where it lives.
Placed = tuple[Target, Home]


def copied(document: Document) -> Document:
    """A copy whose containers can be changed; the values inside are shared."""
    return {k: dict(v) if isinstance(v, dict) else v for k, v in document.items()}


def read_row(row: Any, stored: Document, placed: Iterable[Placed]) -> Document:
    """What is ``stored`` of the row, with what its columns hold."""
    document = copied(stored)
    for target, home in placed:
        set_value(document, target, home.read(row, target))
    return document


@dataclass(frozen=True)
class Written:
    """What :func:`write_changes` set; nothing is saved yet."""

    stored_before: Document
    stored_after: Document
    account_fields: frozenset[str]
    #: What is saved after the row: the attributes that differ, with their values.
    beside: tuple[tuple[Target, Home, Any], ...] = ()
    #: The columns that were set, as paths from the row.
    paths: frozenset[str] = frozenset()


def write_changes(row: Any, before: Document, after: Document, homes: Sequence[Placed]) -> Written:
    """Write the attributes that differ to their homes, and the rest into ``row.document``."""
    fields: set[str] = set()
    paths: set[str] = set()
    beside: list[tuple[Target, Home, Any]] = []
    stored = copied(after)
    for target, home in homes:
        value = get_value(after, target)
        if value != get_value(before, target):
            home.write(row, target, value)
            fields |= home.set_fields(row)
            paths.update(home.paths)
            if home.beside:
                beside.append((target, home, value))
        home.keep(stored, target, value)
    for name in ("schemas", "id", "meta"):
        stored.pop(name, None)
    previous, row.document = row.document, stored
    return Written(previous, stored, frozenset(fields), tuple(beside), frozenset(paths))


def rewrite(before: Document, after: Document, homes: Iterable[Placed]) -> None:
    """Spell what differs as it will be read: what is the same then is no change."""
    for target, home in homes:
        value = get_value(after, target)
        if value is not None and value != get_value(before, target):
            put_leaf(after, target, home.rewritten(target, value))


def moment_text(moment: datetime) -> str:
    """A dateTime with its zone (RFC 7643 §2.3.5); a naive one is in the site's time zone."""
    if moment.tzinfo is not UTC:
        aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
        moment = aware.astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
