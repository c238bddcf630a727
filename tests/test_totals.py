"""Which counts are the same as long as no transaction ends. See tests/api/test_totals.py."""

from __future__ import annotations

import pytest

from scim_provider import totals


@pytest.mark.parametrize(
    ("version", "is_postgresql"),
    [
        ("PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc", True),
        ("PostgreSQL 16.2 on x86_64-pc-linux-musl, compiled by gcc", True),
        ("PostgreSQL 16.2, compiled by Visual C++ build 1937, 64-bit", True),
        ("PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang", False),
        ("PostgreSQL 12.12 (Greenplum Database 7.0.0 build commit:0) on x86_64", False),
        ("PostgreSQL 17.0 OrioleDB public beta 6 on x86_64", False),
        ("PostgreSQL 14.1", False),
        ("CockroachDB CCL v23.1.0 (x86_64-pc-linux-gnu)", False),
    ],
)
def test_which_server_it_is(version: str, is_postgresql: bool) -> None:
    assert bool(totals._ITSELF(version)) is is_postgresql


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ('SELECT "a"."id" FROM "a" INNER JOIN "b" T3 ON ("a"."x" = T3."id")', ("a", "b")),
        ('SELECT "a"."id" FROM "a" WHERE "a"."kind" = \'now\' AND "a"."y" = %s', ("a",)),
        ('SELECT U0."id" FROM "a" U0 WHERE U0."until" > STATEMENT_TIMESTAMP()', ()),
        ('SELECT "a"."id" FROM "a" WHERE "a"."until" > CURRENT_DATE', ()),
        ('SELECT "a"."id" FROM "a" WHERE "site_function"("a"."id")', ()),
        ('SELECT "a"."id" FROM "a" U0, "b" WHERE U0."x" = "b"."id"', ()),
        ('SELECT "a"."id" FROM "other"."a"', ()),
        ('SELECT "a"."id" FROM "a" WHERE "a"."id" IN (SELECT id FROM b)', ()),
        ("SELECT 1", ()),
    ],
)
def test_what_else_has_a_say(sql: str, tables: tuple[str, ...]) -> None:
    assert totals._tables(sql) == tables
