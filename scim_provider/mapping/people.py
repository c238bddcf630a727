"""How people are read: their groups and their managers beside what their rows hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model

from scim_provider.models import Resource
from scim_provider.protocol import core
from scim_provider.protocol.encoded import ids_of
from scim_provider.protocol.messages import ListQuery
from scim_provider.protocol.projection import Projection
from scim_provider.protocol.schema import Target

from .belonging import groups_of
from .context import Context
from .direct import (
    NOT_READ,
    DirectGroups,
    GroupKeys,
    is_known,
    read_direct_groups,
    read_group_keys,
)
from .document import Document
from .fitting import field_at
from .homes import Home, Store
from .keeping_up import (
    asks_by_name,
    catch_up,
    has_left,
    is_start,
    let_go_shown,
    lists_members,
    take_in_named,
)
from .lock import read_along
from .manager_homes import ManagerName, ManagerReference
from .managers import (
    MANAGER,
    MANAGER_ID,
    MANAGER_NAME,
    MANAGER_REF,
    manager_id,
    managers_of,
    name_managers,
    refer_in_place,
    refer_to_manager,
    refer_to_managers,
)
from .one_name import compose_name, has_one_name
from .paging import Page
from .people_as_texts import PeopleAsTexts
from .reader import Found, RowReader, is_ours
from .resource_type import Representation
from .role_effects import is_hooked
from .rows import saves_are_watched
from .transactions import database
from .writing import StoredResourceType

#: The manager that a row named when it was locked.
_MANAGED_BY = "scim_managed_by"
_GROUPS = core.USER.target("groups")


class StoredPeople(StoredResourceType):
    """The reading side of Users, and what their names are made of.

    Where the connection lists the members of its organization, who came or left on the site is
    seen here: what then changed is read from where it was written, which a replica may lag behind.
    """

    def home(self, target: Target) -> Home:
        home = super().home(target)
        return self._of_managers.get(str(target), home) if isinstance(home, Store) else home

    @cached_property
    def _of_managers(self) -> Mapping[str, Home]:
        """Where that lives which is answered of managers beside their ids."""
        return {
            str(MANAGER_REF): ManagerReference(self.name, self.endpoint),
            str(MANAGER_NAME): ManagerName(self.name, self.endpoint),
        }

    def query(self, context: Context, query: ListQuery) -> Page:
        if not lists_members(context):
            return super().query(context, query)
        primary = database()
        if self.keep_up(context, query):
            page = self.query_using(primary, context, query)
        else:
            page = super().query(context, query)
        if page.total == 0 and take_in_named(self, context, query):
            page = self.query_using(primary, context, query)
        shown = ids_of(page.documents)
        if shown and let_go_shown(self, context, shown):
            page = self.query_using(primary, context, query)
        return page

    def keep_up(self, context: Context, query: ListQuery) -> bool:
        """See who came and who left, where the query reads a list from its start."""
        begins = is_start(query) and not asks_by_name(self, query)
        return begins and lists_members(context) and catch_up(self, context)

    def retrieve(self, context: Context, scim_id: str, projection: Projection) -> Representation:
        if lists_members(context) and let_go_shown(self, context, [scim_id]):
            raise self.not_found(scim_id)
        return super().retrieve(context, scim_id, projection)

    def lock(self, context: Context, scim_id: str) -> Resource | None:
        row = super().lock(context, scim_id)
        if row is None or has_left(context, row):
            return None
        vars(row)[_MANAGED_BY] = manager_id(row.document)
        return row

    def written(self, row: Resource, context: Context, projection: Projection) -> Representation:
        """From memory, where nobody but us has written and no other manager is to be looked up."""
        along, manager = read_along(row), manager_id(row.document)
        if (
            along is None
            or projection.is_narrowed
            or projection.wants(MANAGER_NAME)
            or manager not in ("", vars(row)[_MANAGED_BY])
            or saves_are_watched(type(row))
            or saves_are_watched(get_user_model())
            or is_hooked()
            or not (self.saves_as_ours and self._holds_as_written)
        ):
            return super().written(row, context, projection)
        groups, manager_known = along
        document = self.document(row, context)
        self.fill([(row, document)], context, projection)
        version = self.version(row)
        known = (groups, bool(manager and manager_known))
        found = Found(row.pk, row.scim_id, version, known, row.owns_profile)
        self.complete_one(found, document, context, projection)
        return replace(self.without_body(row, context), document=projection.apply(document))

    @cached_property
    def _holds_as_written(self) -> bool:
        """Whether columns say what was written to them: a site's own field may make of it what it
        likes on the way to the database.
        """
        fields = [field_at(path) for _, home in self.placed for path in home.paths]
        modules = [str(type(field).__module__).partition(".")[0] for field in fields if field]
        return {"django", __name__.partition(".")[0]}.issuperset(modules)

    @cached_property
    def _has_one_name(self) -> bool:
        return has_one_name(self.placed)

    def settle(self, before: Document, after: Document, context: Context, *, whole: bool) -> None:
        if self._has_one_name:
            compose_name(before, after)

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

    def along_page(self, projection: Projection) -> Mapping[str, Any]:
        return {"direct_groups": GroupKeys() if projection.wants(_GROUPS) else NOT_READ}

    def complete_page(
        self, pairs: Sequence[tuple[Found, Document]], context: Context, projection: Projection
    ) -> None:
        texts = {found.pk: found.along[0] for found, _ in pairs if found.along[0]}
        documents = [document for _, document in pairs]
        groups: dict[int, list[Document]] = {}
        if texts and not projection.wants(MANAGER_NAME):
            managers = managers_of(documents) if projection.wants(MANAGER) else {}
            groups, known = read_group_keys(texts, context, managers)
            refer_in_place(managers, known, context, self.endpoint)
        elif projection.wants(MANAGER):
            self._complete_managers(documents, context, projection)
            groups = read_group_keys(texts, context)[0]
        for found, document in pairs:
            if found.pk in groups:
                document["groups"] = groups[found.pk]

    def as_texts(self, reader: RowReader, projection: Projection) -> PeopleAsTexts | None:
        hooks = (type(self).along_page, type(self).complete_page, type(self).fill)
        is_beside = any(projection.wants(target) for target, _ in self._beside)
        if is_beside or not all(map(is_ours, hooks)):
            return None
        texts = PeopleAsTexts(reader, projection)
        return texts if texts.can_be_made else None

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
        if not any(map(manager_id, documents)):
            return
        complete = name_managers if projection.wants(MANAGER_NAME) else refer_to_managers
        complete(documents, self.queryset(context.connection), context, self.endpoint)
