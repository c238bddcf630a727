"""SQL that must mean the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, F, Lookup, Q, TextField, Value
from django.db.models.expressions import Combinable, Func
from django.db.models.functions import Coalesce, Length, Right, StrIndex
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
)
from django.db.models.sql.compiler import SQLCompiler

from scim_provider.fields import KeyField, KeyTextField, binary_collation
from scim_provider.protocol.schema import comparison_key

#: Matches every row, and none: safe under negation, which an empty Q is not.
NOTHING = Q(pk__in=())
EVERYTHING = ~NOTHING

# Above every character, so that a prefix is a range and a range uses the index.
_LAST_CHARACTER = "\U0010ffff"


def register_sqlite_functions(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receiver of ``connection_created``: SQLite's own LOWER knows only ASCII."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("scim_key", 1, _sqlite_key, deterministic=True)


def _sqlite_key(text: str | None) -> str | None:
    return None if text is None else comparison_key(str(text))


class NormalisedKey(Func):
    """The comparison key of a site's text column: NFC, lower case, compared byte for byte.

    MariaDB cannot compose characters; :func:`key_variants` makes up for that where texts are equal.
    """

    arity = 1
    output_field = CharField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template="scim_key(%(expressions)s)", **context)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        lowered = 'lower(normalize(%(expressions)s, NFC) COLLATE "und-x-icu")'
        template = f"""replace({lowered}, 'ς', 'σ') COLLATE "C\""""
        return self.as_sql(compiler, connection, template=template, **context)

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        collation = binary_collation(connection)
        text = f"CONVERT(%(expressions)s USING utf8mb4) COLLATE {collation}"
        lowered = f"LOWER(REPLACE({text}, 'İ', 'i\u0307'){_folding(connection)})"
        template = f"REPLACE({lowered} COLLATE {collation}, 'ς', 'σ')"
        return self.as_sql(compiler, connection, template=template, **context)


def _folding(connection: BaseDatabaseWrapper) -> str:
    """A collation of MariaDB that lowers what Unicode 14 does: the older ones know no ẞ."""
    version: tuple[int, ...] = getattr(connection, "mysql_version", ())
    if getattr(connection, "mysql_is_mariadb", False) and version >= _UCA1400:
        return " COLLATE utf8mb4_uca1400_as_cs"
    return ""


_UCA1400 = (10, 10, 1)


class _Few(Lookup):
    """A condition that few rows meet: SQLite, which keeps no histograms, is told to start there."""

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        sql, parameters = self.as_sql(compiler, connection)
        return f"likelihood({sql}, 0.01)", parameters


class After(_Few, GreaterThan):
    """Later than a moment that is not long ago."""


class NotBefore(_Few, GreaterThanOrEqual):
    """At or after a moment that is not long ago."""


class BinaryText(NormalisedKey):
    """A text expression compared byte for byte, its case and composition left alone."""

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s)", **context)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        return self.as_sql(
            compiler, connection, template='(%(expressions)s) COLLATE "C"', **context
        )

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        template = f"CONVERT(%(expressions)s USING utf8mb4) COLLATE {binary_collation(connection)}"
        return self.as_sql(compiler, connection, template=template, **context)


class UuidText(Func):
    """A UUID of a database as text, in lower case with hyphens."""

    arity = 1
    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        return _hyphenated(column, "||"), list(parameters) * 5

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s)::text", **context)

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        if connection.features.has_native_uuid_field:
            template = "CAST(%(expressions)s AS CHAR(36))"
            return self.as_sql(compiler, connection, template=template, **context)
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"CONCAT({_hyphenated(column, ',')})", list(parameters) * 5


def _hyphenated(column: str, glue: str) -> str:
    """The parts of a UUID that is stored as 32 digits."""
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    glued = f" {glue} '-' {glue} "
    return glued.join(f"substr({column}, {start}, {length})" for start, length in parts)


class MomentText(Func):
    """A dateTime of a database in UTC, for :func:`moments_as_answered`."""

    arity = 1
    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        # Stored as "2026-01-31 12:00:00.123456", without the end where that is nothing but noughts.
        column, _ = compiler.compile(self.source_expressions[0])
        second, fraction = f"substr({column}, 1, 19)", f"substr({column}, 21) || '000000'"
        return f"replace({second}, ' ', 'T') || '.' || substr({fraction}, 1, 6) || 'Z'", []

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        # Whatever DateStyle is set; to_char takes four times as long.
        template = "to_json(%(expressions)s AT TIME ZONE 'UTC')::text"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        # Each per cent sign is written for the template and for the driver.
        text = "%Y-%m-%dT%H:%i:%s.%fZ".replace("%", "%%%%")
        template = f"DATE_FORMAT(%(expressions)s, '{text}')"
        return self.as_sql(compiler, connection, template=template, **context)


def moments_as_answered(texts: Sequence[str]) -> list[str]:
    """dateTimes with microseconds (RFC 7643 §2.3.5), of what :class:`MomentText` reads."""
    if len(texts[0]) == _ANSWERED and texts[0][-1] == "Z":
        return list(texts)
    # PostgreSQL's are JSON strings, without noughts at the end.
    return [f"{t[1:-1]}Z" if len(t) == _IN_QUOTES else _with_noughts(t[1:-1]) for t in texts]


def _with_noughts(moment: str) -> str:
    second, _, fraction = moment.partition(".")
    return f"{second}.{fraction:0<6}Z"


_ANSWERED = len("2026-01-31T12:00:00.123456Z")
_IN_QUOTES = len('"2026-01-31T12:00:00.123456"')


def key_variants(key: str, operator: str) -> tuple[str, ...]:
    """The spellings under which a site's own column may hold the text of ``key``.

    What comes before or after it is told by one spelling alone.
    """
    if operator in ("gt", "ge", "lt", "le"):
        return (key,)
    decomposed = unicodedata.normalize("NFD", key)
    return (key,) if decomposed == key else (key, decomposed)


@KeyField.register_lookup
class InSet(Lookup):
    """``column__in_set=[…]``: a set of any size as one parameter where the engine can."""

    lookup_name = "in_set"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        column, parameters = self.process_lhs(compiler, connection)
        values = list(self.rhs)
        if connection.vendor == "sqlite":
            sql = f"{column} IN (SELECT value FROM json_each(%s))"
            return sql, [*parameters, json.dumps(values)]
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", [*parameters, values]
        places = ", ".join(["%s"] * len(values)) or "NULL"
        return f"{column} IN ({places})", [*parameters, *values]


Expression = Combinable | Any


class _Inside(Lookup):
    """A text has ``rhs`` in it. PostgreSQL compares by LIKE, which an index of trigrams serves."""

    prepare_rhs = False

    def pattern(self) -> str:
        """``rhs`` for LIKE, its own wildcards escaped."""
        return _WILDCARD.sub(r"\\\g<0>", self.rhs)

    def plainly(self) -> Lookup:
        """The comparison of functions that every engine has."""
        raise NotImplementedError

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        return compiler.compile(self.plainly())

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        text, parameters = self.process_lhs(compiler, connection)
        return f"{text} LIKE %s", (*parameters, self.pattern())


_WILDCARD = re.compile(r"[\\%_]")


class Contains(_Inside):
    """``co``."""

    def pattern(self) -> str:
        return f"%{super().pattern()}%"

    def plainly(self) -> Lookup:
        return GreaterThan(StrIndex(self.lhs, Value(self.rhs)), 0)


class EndsWith(_Inside):
    """``ew``, of a text that is not empty."""

    def pattern(self) -> str:
        return f"%{super().pattern()}"

    def plainly(self) -> Lookup:
        return Exact(Right(self.lhs, len(self.rhs)), Value(self.rhs))


def _ends_with(expression: Expression, key: str) -> Q:
    return Q(EndsWith(expression, key)) if key else EVERYTHING


def _starts_with(expression: Expression, key: str) -> Q:
    return Q(GreaterThanOrEqual(expression, Value(key))) & Q(
        LessThan(expression, Value(key + _LAST_CHARACTER))
    )


_COMPARISONS: dict[str, Callable[[Expression, str], Q]] = {
    "eq": lambda expression, key: Q(Exact(expression, Value(key))),
    "co": lambda expression, key: Q(Contains(expression, key)),
    "sw": _starts_with,
    "ew": _ends_with,
    "gt": lambda expression, key: Q(GreaterThan(expression, Value(key))),
    "ge": lambda expression, key: Q(GreaterThanOrEqual(expression, Value(key))),
    "lt": lambda expression, key: Q(LessThan(expression, Value(key))),
    "le": lambda expression, key: Q(LessThanOrEqual(expression, Value(key))),
}


def compare_text(expression: Expression, operator: str, key: str) -> Q:
    """``expression operator key`` for a text expression in a binary collation, NULL for none.

    ``operator`` is any of RFC 7644 Table 3 but ``ne`` and ``pr``, which are negations.
    """
    return _COMPARISONS[operator](expression, key)


class Unseen(Func):
    """A text that PostgreSQL's planner does not look at, so that it plans once for all texts.

    Shown one that few rows have, it would expect fewer rows each time than of any, take that for
    worth another plan, and plan longer than it searches.
    """

    arity = 1

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        return self.as_sql(
            compiler, connection, template="(SELECT %(expressions)s::varchar)", **context
        )

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s", **context)

    as_mysql = as_sqlite


def compare_index_key(operator: str, key: str, limit: int = 255, *, is_telling: bool = False) -> Q:
    """The same for the rows of :class:`AttributeValue`, whose ``key`` may be cut at ``limit``.

    ``is_telling``: hardly two rows have the same key.
    """
    whole = Coalesce(F("text"), F("key"), output_field=KeyTextField())
    if operator == "eq":
        long = len(key) > limit
        short: Any = Unseen(Value(key[:limit], KeyField())) if is_telling else key[:limit]
        return Q(key=short) & (Q(text=key) if long else Q(text__isnull=True))
    if operator == "sw" and len(key) <= limit:
        return _starts_with(F("key"), key)
    if operator in ("co", "ew", "sw"):
        return compare_text(whole, operator, key)
    near = Q(key__gte=key[:limit]) if operator in ("gt", "ge") else Q(key__lte=key[:limit])
    return near & compare_text(whole, operator, key)


def has_text(expression: Expression) -> Q:
    """The text expression is neither NULL nor empty (RFC 7643 §2.5)."""
    return Q(GreaterThan(Coalesce(Length(expression), 0), 0))
