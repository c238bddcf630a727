"""How people are read: their groups and their managers beside what their rows hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scim_provider.models import Resource
from scim_provider.protocol import core
from scim_provider.protocol.projection import Projection
from scim_provider.protocol.schema import Target

from .belonging import groups_of
from .context import Context
from .direct import NOT_READ, DirectGroups, is_known, read_direct_groups
from .document import Document
from .managers import (
    MANAGER,
    MANAGER_ID,
    MANAGER_NAME,
    name_managers,
    refer_to_manager,
    refer_to_managers,
)
from .reader import Found
from .writing import StoredResourceType

_GROUPS = Target(core.USER.attribute("groups"))  # type: ignore[arg-type]


class StoredPeople(StoredResourceType):
    """The reading side of Users."""

    def along(self, projection: Projection) -> Mapping[str, Any]:
        managed = projection.wants(MANAGER)
        return {
            "direct_groups": DirectGroups() if projection.wants(_GROUPS) else NOT_READ,
            "manager_known": is_known(str(MANAGER_ID), self.name) if managed else NOT_READ,
        }

    def complete_one(
        self, found: Found, document: Document, context: Context, projection: Projection
    ) -> None:
        groups, manager_known = found.along
        if projection.wants(MANAGER_NAME):
            self._complete_managers([document], context, projection)
        elif manager_known:
            refer_to_manager(document, context, self.endpoint)
        if groups and (elements := read_direct_groups(found.pk, groups, context)):
            document["groups"] = elements

    def complete_new(
        self, row: Resource, document: Document, context: Context, projection: Projection
    ) -> None:
        if projection.wants(MANAGER):  # and no group has a member that did not exist
            self._complete_managers([document], context, projection)

    def complete(
        self, pairs: Sequence[tuple[Any, Document]], context: Context, projection: Projection
    ) -> None:
        if projection.wants(_GROUPS):
            groups = groups_of([row.pk for row, _ in pairs], context)
            for row, document in pairs:
                if row.pk in groups:
                    document["groups"] = groups[row.pk]
        if projection.wants(MANAGER):
            self._complete_managers([document for _, document in pairs], context, projection)

    def _complete_managers(
        self, documents: Sequence[Document], context: Context, projection: Projection
    ) -> None:
        complete = name_managers if projection.wants(MANAGER_NAME) else refer_to_managers
        complete(documents, self.queryset(context.connection), context, self.endpoint)
