"""``manager`` of people as it is answered: who is known here is referred to (RFC 7643 §4.3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from scim_provider.protocol.core import ENTERPRISE_USER

from .context import Context
from .paths import Document

_URI = ENTERPRISE_USER.id
MANAGER = ENTERPRISE_USER.target("manager", extension=True)
MANAGER_ID = MANAGER.sub("value")
MANAGER_REF = MANAGER.sub("$ref")
MANAGER_NAME = MANAGER.sub("displayName")


def refer_to_manager(document: Document, context: Context, endpoint: str) -> None:
    """Add ``$ref`` for a manager who is known to exist."""
    container = document[_URI]  # its own; the manager in it may be the stored one
    manager = container["manager"]
    container["manager"] = {**manager, "$ref": context.location(endpoint, manager["value"])}


def managers_of(documents: Sequence[Document]) -> dict[str, list[Document]]:
    """The values of ``manager`` by the id in them."""
    managers: dict[str, list[Document]] = {}
    for document in documents:
        container = document.get(_URI)
        manager = container.get("manager") if container else None
        if manager and (own := manager.get("value")):
            managers.setdefault(str(own), []).append(manager)
    return managers


def refer_in_place(
    managers: Mapping[str, Sequence[Document]],
    known: Collection[str],
    context: Context,
    endpoint: str,
) -> None:
    """Add ``$ref`` to the values of :func:`managers_of` whose ids are ``known``."""
    for own in known:
        for manager in managers[own]:
            manager["$ref"] = context.location(endpoint, own)


def refer_to_managers(
    documents: Sequence[Document], users: QuerySet[Any], context: Context, endpoint: str
) -> None:
    """Add ``$ref`` where the manager is one of ``users``: one statement, if there is any."""
    managed = list(map(manager_id, documents))
    ids = sorted(set(managed) - {""})
    rows = users.order_by().filter(scim_id__in_set=ids).values_list("scim_id", flat=True)
    known = set(rows) if ids else set()
    for document, own in zip(documents, managed, strict=True):
        if own in known:
            refer_to_manager(document, context, endpoint)


def name_managers(
    documents: Sequence[Document], users: QuerySet[Any], context: Context, endpoint: str
) -> None:
    """Add ``$ref`` and ``displayName`` where the manager is one of ``users``: one statement."""
    managed = [(document, manager_id(document)) for document in documents]
    ids = {own for _, own in managed if own}
    if not ids:
        return
    rows = users.filter(scim_id__in_set=sorted(ids)).only("scim_id", "name", "document")
    known = {row.scim_id: row for row in rows}
    for document, own in managed:
        if row := known.get(own):
            refer_to_manager(document, context, endpoint)
            name = row.document.get("displayName", row.name)
            document[_URI]["manager"]["displayName"] = name


def manager_id(document: Document) -> str:
    """The id that a person's manager is given by, "" for none."""
    manager = document.get(_URI, {}).get("manager", {})
    return str(manager.get("value", ""))
