"""Resources whose attributes are columns of a row of the site's own model: teams, devices.

The site's model refers to the resource by a ``OneToOneField``; ids, versions and what has no column
stay with us. Rows that the site makes by itself are listed when the list is next asked for.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any, ClassVar

from django.db import DatabaseError
from django.db.models import Model, OneToOneField, QuerySet
from django.utils import timezone

from scim_provider.models import Resource
from scim_provider.protocol.errors import Uniqueness
from scim_provider.protocol.messages import ListQuery
from scim_provider.protocol.schema import comparison_key

from .accounts import refuse_incomplete
from .columns import Column
from .context import Context
from .document import Document, Written
from .fitting import field_at
from .paging import Page
from .rows import insert_resources
from .transactions import atomically, locking, one_at_a_time
from .writing import StoredResourceType

logger = logging.getLogger("scim_provider")

#: Rows that are listed in one transaction.
_BATCH = 5_000


class OwnObjects(StoredResourceType):
    """A resource type beside a model of the site, which has a ``OneToOneField`` to ``Resource``."""

    own_model: ClassVar[type[Model]]
    #: The foreign key of the model to the organization, "" where there is none.
    organization_field: ClassVar[str] = ""

    # -- hooks ---------------------------------------------------------------------------------

    def objects(self, owner: Any) -> QuerySet[Any]:
        """The site's rows that belong to an organization."""
        rows = self.own_model._default_manager.all()
        return rows.filter(**{self.organization_field: owner}) if self.organization_field else rows

    def new_object(self, context: Context, document: Document) -> Any:
        """An unsaved row for a new resource; its columns are set from the homes afterwards."""
        made = self.own_model()
        if self.organization_field:
            setattr(made, self.organization_field, context.owner)
        return made

    def save_object(self, own: Any, fields: list[str] | None) -> None:
        """Save a new row whole, or the changed ``fields`` of an existing one."""
        own.save(update_fields=fields)

    def delete_object(self, own: Any) -> None:
        """Delete the site's row of a resource that is deleted."""
        own.delete()

    # -- the relation --------------------------------------------------------------------------

    @cached_property
    def _links(self) -> list[OneToOneField[Any, Any]]:
        fields = self.own_model._meta.concrete_fields
        links = [field for field in fields if isinstance(field, OneToOneField)]
        return [field for field in links if field.related_model is Resource]

    @property
    def is_linked(self) -> bool:
        """Whether the site's model refers to resources, as it must; a check says so."""
        return bool(self._links)

    @property
    def _link(self) -> OneToOneField[Any, Any]:
        return self._links[0]

    @cached_property
    def relation(self) -> str:
        """What a resource calls the site's row: the ``related_name``."""
        return str(self._link.remote_field.get_accessor_name())

    def own(self, row: Resource) -> Any:
        """The site's row of a resource."""
        return getattr(row, self.relation)

    # -- reading -------------------------------------------------------------------------------

    def queryset(self, connection: Any) -> Any:
        return super().queryset(connection).filter(**{f"{self.relation}__isnull": False})

    def query(self, context: Context, query: ListQuery) -> Page:
        self.list_new(context)
        return super().query(context, query)

    def list_new(self, context: Context) -> None:
        """Make resources of the rows that the site made; one statement where there are none.

        Where the database takes no changes for a while, they are listed later: this is a read.
        """
        new = self.objects(context.owner).filter(**{f"{self._link.name}__isnull": True})
        try:
            while new.exists():
                atomically(lambda: self._list_some(new.order_by("pk")[:_BATCH], context))
        except DatabaseError:
            logger.exception("New rows of %s could not be listed", self.own_model._meta.label)

    def _list_some(self, new: QuerySet[Any], context: Context) -> None:
        one_at_a_time(context.connection)
        some, now = list(new), timezone.now()
        naming = self.schema.target(self.naming_attribute)
        rows = []
        for own in some:
            row = super().new_row(context, {})
            row.created = row.last_modified = now
            setattr(row, self.relation, own)
            self._name(row, self.home(naming).read(row, naming) or "")
            rows.append(row)
        insert_resources(rows)
        for own, row in zip(some, rows, strict=True):
            setattr(own, self._link.name, row)
        self.own_model._default_manager.bulk_update(some, [self._link.name], batch_size=500)

    # -- writing -------------------------------------------------------------------------------

    def new_row(self, context: Context, document: Document) -> Resource:
        row = super().new_row(context, document)
        setattr(row, self.relation, self.new_object(context, document))
        return row

    def lock(self, context: Context, scim_id: str) -> Resource | None:
        rows = self.queryset(context.connection).select_related(self.relation)
        rows = rows.select_for_update(**locking(rows.db, self.relation))
        found: Resource | None = rows.filter(scim_id=scim_id).first()
        return found

    def place(self, row: Resource, before: Document, after: Document, context: Context) -> Written:
        written = super().place(row, before, after, context)
        row.unique_key = None  # the site may rename its row
        name = str(after.get(self.naming_attribute, ""))
        if name != before.get(self.naming_attribute):
            self.claim(row, name, context)
            self._name(row, name)
        return written

    def claim(self, row: Resource, name: str, context: Context) -> None:
        """Raise where the site has another row of that name and may not."""

    def taken(self, document: Document) -> Uniqueness:
        """What refuses a value that the site's model has once: it may be any unique column."""
        unique = [
            str(target)
            for target, home in self.placed
            for path in home.paths
            if path.startswith(f"{self.relation}__") and getattr(field_at(path), "unique", False)
        ]
        if not unique:
            return super().taken(document)
        return Uniqueness(
            f"Another {self.name} has the same {' or '.join(unique)}. Use another value, or update "
            f"the {self.name} that has it."
        )

    def _name(self, row: Resource, name: str) -> None:
        """What the admin calls the resource; the site's column is what is answered."""
        row.name, row.name_key = name[:256], comparison_key(name)[:256]

    def save(self, row: Resource, written: Written, context: Context) -> None:
        super().save(row, written, context)
        own, start = self.own(row), f"{self.relation}__"
        if own._state.adding:
            refuse_incomplete(own)
            setattr(own, self._link.name, row)
            self.save_object(own, None)
        elif fields := [p.removeprefix(start) for p in written.paths if p.startswith(start)]:
            self.save_object(own, sorted(fields))

    def remove(self, row: Resource, context: Context) -> None:
        super_remove = super().remove
        self.delete_object(self.own(row))
        super_remove(row, context)

    def name_column(self) -> str:
        """The site's column that holds the name."""
        naming = self.schema.target(self.naming_attribute)
        home = self.home(naming)
        return home.field.removeprefix(f"{self.relation}__") if isinstance(home, Column) else ""
