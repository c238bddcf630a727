"""Lists by the shortest way: values instead of instances, statements compiled once per shape.

The *shape* of a filter is the filter with placeholders for the texts that it looks up. Identity
providers ask in a handful of shapes, a million times each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from scim_provider.combined import PreparedPage, PreparedRange, RowsAndTotal
from scim_provider.models import IN_ORDER, Connection
from scim_provider.prepared import NotPreparable, Number, Prepared, Row, Text
from scim_provider.protocol.filter import And, Comparison, Filter, Not, Or, Present, ValuePath
from scim_provider.protocol.projection import Projection
from scim_provider.protocol.schema import Target
from scim_provider.totals import Total

from .context import Context
from .keyset import Order, Position
from .paging import MOST_COUNTED, Stretch
from .paths import Document
from .query import filter_rows
from .reader import KEY, row_reader

if TYPE_CHECKING:
    from .resource_type import ResourceType

#: A look-up longer than this is compared in another way.
_LONGEST = 255
#: Filters with more look-ups are nobody's habit, and take memory.
_MOST_TEXTS = 8
#: Attributes whose values begin with the base URL.
_URLS = frozenset({"location", "$ref"})
#: So many rows are completed one by one, each with what was read along with it.
_FEW = 2


class Shape(NamedTuple):
    """What a list is compiled from; two requests of one shape differ in values alone."""

    resource_type: ResourceType
    filter: Filter[Target] | None
    sort_by: Target | None
    descending: bool
    #: "" where none of the conditions is about URLs: organizations may each have their own.
    base_url: str
    projection: Projection


def names_urls(tree: Filter[Target] | None, sort_by: Target | None) -> bool:
    """Whether a filter or an order compares what begins with the base URL."""
    match tree:
        case And(terms) | Or(terms):
            found = any(names_urls(term, None) for term in terms)
        case Not(term) | ValuePath(_, term):
            found = names_urls(term, None)
        case Comparison(path) | Present(path):
            found = path.leaf.name in _URLS
        case _:
            found = False
    return found or (sort_by is not None and sort_by.leaf.name in _URLS)


class ValueRows:
    """The rows that a list query finds, as :mod:`.paging` asks for them: values of columns."""

    def __init__(self, shape: Shape, context: Context) -> None:
        self.context = context
        self._literal = shape
        #: What the page tells besides its rows, and whether each was read with all of its own.
        self._total: int | None = None
        self._reads_singly = False
        opening = _Opening()
        opened = shape.filter and opening.open(shape.filter)
        self._texts = tuple(opening.texts)
        if opening.is_complete and len(self._texts) <= _MOST_TEXTS:
            self._statements = _statements(shape._replace(filter=opened), len(self._texts))
        else:
            self._close()
        if not self._statements.usable:
            self._close()

    def _close(self) -> None:
        """Do without placeholders for texts."""
        self._statements = _Statements(self._literal, 0)
        self._texts = ()

    def window(self, first: int, count: int | None) -> list[Any]:
        if count == 0:
            return []
        rows: list[Row]
        rows, self._total = self._run(lambda s, values: s.window(values, first, count))
        self._reads_singly = self._statements.reads_singly(first)
        return rows

    def behind(self, position: Position | None, count: int) -> Stretch:
        rows, self._total = self._run(lambda s, values: s.behind(values, position, count + 1))
        last = self._statements.position(rows[count - 1]) if len(rows) > count else None
        shown = rows[:count]
        return Stretch(shown, len(shown), last)

    def count(self, most: int | None = None) -> int:
        if self._total is not None:
            return self._total
        return int(self._run(lambda s, values: Total(s.counted, most).alone(*values)))

    def documents(self, rows: Sequence[Row]) -> Sequence[Document]:
        """The rows as they are answered."""
        resource_type, _, _, _, _, projection = self._literal
        reader, context = self._statements.reader, self.context
        if rows and reader.texts and not self._reads_singly:
            encoded = reader.texts.documents(rows, context)
            if encoded is not None:
                return encoded
        pairs = list(reader.read(rows, context))
        resource_type.fill(pairs, context, projection)
        if not self._reads_singly:
            resource_type.complete_page(pairs, context, projection)
        elif len(pairs) <= _FEW:
            for found, document in pairs:
                resource_type.complete_one(found, document, context, projection)
        else:
            resource_type.complete(pairs, context, projection)
        return projection.apply_to_all([document for _, document in pairs])

    def _run(self, select: Any) -> Any:
        try:
            return select(self._statements, (self.context.connection.pk, *self._texts))
        except NotPreparable:
            self._statements.usable = False
            self._close()
            return select(self._statements, (self.context.connection.pk,))


class _Statements:
    """The statements of one shape; each is compiled when it is first asked for."""

    def __init__(self, shape: Shape, texts: int) -> None:
        self.shape, self.usable = shape, True
        self._connection = Number()
        self._given: tuple[Number | Text, ...] = (
            self._connection,
            *map(_placeholder, range(texts)),
        )
        self.reader = row_reader(shape.resource_type, shape.projection)

    @cached_property
    def _context(self) -> Context:
        return Context(Connection(pk=self._connection), self.shape.base_url)

    @cached_property
    def _found(self) -> QuerySet[Any]:
        resource_type = self.shape.resource_type
        rows = resource_type.queryset(self._context.connection)
        if self.shape.filter is None:
            return rows
        return rows.filter(filter_rows(self.shape.filter, resource_type, self._context))

    @cached_property
    def _order(self) -> Order:
        target = self.shape.sort_by
        home = self.shape.resource_type.home(target) if target else None
        expression = home.order(target, self._context) if home and target else None
        return Order(expression, self.shape.descending)

    def window(self, values: Sequence[Any], first: int, count: int | None) -> RowsAndTotal:
        """``count`` rows from the one at ``first``."""
        if count is None:
            return self._whole.rows(*values)[first:], None
        if self.shape.filter is None or first:
            total = Total(self.counted)
            return self._keys_first.rows(*values, limit=count, offset=first, total=total)
        return self._whole.rows(*values, limit=count), None

    def reads_singly(self, first: int) -> bool:
        """Whether rows are read with all that belongs to them: a look-up finds one or two."""
        return len(self._given) > 1 and not first

    @cached_property
    def _whole(self) -> Prepared:
        reader = self.reader
        along = reader.along if self.reads_singly(0) else reader.along_page
        rows = self._order.sorted(self._found)
        return Prepared(lambda: reader.values(rows, along=along), *self._given)

    @cached_property
    def _keys_first(self) -> PreparedPage:
        return self._page(self._order.keyed)

    def position(self, row: Row) -> Position:
        """Where a row of :meth:`behind` stands in the order."""
        return Position(row[KEY]) if self._order.expression is None else Position(row[KEY], row[-1])

    def behind(self, values: Sequence[Any], position: Position | None, count: int) -> RowsAndTotal:
        """``count`` rows behind ``position``, each with its sort key."""
        if position is None:
            total = Total(self.counted, MOST_COUNTED + 1)
            return self._first.rows(*values, limit=count, total=total)
        if self._order.expression is None:
            return self._next.rows(*values, position.pk, limit=count)
        if isinstance(position.key, str):
            with suppress(NotPreparable, ValidationError):  # a moment is no text
                return self._next.rows(*values, position.pk, position.key, limit=count)
        return self._behind(position, ()).rows(*values, limit=count)

    @cached_property
    def _first(self) -> PreparedPage:
        return self._behind(None, ())

    @cached_property
    def _next(self) -> PreparedPage:
        if self._order.expression is None:
            return self._behind(Position(_PK), (_PK,))
        return self._behind(Position(_PK, _KEY), (_PK, _KEY))

    def _behind(self, position: Position | None, given: tuple[Any, ...]) -> PreparedPage:
        return self._page(lambda rows: self._order.after(rows, position), given)

    def _page(
        self, cut: Callable[[QuerySet[Any]], QuerySet[Any]], given: tuple[Any, ...] = ()
    ) -> PreparedPage:
        """Only the keys are looked for in order: an index holds all that this takes, so that the
        planners of PostgreSQL and MariaDB choose it, and what is passed over is no row.
        """
        reader, order, given = self.reader, self._order, (*self._given, *given)
        model = self.shape.resource_type.model
        rows = model._default_manager.order_by()
        keys = Prepared(lambda: cut(self._found).values_list(*order.columns), *given)
        parts = Prepared(lambda: reader.values(rows, along=reader.along_page))
        if order.expression is not None or self.shape.filter is not None:
            sorts = order.expression is not None
            return PreparedPage(keys, parts, model, sorts=sorts, descending=order.descending)
        return PreparedRange(
            keys,
            parts,
            model,
            straight=Prepared(
                lambda: reader.values(cut(self._found).order_by(), along=reader.along_page), *given
            ),
            passed=self.counted,
            index=IN_ORDER,
            descending=order.descending,
        )

    @cached_property
    def counted(self) -> Prepared:
        """The keys of all rows, to be counted."""
        return Prepared(lambda: self._found.order_by().values_list("pk"), *self._given)


_PK, _KEY = Number(), Text("key")


@lru_cache(maxsize=256)
def _statements(shape: Shape, texts: int) -> _Statements:
    return _Statements(shape, texts)


@cache
def _placeholder(number: int) -> Text:
    return Text(str(number))


class _Opening:
    """Puts placeholders in place of the texts that a filter looks up."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        #: Whether nothing is left in the filter that makes it one of countless others.
        self.is_complete = True

    def open(self, tree: Filter[Target]) -> Filter[Target]:
        match tree:
            case And(terms):
                return And(tuple(map(self.open, terms)))
            case Or(terms):
                return Or(tuple(map(self.open, terms)))
            case Not(term):
                return Not(self.open(term))
            case ValuePath(path, inner):
                return ValuePath(path, self.open(inner))
            case Comparison(path, operator, value):
                if operator == "eq" and isinstance(value, str) and _is_plain(path, value):
                    self.texts.append(value)
                    return Comparison(path, operator, _placeholder(len(self.texts) - 1))
                self.is_complete &= path.leaf.type == "boolean"
        return tree


def _is_plain(path: Target, text: str) -> bool:
    """Whether every such text is compared in the same way."""
    is_text = path.leaf.type in ("string", "reference")
    return is_text and text.isascii() and 0 < len(text) <= _LONGEST
