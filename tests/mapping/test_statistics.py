"""PostgreSQL is told of tables that were filled in one go."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection as database

from scim_provider.mapping import statistics
from scim_provider.models import AttributeValue, Resource
from tests.conftest import ScimClient

only_postgresql = pytest.mark.skipif(
    database.vendor != "postgresql", reason="only PostgreSQL plans blindly"
)


def estimates() -> dict[str, float]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relname IN (%s, %s)",
            [Resource._meta.db_table, AttributeValue._meta.db_table],
        )
        return dict(cursor.fetchall())


def forget_statistics() -> None:
    with database.cursor() as cursor:
        for model in (Resource, AttributeValue):
            cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")


def bulk(number: int, first: int = 0) -> dict[str, Any]:
    user = "urn:ietf:params:scim:schemas:core:2.0:User"
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {
                "method": "POST",
                "path": "/Users",
                "bulkId": f"b{n}",
                "data": {"schemas": [user], "userName": f"person{first + n}", "title": "Clerk"},
            }
            for n in range(number)
        ],
    }


@only_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_first_load_leaves_statistics(scim: ScimClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "LOOK_EVERY", 50)
    monkeypatch.setattr(statistics, "SMALL", 0)
    forget_statistics()
    before = estimates()
    assert set(before.values()) <= {0.0, -1.0}
    assert scim.post("/Bulk", bulk(60)).status_code == 200
    after = estimates()
    assert all(number >= 60 for number in after.values()), (before, after)


@only_postgresql
@pytest.mark.django_db(transaction=True)
def test_tables_are_analysed_again_once_they_have_grown(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "SMALL", 0)
    monkeypatch.setattr(statistics, "LOOK_EVERY", 10**9)
    forget_statistics()
    assert scim.post("/Bulk", bulk(5)).status_code == 200
    assert Resource._meta.db_table in statistics.analyse_grown_tables()
    assert scim.post("/Bulk", bulk(5, first=5)).status_code == 200
    assert not {*estimates()} & {*statistics.analyse_grown_tables()}
    assert scim.post("/Bulk", bulk(400, first=10)).status_code == 200
    assert Resource._meta.db_table in statistics.analyse_grown_tables()


@only_postgresql
@pytest.mark.django_db(transaction=True)
def test_small_tables_are_left_alone(scim: ScimClient) -> None:
    forget_statistics()
    assert scim.post("/Bulk", bulk(5)).status_code == 200
    assert not {*estimates()} & {*statistics.analyse_grown_tables()}
