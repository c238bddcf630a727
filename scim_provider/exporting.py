"""What a connection holds, read page by page by keyset: memory stays flat at any size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .conf import scim_settings
from .connections import base_url
from .mapping.context import Context
from .mapping.document import Document, moment_text
from .mapping.resource_type import ResourceType
from .models import Connection, Event
from .protocol.messages import ListQuery
from .resources import resource_types

PAGE = 1000
#: Pages of types with members are short: one resource may have a hundred thousand.
_PAGE_WITH_MEMBERS = 10
EVENTS = "events"


def exportable() -> dict[str, ResourceType | None]:
    """What can be exported, by the name of its endpoint; None stands for events."""
    served = {served.endpoint.strip("/").lower(): served for served in resource_types()}
    return {**served, EVENTS: None}


class Export:
    """Reads the resources and the events of one connection."""

    def __init__(self, connection: Connection) -> None:
        self.context = Context(connection, "")
        self.context = Context(connection, base_url(owner=self.context.owner))

    def records(self, name: str, *, without: tuple[str, ...] = ()) -> Iterator[Document]:
        """Those of one kind, of :func:`exportable`; attributes ``without`` are left out."""
        served = exportable()[name]
        return self.events() if served is None else self.resources(served, without)

    def total(self, name: str) -> int:
        """How many there are now."""
        served, connection = exportable()[name], self.context.connection
        if served is None:
            return Event.objects.filter(connection=connection).count()
        return int(served.queryset(connection).count())

    def resources(self, served: ResourceType, without: tuple[str, ...] = ()) -> Iterator[Document]:
        """Documents as they are answered, in the order of their keys."""
        page = _PAGE_WITH_MEMBERS if getattr(served, "members_attribute", "") else PAGE
        count = min(page, scim_settings.max_results)
        cursor: str | None = ""
        while cursor is not None:
            query = ListQuery(count=count, cursor=cursor, excluded_attributes=without)
            found = served.query(self.context, query)
            yield from found.documents
            cursor = found.next_cursor

    def events(self) -> Iterator[Document]:
        """Events, oldest first."""
        rows, last = Event.objects.filter(connection=self.context.connection), 0
        while found := list(rows.filter(pk__gt=last).order_by("pk")[:PAGE]):
            yield from map(event_record, found)
            last = found[-1].pk


def event_record(event: Event) -> dict[str, Any]:
    """An event as it is exported."""
    return {
        "id": str(event.pk),
        "created": moment_text(event.created_at),
        "kind": event.kind,
        "resourceType": event.resource_type,
        "resourceId": event.scim_id,
        "name": event.name,
        "reason": event.reason,
        "data": event.data,
    }


#: What says nothing about a person.
_OPEN = frozenset(
    {"id", "schemas", "meta", "created", "kind", "resourceType", "resourceId", "roles", "role"}
)


def masked(record: Document) -> Document:
    """The record with its texts made unreadable: what is there is seen, and not what it says."""
    return {k: v if k in _OPEN else _masked(k, v) for k, v in record.items()}


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {k: v if k in ("type", "$ref") else _masked(k, v) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(name, each) for each in value]
    return _masked_text(value) if isinstance(value, str) else value


def _masked_text(text: str) -> str:
    """``ana@example.com`` → ``a•••@example.com``; everything else keeps its first letter."""
    local, at, domain = text.rpartition("@")
    shown = local if at else text
    return f"{shown[:1]}•••{at}{domain if at else ''}"
