"""Rows → documents by the shortest way: from the values of columns, without model instances."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from django.conf import settings
from django.db import connections, router
from django.db.models import ExpressionWrapper, F, QuerySet, TextField

from scim_provider.layouts import read_text
from scim_provider.models import Connection, Resource
from scim_provider.prepared import Number, Prepared, Row, Text
from scim_provider.protocol.encoded import EncodedDocuments
from scim_provider.protocol.projection import Projection
from scim_provider.protocol.schema import Target

from .columns import Column, Composed
from .context import Context
from .document import moment_text
from .functions import MomentText, moments_as_answered
from .homes import Store
from .paths import Document, set_value
from .shared_homes import Shared, is_apart

_loads: Callable[[str], Any] = json.loads
with suppress(ImportError):
    import orjson

    _loads = orjson.loads

if TYPE_CHECKING:
    from .resource_type import ResourceType

#: The columns that every resource has; as texts, where drivers would make objects of them.
_OWN: dict[str, Any] = {
    "scim_key": F("pk"),
    "scim_number": F("version"),
    "scim_created": F("created"),
    "scim_modified": F("last_modified"),
    "scim_document": ExpressionWrapper(F("document"), output_field=TextField()),
}
_AS_TEXTS = {
    "scim_created": MomentText("created"),
    "scim_modified": MomentText("last_modified"),
}
#: Where the key and the document of a row are among its values.
KEY, DOCUMENT = 1, 5
#: What a site may override to change which rows are read, and how.
_HOOKS = (
    "queryset", "joined", "row", "document", "stored", "meta", "version", "complete", "documents",
    "representation", "retrieve", "query", "condition", "order", "sort_target", "home",
)  # fmt: skip
_HOME_HOOKS = ("compare", "differs", "present", "matching", "order", "converter", "read")
_PACKAGE = __name__.partition(".")[0]


class PageOfTexts(Protocol):
    """Makes the answer of a page."""

    def documents(self, rows: Sequence[Row], context: Context) -> EncodedDocuments | None:
        """Rows of :meth:`RowReader.values`, read with what is along a page, as answered; None
        where they must be read.
        """


class Found(NamedTuple):
    """What identifies a row that was read without an instance."""

    pk: int
    scim_id: str
    version: str
    along: tuple[Any, ...] = ()
    owns_profile: bool = True


def reads_values(resource_type: ResourceType) -> bool:
    """Whether values of columns tell all: no site has a hand in which rows are read, and how.

    What a site's own code makes of a connection holds for that one; statements serve all.
    """
    if resource_type.model is not Resource:
        return False
    hooks = [getattr(type(resource_type), name) for name in _HOOKS]
    for home in (resource_type.default_home, *(home for _, home in resource_type.placed)):
        kinds = [kind for kind in type(home).__mro__ if kind is not object]
        hooks += [vars(kind)[name] for kind in kinds for name in _HOME_HOOKS if name in vars(kind)]
        hooks += [home.make] if isinstance(home, Composed) else []
    return all(map(is_ours, hooks))


def is_ours(function: Any) -> bool:
    """Whether no site has put a method of its own in place of this one."""
    return str(function.__module__).partition(".")[0] == _PACKAGE


class _Nested(NamedTuple):
    """The column ``number`` is within one of the document's objects, or within two."""

    number: int
    target: Target
    outer: str
    inner: tuple[str, ...]
    name: str


class _Places(NamedTuple):
    """Where the values of columns belong, by their numbers."""

    #: At the top of the document.
    top: tuple[tuple[int, str], ...]
    nested: tuple[_Nested, ...]
    #: What is in no column and not stored, or no longer, by the outermost key that leads there.
    elsewhere: Mapping[str, Sequence[Target]]


def _sorted_places(places: Sequence[tuple[int, Target]], elsewhere: Sequence[Target]) -> _Places:
    outermost: dict[str, list[Target]] = {}
    for target in elsewhere:
        key, *_ = path_of(target)
        outermost.setdefault(key, []).append(target)
    return _Places(
        tuple((n, t.leaf.name) for n, t in places if not _containers(t)),
        tuple(_nested(n, t) for n, t in places if _containers(t)),
        outermost,
    )


def _nested(number: int, target: Target) -> _Nested:
    outer, *inner = _containers(target)
    return _Nested(number, target, outer, tuple(inner), target.leaf.name)


class RowReader:
    """How the rows of a resource type are read for one projection."""

    def __init__(
        self, resource_type: ResourceType, projection: Projection, *, in_utc: bool
    ) -> None:
        self.resource_type, self._in_utc = resource_type, in_utc
        placed = [
            (target, home.field, home.converter(target))
            for target, home in resource_type.placed
            if isinstance(home, Column) and target.name not in ("id", "meta")
            if projection.wants(target)
        ]
        fields = [field for _, field, _ in placed]
        #: What :meth:`values` fetches; what is fetched along with it comes behind.
        self.columns = ("scim_id", *_OWN, *fields)
        first = len(self.columns) - len(fields)
        shared = {target for target, home in resource_type.placed if isinstance(home, Shared)}
        apart = {target for target, home in resource_type.placed if is_apart(home)}
        #: Where a row says whether it owns the account's profile; 0 where nobody else has any.
        self._owns = len(self.columns) if shared else 0
        self.columns += ("owns_profile",) if shared else ()
        self._converters = tuple(
            (first + place, convert) for place, (*_, convert) in enumerate(placed) if convert
        )
        places = [(number, target) for number, (target, *_) in enumerate(placed, start=first)]
        #: What may be stored from a time when it had no home of its own.
        elsewhere = [
            target
            for target, home in resource_type.placed
            if not isinstance(home, Column | Store) and target.name not in ("schemas", "meta")
        ]
        self.places = _sorted_places(places, elsewhere)
        #: The same of a row that does not own the profile: what is kept apart is stored.
        self._apart = _sorted_places(
            [(number, target) for number, target in places if target not in apart],
            [target for target in elsewhere if target not in apart],
        )
        self.core = resource_type.schema.id
        self.extensions = tuple(e.id for e in resource_type.extensions)
        attributes = [target.attribute for target in resource_type.resource_schema]
        kinds = {leaf.type for each in attributes for leaf in (each, *each.sub_attributes)}
        #: The fast one makes floats of integers beyond 64 bits.
        self.loads = _loads if kinds.isdisjoint(("integer", "decimal")) else json.loads
        self._annotations = {
            name: expression
            for target, home in resource_type.placed
            if projection.wants(target)
            for name, expression in home.annotations.items()
        }
        self.along = resource_type.along(projection)
        self.along_page = resource_type.along_page(projection)
        self._one = self._prepare_one()
        #: What makes texts of a page of rows; None where documents are made.
        self.texts = resource_type.as_texts(self, projection)

    def values(
        self, rows: QuerySet[Any], along: Mapping[str, Any] | None = None
    ) -> QuerySet[Any, Any]:
        """The values that :meth:`read` takes, of each row, and what is read ``along``."""
        along = along or {}
        own = _OWN | _AS_TEXTS if self._in_utc else _OWN
        annotated: QuerySet[Any] = rows.annotate(**own, **along, **self._annotations)
        return annotated.values_list(*self.columns, *along)

    def _prepare_one(self) -> Prepared:
        connection, scim_id = Number(), Text("id")
        rows = self.resource_type.queryset(Connection(pk=connection)).filter(scim_id=scim_id)
        one = rows.order_by()
        return Prepared(lambda: self.values(one, along=self.along), connection, scim_id)

    def one(
        self, context: Context, scim_id: str, using: str | None = None
    ) -> tuple[Found, Document] | None:
        """The resource with that id, with what :meth:`ResourceType.along` adds."""
        rows = self._one.rows(context.connection.pk, scim_id, using=using)
        return next(self.read(rows, context), None)

    def read(self, rows: Iterable[Row], context: Context) -> Iterator[tuple[Found, Document]]:
        """Rows of :meth:`values`, each with its document."""
        base = context.location(self.resource_type.endpoint, "")
        start = len(self.columns)
        end = start + len(self.along)
        for values in self.converted(rows):
            scim_id = values[0]
            schemas = [self.core]
            document: Document = {"schemas": schemas, "id": scim_id}
            document |= read_text(self.loads(values[DOCUMENT]))
            owned = self.is_owned(values)
            self._place(document, values, self.places if owned else self._apart)
            document["id"] = scim_id
            for uri in self.extensions:
                if document.get(uri):
                    schemas.append(uri)
            meta = document["meta"] = self.meta(values, base)
            version = meta["version"]
            yield Found(values[KEY], scim_id, version, tuple(values[start:end]), owned), document

    def is_owned(self, values: Row) -> bool:
        """Whether the row owns the account's profile."""
        return not self._owns or bool(values[self._owns])

    def meta(self, values: Row, base: str) -> Document:
        """``meta`` of a row (RFC 7643 §3.1); ``base`` is what comes before its id in URIs."""
        scim_id, _, number, *moments = values[:DOCUMENT]
        created, modified = self.moments(moments)
        return {
            "resourceType": self.resource_type.name,
            "created": created,
            "lastModified": modified,
            "location": base + scim_id,
            "version": f'W/"{number}"',
        }

    def moments(self, values: Sequence[Any]) -> list[str]:
        """Moments as they are answered, of how they are read."""
        return moments_as_answered(values) if self._in_utc else list(map(moment_text, values))

    def _place(self, document: Document, values: Row, places: _Places) -> None:
        """Put the values of columns where they belong; ``document`` is nobody else's."""
        for number, name in places.top:
            value = values[number]
            if value is not None and value != "" and document.get(name, name) is not None:
                document[name] = value
            elif name in document:  # unassigned, whatever the column says
                del document[name]
        for number, target, outer, inner, name in places.nested:
            value = values[number]
            if value is not None and value != "":
                container = document.get(outer)
                if container is None:
                    container = document[outer] = {}
                for within in inner:
                    container = container.setdefault(within, {})
                container[name] = value
            elif outer in document:
                set_value(document, target, None)
        if not places.elsewhere.keys().isdisjoint(document):
            for outermost, targets in places.elsewhere.items():
                for target in targets if outermost in document else ():
                    set_value(document, target, None)

    def converted(self, rows: Iterable[Row]) -> Iterable[Row]:
        """The rows with the values of columns as those of attributes."""
        return self._converted(rows) if self._converters else rows

    def _converted(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            values = list(row)
            for place, convert in self._converters:
                if values[place] is not None:
                    values[place] = convert(values[place])
            yield values


def path_of(target: Target) -> tuple[str, ...]:
    """The names that lead to a leaf in a document, outermost first."""
    return (*_containers(target), target.leaf.name)


def _containers(target: Target) -> tuple[str, ...]:
    """The keys of the objects around a leaf, outermost first."""
    extension = (target.extension,) if target.extension else ()
    return (*extension, target.attribute.name) if target.sub_attribute else extension


def row_reader(resource_type: ResourceType, projection: Projection) -> RowReader:
    """The reader for a projection; clients ask for the same few."""
    zone = connections[router.db_for_read(Resource)].timezone_name
    return _row_reader(resource_type, projection, settings.USE_TZ and zone == "UTC")


@lru_cache(maxsize=256)
def _row_reader(resource_type: ResourceType, projection: Projection, in_utc: bool) -> RowReader:
    return RowReader(resource_type, projection, in_utc=in_utc)
