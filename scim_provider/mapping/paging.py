"""One page of a list: by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from django.db import OperationalError
from django.db.models import Q, QuerySet

from scim_provider.conf import scim_settings
from scim_provider.protocol.errors import InvalidCount, InvalidFilter
from scim_provider.protocol.messages import ListQuery

from .cursors import Cursor, CursorSigner
from .keyset import Order, Position
from .paths import Document

#: The first page by cursor counts no further: what it costs must not grow with the table.
MOST_COUNTED = 2_000


@dataclass(frozen=True)
class Page:
    """One page of a list; ``total`` counts all matches (RFC 7644 §3.4.2.4).

    A page by cursor has no ``start_index``, and no ``total`` while that is not known; its
    ``next_cursor`` is None where it is the last (RFC 9865 §2).
    """

    total: int | None
    start_index: int | None
    #: May be JSON already (:class:`EncodedDocuments`).
    documents: Sequence[Document]
    next_cursor: str | None = None


@dataclass(frozen=True)
class PageOfRows:
    """The rows of one page. ``total`` and ``start_index`` are None where they are not answered;
    ``next_cursor`` is None on a last page and on every page by index.
    """

    rows: list[Any]
    total: int | None
    start_index: int | None = None
    next_cursor: str | None = None


class Stretch(NamedTuple):
    """The rows behind a position. ``found`` counts those among them, too, that are gone by now;
    ``last`` is where the last of them stands, None where no other row follows.
    """

    rows: list[Any]
    found: int
    last: Position | None


class Rows(Protocol):
    """What a query finds, in its order."""

    def window(self, first: int, count: int | None) -> list[Any]:
        """``count`` rows from the one at ``first``, counted from 0."""

    def behind(self, position: Position | None, count: int) -> Stretch:
        """``count`` rows behind ``position``."""

    def count(self, most: int | None = None) -> int:
        """How many there are; no more than ``most`` are counted."""


class QuerySetRows:
    """The ``rows`` that meet the condition, as instances."""

    def __init__(self, rows: QuerySet[Any], condition: Q, order: Order) -> None:
        self.rows, self.found, self.order = rows, rows.filter(condition), order

    def window(self, first: int, count: int | None) -> list[Any]:
        last = None if count is None else first + count
        page = self.order.sorted(self.found)
        if first and count:
            return self._fetched(list(page.values_list("pk", flat=True)[first:last]))
        return list(page[first:last])

    def behind(self, position: Position | None, count: int) -> Stretch:
        rows = self.order.after(self.found, position).values_list(*self.order.columns)
        keys = list(rows[: count + 1])
        shown = [pk for pk, *_ in keys[:count]]
        last = Position(*keys[count - 1]) if len(keys) > count else None
        return Stretch(self._fetched(shown), len(shown), last)

    def count(self, most: int | None = None) -> int:
        found = self.found.order_by().values("pk")
        return found.count() if most is None else found[:most].count()

    def _fetched(self, pks: Sequence[Any]) -> list[Any]:
        """The rows of those keys, in that order; a row that is gone by now is left out.

        Only the keys are looked for in order: an index holds all that this takes, so that the
        planners of PostgreSQL and MariaDB choose it, and what is passed over is no row.
        """
        if not pks:
            return []
        by_pk = {row.pk: row for row in self.rows.filter(pk__in=pks)}
        return [by_pk[pk] for pk in pks if pk in by_pk]


def page_of(rows: Rows, query: ListQuery, signer: CursorSigner) -> PageOfRows:
    """The page that the query asks for of the ``rows``.

    Raises :class:`InvalidCursor`, :class:`ExpiredCursor`, :class:`InvalidCount`, and
    :class:`InvalidFilter` where SQLite cannot parse the nesting.
    """
    with _parseable():
        if query.cursor is None:
            return _by_index(rows, query)
        came = signer.cursor(query.cursor) if query.cursor else None
        return _by_cursor(rows, query, came, signer)


def _by_index(rows: Rows, query: ListQuery) -> PageOfRows:
    first = query.start_index - 1
    shown = rows.window(first, query.count)
    is_end = query.count is None or len(shown) < query.count
    # A page that is not full ends the list, unless it begins behind the end.
    total = first + len(shown) if is_end and (shown or not first) else rows.count()
    return PageOfRows(shown, total, query.start_index)


def _by_cursor(
    rows: Rows, query: ListQuery, came: Cursor | None, signer: CursorSigner
) -> PageOfRows:
    count = _count(query, came)
    if count == 0:
        return PageOfRows([], rows.count())
    shown, found, last = rows.behind(came.position if came else None, count)
    seen = found + (came.seen if came else 0)
    if last is None:
        return PageOfRows(shown, seen)
    total = came.total if came else _bounded_count(rows)
    cursor = Cursor(last, count, seen, total)
    return PageOfRows(shown, total, next_cursor=signer.token(cursor))


def _count(query: ListQuery, came: Cursor | None) -> int:
    """The count of the first page, which holds for all of them (RFC 9865 §2.1)."""
    if came is None:
        return scim_settings.default_count if query.count is None else query.count
    if query.count not in (None, came.count):
        raise InvalidCount(
            f"The first page was asked for with count={came.count}. Keep to it, or start again "
            "with an empty cursor."
        )
    return came.count


def _bounded_count(rows: Rows) -> int | None:
    """How many rows match, None where they are too many to count."""
    counted = rows.count(MOST_COUNTED + 1)
    return None if counted > MOST_COUNTED else counted


@contextmanager
def _parseable() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if "parser stack overflow" not in str(error):
            raise
        raise InvalidFilter("The filter is nested too deeply here. Simplify it.") from error
