"""``manager`` of people as it is answered: who is known here is referred to (RFC 7643 §4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from scim_provider.protocol.core import ENTERPRISE_USER
from scim_provider.protocol.schema import Target

from .context import Context
from .paths import Document

_URI = ENTERPRISE_USER.id
MANAGER = Target(ENTERPRISE_USER.attribute("manager"), None, _URI)  # type: ignore[arg-type]
MANAGER_ID = MANAGER.of(MANAGER.attribute.sub("value"))  # type: ignore[arg-type]
MANAGER_NAME = MANAGER.of(MANAGER.attribute.sub("displayName"))  # type: ignore[arg-type]


def refer_to_manager(document: Document, context: Context, endpoint: str) -> None:
    """Add ``$ref`` for a manager who is known to exist."""
    manager = document[_URI]["manager"]
    manager["$ref"] = context.location(endpoint, manager["value"])


def complete_managers(
    documents: Sequence[Document], users: QuerySet[Any], context: Context, endpoint: str
) -> None:
    """Add ``$ref`` and ``displayName`` where the manager is one of ``users``: one statement."""
    managed = [(document, _manager_id(document)) for document in documents]
    ids = {manager_id for _, manager_id in managed if manager_id}
    if not ids:
        return
    rows = users.filter(scim_id__in_set=sorted(ids)).only("scim_id", "name", "document")
    known = {row.scim_id: row for row in rows}
    for document, manager_id in managed:
        if row := known.get(manager_id):
            document[_URI]["manager"] = {
                "value": row.scim_id,
                "$ref": context.location(endpoint, row.scim_id),
                "displayName": row.document.get("displayName", row.name),
            }


def _manager_id(document: Document) -> str:
    manager = document.get(_URI, {}).get("manager", {})
    return str(manager.get("value", ""))
