"""A resource type: schema, extensions and where each attribute lives; how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import Model, Q, QuerySet

from scim_provider.models import Connection
from scim_provider.protocol.document import schemas_of
from scim_provider.protocol.errors import (
    InvalidPath,
    InvalidValue,
    MethodNotAllowed,
    NotFound,
    ScimError,
)
from scim_provider.protocol.filter import Filter, parse_filter, resolve_filter
from scim_provider.protocol.messages import ListQuery, Precondition
from scim_provider.protocol.path import AttributePath
from scim_provider.protocol.projection import Projection
from scim_provider.protocol.schema import ResourceSchema, Schema, Target

from .beside import fill
from .context import Context
from .cursors import CursorSigner
from .document import Document, Placed, moment_text, read_row
from .homes import Home, Store
from .keyset import Order
from .listing import Shape, ValueRows, names_urls
from .owned import Owned, Owner, is_ownable
from .paging import Page, QuerySetRows, page_of
from .query import Schemas, filter_rows
from .reader import Found, PageOfTexts, RowReader, reads_values, row_reader


@dataclass(frozen=True)
class Representation:
    """One resource as it is answered: projected, with where it is and which version.

    No document stands for an answer without a body (204).
    """

    document: Document | None
    location: str
    version: str


class ResourceType:
    """What one endpoint serves (RFC 7643 §6). Subclass it and set the class attributes.

    ``homes`` says where attributes live, by canonical path; what it does not mention lives in
    :attr:`default_home`.
    """

    name: ClassVar[str]
    endpoint: ClassVar[str]
    description: ClassVar[str] = ""
    schema: ClassVar[Schema]
    extensions: ClassVar[tuple[Schema, ...]] = ()
    required_extensions: ClassVar[frozenset[str]] = frozenset()
    #: What clients may do besides reading: "create", "replace", "patch", "delete".
    methods: ClassVar[frozenset[str]] = frozenset()
    model: ClassVar[type[Model]]
    homes: ClassVar[Mapping[str, Home]] = {}
    default_home: ClassVar[Home] = Store()
    #: Paths in ``homes`` whose column the person may edit, too, and who wins (docs/ownership.md).
    owners: ClassVar[Mapping[str, Owner]] = {}

    # -- description ---------------------------------------------------------------------------

    @cached_property
    def resource_schema(self) -> ResourceSchema:
        """Common attributes, core schema and extensions as one."""
        return ResourceSchema(self.schema, self.extensions, self.required_extensions)

    @cached_property
    def everything(self) -> Projection:
        """What is answered where the client asks for nothing in particular."""
        return Projection.parse((), (), self.resource_schema)

    @cached_property
    def _homes(self) -> dict[str, Home]:
        homes = self.usable_homes()
        owned = {
            path: Owned(homes[path], owner)
            for path, owner in self.owners.items()
            if owner != Owner.IDP and is_ownable(path, homes.get(path))
        }
        return {"schemas": Schemas(self.resource_schema, self), **homes, **owned}

    def usable_homes(self) -> Mapping[str, Home]:
        """:attr:`homes`, less what this site has no place for."""
        return self.homes

    def home(self, target: Target) -> Home:
        """Where the attribute lives."""
        homes = self._homes
        return homes.get(str(target)) or homes.get(target.name) or self.default_home

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """The attributes of ``homes`` with their homes, in the order of ``homes``."""
        found = []
        for path, home in self._homes.items():
            attribute_path = AttributePath.parse(path)
            target = attribute_path and attribute_path.resolve(self.resource_schema)
            if target:
                found.append((target, home))
        return tuple(found)

    @cached_property
    def _columns(self) -> tuple[Placed, ...]:
        return tuple((t, h) for t, h in self.placed if not isinstance(h, Store))

    @cached_property
    def rewriting(self) -> tuple[Placed, ...]:
        """The attributes whose values may be read in another spelling than they came in."""
        return tuple((t, h) for t, h in self.placed if h.rewrites(t))

    @cached_property
    def reads_values(self) -> bool:
        """Whether rows can be read without making instances of them."""
        return reads_values(self)

    # -- rows ----------------------------------------------------------------------------------

    def queryset(self, connection: Connection) -> QuerySet[Any]:
        """The rows of one connection: the only door to them."""
        return self.model._default_manager.filter(connection=connection)

    def joined(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what reading their columns needs."""
        return self.annotated(self.related(rows))

    def annotated(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what their homes read along."""
        annotations: dict[str, Any] = {}
        for _, home in self._columns:
            annotations |= home.annotations
        return rows.annotate(**annotations) if annotations else rows

    def related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with those of other tables that hold attributes."""
        joins = {join for _, home in self._columns for join in home.joins}
        return rows.select_related(*sorted(joins)) if joins else rows

    def row(self, context: Context, scim_id: str) -> Any:
        """One row. Raises :class:`NotFound`, also for another connection's."""
        found = self.joined(self.queryset(context.connection)).filter(scim_id=scim_id).first()
        if found is None:
            raise self.not_found(scim_id)
        return found

    def not_found(self, scim_id: str) -> NotFound:
        return NotFound(f"There is no {self.name} with the id {scim_id[:80]!r}.")

    # -- documents -----------------------------------------------------------------------------

    def document(self, row: Any, context: Context) -> Document:
        """The row as a whole document, without what :meth:`complete` adds."""
        document = {
            "schemas": [],
            "id": row.scim_id,
            **read_row(row, self.stored(row), self._columns),
        }
        document["schemas"] = schemas_of(document, self.resource_schema)
        document["meta"] = self.meta(row, context)
        return document

    def stored(self, row: Any) -> Document:
        """What the row keeps of attributes without a column."""
        return {}

    def meta(self, row: Any, context: Context) -> Document:
        """``meta`` (RFC 7643 §3.1)."""
        return {
            "resourceType": self.name,
            "created": moment_text(row.created),
            "lastModified": moment_text(row.last_modified),
            "location": context.location(self.endpoint, row.scim_id),
            "version": self.version(row),
        }

    def version(self, row: Any) -> str:
        """The ETag (RFC 7644 §3.14)."""
        return f'W/"{row.version}"'

    @cached_property
    def _beside(self) -> tuple[Placed, ...]:
        return tuple((t, h) for t, h in self.placed if h.beside)

    def fill(
        self,
        pairs: Sequence[tuple[Any, Document]],
        context: Context,
        projection: Projection | None = None,
    ) -> None:
        """Add the values of homes beside the rows to a page: a statement for each such home."""
        wanted = [(t, h) for t, h in self._beside if projection is None or projection.wants(t)]
        if wanted and pairs:
            fill(wanted, pairs, context)
            for _, document in pairs:
                document["schemas"] = schemas_of(document, self.resource_schema)

    def complete(
        self, pairs: Sequence[tuple[Any, Document]], context: Context, projection: Projection
    ) -> None:
        """Add what other tables hold to a page of ``(row, document)``: statements per page."""

    def along(self, projection: Projection) -> Mapping[str, Any]:
        """Expressions that are read along with a single row, for :meth:`complete_one`."""
        return {}

    def complete_one(
        self, found: Found, document: Document, context: Context, projection: Projection
    ) -> None:
        """:meth:`complete` for a single row that was read with :meth:`along`."""
        self.complete([(found, document)], context, projection)

    def along_page(self, projection: Projection) -> Mapping[str, Any]:
        """Expressions that are read along with each row of a page, for :meth:`complete_page`."""
        return {}

    def complete_page(
        self, pairs: Sequence[tuple[Found, Document]], context: Context, projection: Projection
    ) -> None:
        """:meth:`complete` for rows that were read with :meth:`along_page`."""
        self.complete(pairs, context, projection)

    def as_texts(self, reader: RowReader, projection: Projection) -> PageOfTexts | None:
        """What makes a page's rows JSON without documents; None where that cannot be done."""
        return None

    def documents(
        self, rows: Iterable[Any], context: Context, projection: Projection
    ) -> list[Document]:
        """The rows as they are answered."""
        pairs = [(row, self.document(row, context)) for row in rows]
        self.fill(pairs, context, projection)
        self.complete(pairs, context, projection)
        return [projection.apply(document) for _, document in pairs]

    def representation(self, row: Any, context: Context, projection: Projection) -> Representation:
        """One row as it is answered."""
        (document,) = self.documents([row], context, projection)
        return replace(self.without_body(row, context), document=document)

    def without_body(self, row: Any, context: Context) -> Representation:
        """Where one row is and which version, for a 204."""
        location = context.location(self.endpoint, row.scim_id)
        return Representation(None, location, self.version(row))

    # -- reading -------------------------------------------------------------------------------

    def retrieve(self, context: Context, scim_id: str, projection: Projection) -> Representation:
        """GET of one resource (RFC 7644 §3.4.1)."""
        if not self.reads_values:
            return self.representation(self.row(context, scim_id), context, projection)
        return self.read_one(context, scim_id, projection)

    def read_one(
        self, context: Context, scim_id: str, projection: Projection, using: str | None = None
    ) -> Representation:
        """One resource by the shortest way, of types that :attr:`reads_values`."""
        unwindowed = replace(projection, members=None) if projection.members else projection
        read = row_reader(self, unwindowed).one(context, scim_id, using)
        if read is None:
            raise self.not_found(scim_id)
        found, document = read
        self.fill([read], context, projection)
        self.complete_one(found, document, context, projection)
        location = context.location(self.endpoint, scim_id)
        return Representation(projection.apply(document), location, found.version)

    def query(self, context: Context, query: ListQuery) -> Page:
        """GET of a list, or .search (RFC 7644 §3.4.2). Raises what the parameters deserve."""
        if not self.reads_values:
            return self.query_using(None, context, query)
        projection = self._projection(query)
        values = ValueRows(self._shape(context, query, projection), context)
        page = page_of(values, query, CursorSigner(context.connection, self.endpoint, query))
        documents = values.documents(page.rows)
        return Page(page.total, page.start_index, documents, page.next_cursor)

    def query_using(self, using: str | None, context: Context, query: ListQuery) -> Page:
        """:meth:`query` by way of instances, from the database ``using`` where one is named."""
        rows = self.queryset(context.connection)
        found = self.joined(rows.using(using) if using else rows)
        condition, order = self.condition(query, context), self.order(query, context)
        signer = CursorSigner(context.connection, self.endpoint, query)
        page = page_of(QuerySetRows(found, condition, order), query, signer)
        documents = self.documents(page.rows, context, self._projection(query))
        return Page(page.total, page.start_index, documents, page.next_cursor)

    def _projection(self, query: ListQuery) -> Projection:
        return Projection.parse(query.attributes, query.excluded_attributes, self.resource_schema)

    def _shape(self, context: Context, query: ListQuery, projection: Projection) -> Shape:
        tree = self._filter(query) if query.filter else None
        target = self.sort_target(query.sort_by) if query.sort_by else None
        descending = query.sort_order == "descending"
        base_url = context.base_url if names_urls(tree, target) else ""
        return Shape(self, tree, target, descending, base_url, projection)

    # -- writing, where a type takes it --------------------------------------------------------

    def create(self, context: Context, body: Any, projection: Projection) -> Representation:
        """POST (RFC 7644 §3.3)."""
        raise self.read_only()

    def create_many(
        self, context: Context, bodies: Sequence[Any], *, scim_ids: Sequence[str] | None = None
    ) -> list[Representation | ScimError]:
        """What :meth:`create` makes of each body, in order, or raises.

        ``scim_ids`` are ids that were chosen before; a type that cannot take them chooses others.
        """
        made: list[Representation | ScimError] = []
        for body in bodies:
            try:
                made.append(self.create(context, body, Projection(self.resource_schema)))
            except ScimError as error:
                made.append(error)
        return made

    def replace(
        self,
        context: Context,
        scim_id: str,
        body: Any,
        projection: Projection,
        precondition: Precondition,
    ) -> Representation:
        """PUT (RFC 7644 §3.5.1)."""
        raise self.read_only()

    def patch(
        self,
        context: Context,
        scim_id: str,
        body: Any,
        projection: Projection,
        precondition: Precondition,
    ) -> Representation:
        """PATCH (RFC 7644 §3.5.2)."""
        raise self.read_only()

    def delete(self, context: Context, scim_id: str, precondition: Precondition) -> None:
        """DELETE (RFC 7644 §3.6)."""
        raise self.read_only()

    def read_only(self) -> MethodNotAllowed:
        return MethodNotAllowed(f"A {self.name} can be read and not changed through SCIM.")

    # -- queries -------------------------------------------------------------------------------

    def condition(self, query: ListQuery, context: Context, *, lenient: bool = False) -> Q:
        """The filter of the query as ``Q``."""
        if not query.filter:
            return Q()
        return filter_rows(self._filter(query, lenient=lenient), self, context)

    def _filter(self, query: ListQuery, *, lenient: bool = False) -> Filter[Target]:
        return resolve_filter(
            parse_filter(query.filter or ""), self.resource_schema, lenient_names=lenient
        )

    def order(self, query: ListQuery, context: Context) -> Order:
        """The order of the query: total, whatever it asks."""
        target = self.sort_target(query.sort_by) if query.sort_by else None
        expression = self.home(target).order(target, context) if target else None
        return Order(expression, descending=query.sort_order == "descending")

    def sort_target(self, text: str) -> Target:
        """What ``sortBy`` names. Raises :class:`InvalidPath` or :class:`InvalidValue`."""
        path = AttributePath.parse(text.strip())
        target = path.resolve(self.resource_schema) if path else None
        if target is None or target.leaf.returned == "never":
            raise InvalidPath(f"sortBy: {text[:80]!r} is not an attribute of {self.name}.")
        if not target.leaf.is_complex:
            return target
        value = target.attribute.value_attribute
        if value is None:
            raise InvalidValue(f"sortBy: name a sub-attribute of {target}, as in {target}.…")
        return target.of(value)
