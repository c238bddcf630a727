"""Conditions that an index answers, and how several of them are put together.

Such a condition has two shapes. Alone it *finds* rows: ``pk IN (SELECT resource_id …)`` starts from
the index on every engine. Beside another one that finds rows already, or negated, it *checks* the
row at hand: ``EXISTS (… WHERE resource_id = id)`` looks at that row's values and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, F, Lookup, OuterRef, Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler


class Finds(IntEnum):
    """How many rows a condition can be expected to find: the fewer, the better a start."""

    ONE = 0
    SOME = 1
    MANY = 2


#: PostgreSQL makes joins of terms that are sub-queries, and searches for the best order of them:
#: for minutes where there are dozens. A double negation keeps terms out of the joins.
_JOINED_TERMS = 4


class Start(Q):
    """Rows that an index finds; ``at_hand`` is the same, asked of a row at hand.

    A plain ``Q`` to everybody who combines it with ``&``, ``|`` and ``~``.
    """

    def __init__(self, find: Q, at_hand: Q, finds: Finds) -> None:
        super().__init__(find)
        self.find, self.at_hand, self.finds = find, at_hand, finds

    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> Any:
        """Copies and combinations know nothing of ``at_hand``."""
        return Q.create(*args, **kwargs)

    def __invert__(self) -> Q:
        return Q(self.at_hand, _negated=True)


class Check(Exists):
    """EXISTS that MariaDB asks of the row at hand: it makes a join of each plain one that has to
    hold, double negation or not, and searches for the best order of twenty for half a minute.
    """

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template="EXISTS(%(subquery)s) IS TRUE", **context)


class AtHand(Check):
    """EXISTS that is asked of each row found and never joined: the few rows are known already.

    PostgreSQL would guess that nobody has both conditions of an element, and read all of the one
    that everybody meets.
    """

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        template = "EXISTS(%(subquery)s OFFSET 0)"
        return self.as_sql(compiler, connection, template=template, **context)


def named_by(rows: QuerySet[Any], relation: str, finds: Finds) -> Start:
    """The resources that ``rows`` of another table refer to by their foreign key ``relation``."""
    own = rows.filter(**{f"{relation}_id": OuterRef("pk")})
    return Start(Q(pk__in=rows.values(f"{relation}_id")), Q(Check(own)), finds)


def by_column(condition: Q, finds: Finds) -> Start:
    """A condition on a column of the resource that an index leads to."""
    return Start(condition, condition, finds)


def check_of(term: Q) -> Q:
    """The term as it is asked of a row at hand."""
    return term.at_hand if isinstance(term, Start) else term


def all_of(terms: Sequence[Q]) -> Q:
    """All of ``terms``: one of them finds rows, the others check them."""
    starts = [term for term in terms if isinstance(term, Start)]
    if not starts:
        return _flat(terms)
    first = min(starts, key=lambda start: start.finds)
    others = _flat([check_of(term) for term in terms if term is not first])
    return Start(Q(first, others), _flat([check_of(term) for term in terms]), first.finds)


def any_of(terms: Sequence[Q], rows: QuerySet[Any] | None = None) -> Q:
    """Any of ``terms``. Where each finds rows by itself, what they find is put together.

    ``rows`` are those of which the terms speak: none where an index leads nowhere.
    """
    checks = Q(*map(check_of, terms), _connector=Q.OR)
    starts = [term for term in terms if isinstance(term, Start)]
    if rows is None or len(starts) < len(terms):
        return checks
    finds = max(start.finds for start in starts)
    if all(start.find is start.at_hand for start in starts):  # the engine can do it by itself
        return Start(checks, checks, finds)
    selects = [Selected(rows.filter(start).order_by()) for start in starts]
    return Start(united(selects, finds), checks, finds)


@dataclass(frozen=True)
class Selected:
    """The primary keys that ``rows`` select, or what ``wrap(sql, vendor)`` makes of the SELECT."""

    rows: QuerySet[Any]
    wrap: Callable[[str, str], str] = lambda sql, vendor: sql

    def as_sql(self, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """Raises ``EmptyResultSet`` where nothing can be found."""
        compiler = self.rows.values("pk").query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        return self.wrap(sql, connection.vendor), tuple(parameters)


def united(selects: Sequence[Selected], finds: Finds) -> Start:
    """The rows whose key is in any of ``selects``."""
    return Start(Q(_InUnion(selects, first=True)), Q(_InUnion(selects)), finds)


class _InUnion(Lookup):
    """``id IN (SELECT … UNION SELECT …)``: of sub-queries put together by OR none is a start.

    On MariaDB the union is a table of its own: else it is run again for every row. ``first`` tells
    that nothing else finds rows. PostgreSQL then takes the keys as an array, which it never joins
    by reading the whole table, however wrong it guesses the size of a recursion.
    """

    prepare_rhs = False

    def __init__(self, selects: Sequence[Selected], *, first: bool = False) -> None:
        super().__init__(F("pk"), tuple(selects))
        self.first = first

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        column, parameters = self.process_lhs(compiler, connection)
        union, values = self._union(connection)
        if connection.vendor == "postgresql" and self.first:
            sql = f"{column} = ANY(ARRAY({union}))"
        elif connection.vendor == "mysql":
            sql = f"{column} IN (SELECT * FROM ({union}) scim_found)"
        else:
            sql = f"{column} IN ({union})"
        return sql, (*parameters, *values)

    def _union(self, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        parts: list[str] = []
        values: tuple[Any, ...] = ()
        for select in self.rhs:
            try:
                sql, own = select.as_sql(connection)
            except EmptyResultSet:
                continue
            parts.append(sql)
            values += own
        if not parts:
            raise EmptyResultSet
        return " UNION ".join(parts), values


def _flat(terms: Sequence[Q]) -> Q:
    """All of ``terms`` in one flat node, however many there are."""
    return Q(*terms) if len(terms) <= _JOINED_TERMS else ~Q(~Q(*terms))
