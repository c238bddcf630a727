"""``totalResults`` is exact, whoever changed what, also where PostgreSQL does not count again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.db import connections, transaction

from scim_provider import totals
from scim_provider.models import Connection, Resource
from tests.conftest import ScimClient
from tests.factories import UserFactory
from tests.mapping.writers import several_writers

from .fixture_answers import group, user
from .test_groups import statements

pytestmark = pytest.mark.django_db(transaction=True)

on_postgresql = pytest.mark.skipif(
    database.vendor != "postgresql", reason="the others count each time"
)

#: Lists that need a count.
BY_INDEX = {"count": 1}
FURTHER_ON = {"count": 1, "startIndex": 2}
BY_CURSOR = {"count": 1, "cursor": ""}
NONE = {"count": 0}
ACTIVE = {"count": 1, "filter": "active eq true"}
ACTIVE_FURTHER_ON = {"count": 1, "filter": "active eq true", "startIndex": 2}
CLERKS = {"count": 1, "filter": 'title eq "Clerk"', "startIndex": 2}
LISTS = (BY_INDEX, FURTHER_ON, BY_CURSOR, NONE, ACTIVE, ACTIVE_FURTHER_ON, CLERKS)


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Counts of so few rows are kept."""
    monkeypatch.setattr(totals, "WORTH_KEEPING", 1)
    yield
    totals._memory.cache_clear()


@pytest.fixture
def people(scim: ScimClient) -> list[str]:
    """The ids of three people."""
    return [create(scim, name) for name in ("ada", "bo", "cy")]


def create(scim: ScimClient, name: str) -> str:
    return str(scim.post("/Users", user(name, title="Clerk")).json()["id"])


def total(scim: ScimClient, path: str = "/Users", **query: Any) -> int:
    """The total, asked for until it is one that can be kept, and once more."""
    first, *others = (scim.get(path, **query or BY_INDEX).json()["totalResults"] for _ in range(3))
    assert others == [first, first]
    return int(first)


def everywhere(scim: ScimClient) -> set[int]:
    return {total(scim, **query) for query in LISTS}


def insert(connection: Connection, name: str) -> Resource:
    """What another process does, within its transaction."""
    made: Resource = UserFactory(
        connection=connection, name=name, account__organization=connection.owner
    )
    return made


def elsewhere(act: Callable[[], Any]) -> None:
    """Do it in a session of its own."""

    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    thread.join()


@contextmanager
def uncommitted(act: Callable[[], Any]) -> Iterator[None]:
    """Within it another session has done it and not yet committed."""
    done, end = Event(), Event()

    def run() -> None:
        with transaction.atomic():
            act()
            done.set()
            end.wait(60)

    thread = Thread(target=elsewhere, args=(run,))
    thread.start()
    try:
        assert done.wait(60)
        yield
    finally:
        end.set()
        thread.join()


# -- totals follow changes -------------------------------------------------------------------------


def test_totals_follow_what_the_client_changes(scim: ScimClient, people: list[str]) -> None:
    assert everywhere(scim) == {3}
    made = create(scim, "di")
    assert everywhere(scim) == {4}
    scim.delete(f"/Users/{made}")
    assert everywhere(scim) == {3}
    change = {"op": "replace", "path": "active", "value": False}
    scim.patch(f"/Users/{people[0]}", change)
    assert total(scim) == 3
    assert total(scim, **ACTIVE) == total(scim, **ACTIVE_FURTHER_ON) == 2


def test_totals_of_groups_follow_changes(scim: ScimClient) -> None:
    first, _ = (scim.post("/Groups", group(name)).json()["id"] for name in ("A", "B"))
    assert total(scim, "/Groups") == 2
    scim.post("/Groups", group("C"))
    assert total(scim, "/Groups") == 3
    scim.delete(f"/Groups/{first}")
    assert total(scim, "/Groups") == 2


def test_totals_are_those_of_the_organization(
    scim: ScimClient, other_scim: ScimClient, people: list[str]
) -> None:
    for name in ("ed", "flo"):
        create(other_scim, name)
    assert (everywhere(scim), everywhere(other_scim)) == ({3}, {2})
    create(other_scim, "gus")
    assert (everywhere(scim), everywhere(other_scim)) == ({3}, {3})


def test_an_account_that_the_site_deletes_is_not_counted(
    scim: ScimClient, people: list[str]
) -> None:
    assert everywhere(scim) == {3}
    get_user_model()._default_manager.get(username="bo").delete()
    assert everywhere(scim) == {2}


def test_what_is_rolled_back_is_counted_within_alone(
    scim: ScimClient, connection: Connection, people: list[str]
) -> None:
    assert everywhere(scim) == {3}
    with transaction.atomic():
        insert(connection, "di")
        assert total(scim) == 4
        transaction.set_rollback(True)
    assert total(scim) == 3
    create(scim, "di")
    assert total(scim) == 4


# -- and what others change ------------------------------------------------------------------------


class TestOtherSessions:
    pytestmark = several_writers

    def test_a_create_and_a_delete(
        self, scim: ScimClient, connection: Connection, people: list[str]
    ) -> None:
        assert total(scim) == 3
        elsewhere(lambda: insert(connection, "di"))
        assert total(scim) == 4
        elsewhere(lambda: Resource.objects.filter(name="di").delete())
        assert total(scim) == 3

    def test_what_is_not_committed_yet_is_counted_once_it_is(
        self, scim: ScimClient, connection: Connection, people: list[str]
    ) -> None:
        # MariaDB locks what is next to a name that another test has deleted a moment ago.
        first, later = (f"{name}-{uuid4()}" for name in ("di", "ed"))
        assert total(scim) == 3
        with uncommitted(lambda: insert(connection, first)):
            assert total(scim) == 3
            elsewhere(lambda: insert(connection, later))  # committed before
            assert total(scim) == 4
        assert total(scim) == 5

    def test_a_delete_that_is_not_committed_yet(
        self, scim: ScimClient, connection: Connection, people: list[str]
    ) -> None:
        assert total(scim) == 3
        with uncommitted(lambda: Resource.objects.filter(name="bo").delete()):
            assert total(scim) == 3
        assert total(scim) == 2

    def test_sessions_tell_each_other_nothing_that_is_out_of_date(
        self, scim: ScimClient, connection: Connection, people: list[str]
    ) -> None:
        assert total(scim) == 3
        seen: list[int] = []
        elsewhere(lambda: (insert(connection, "di"), seen.append(total(scim))))
        assert [*seen, total(scim)] == [4, 4]


# -- what PostgreSQL does --------------------------------------------------------------------------


def page_statement(act: Callable[[], Any]) -> str:
    (sql,) = (sql for sql in statements(act) if "scim_total" in sql)
    return sql


def is_kept(scim: ScimClient, monkeypatch: pytest.MonkeyPatch, **query: Any) -> bool:
    """Whether a count is taken from memory in a cluster where no other transaction ends."""
    told: list[Any] = []
    number = totals.Count.number

    def noted(count: totals.Count, value: Any) -> int:
        told.append(value)
        return number(count, value)

    at_rest = totals._SEEN.replace("pg_current_snapshot()", "'at rest'")
    assert at_rest != totals._SEEN
    with monkeypatch.context() as patch:
        patch.setattr(totals.Count, "number", noted)
        patch.setattr(totals, "_SEEN", at_rest)
        totals._unless_seen.cache_clear()
        for _ in range(3):
            scim.get("/Users", **query)
    totals._unless_seen.cache_clear()
    assert len(told) == 3
    return told[-1] is None


@on_postgresql
@pytest.mark.parametrize("query", LISTS)
def test_where_nothing_has_changed_nothing_is_counted(
    query: dict[str, Any],
    scim: ScimClient,
    people: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert is_kept(scim, monkeypatch, **query)


@on_postgresql
def test_the_count_is_not_run(scim: ScimClient, people: list[str]) -> None:
    total(scim)
    sql = page_statement(lambda: scim.get("/Users", **BY_INDEX))
    seen = sql[sql.index("CONCAT_WS(") : sql.index(" AS scim_seen")]
    before, _, behind = sql.partition("scim_seen = ")
    behind = behind[behind.index(" THEN") :]
    with database.cursor() as cursor:
        for _ in range(100):
            cursor.execute(f"SELECT {seen}")
            known = cursor.fetchone()[0]
            cursor.execute(f"EXPLAIN (ANALYZE) {before}scim_seen = '{known}'{behind}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            if "Aggregate" in plan and "never executed" in plan:
                return
    pytest.fail(plan)


@on_postgresql
def test_few_rows_are_counted_as_ever(
    scim: ScimClient, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "WORTH_KEEPING", 4)
    total(scim)
    assert "scim_seen" not in page_statement(lambda: scim.get("/Users", **BY_INDEX))
    create(scim, "di")
    total(scim)
    assert "scim_seen" in page_statement(lambda: scim.get("/Users", **BY_INDEX))


@on_postgresql
def test_within_a_transaction_everything_is_counted(scim: ScimClient, people: list[str]) -> None:
    assert everywhere(scim) == {3}
    with transaction.atomic():
        made = create(scim, "di")
        assert everywhere(scim) == {4}
        assert "scim_seen" not in page_statement(lambda: scim.get("/Users", **BY_INDEX))
        scim.delete(f"/Users/{made}")
        assert everywhere(scim) == {3}
    assert everywhere(scim) == {3}


@on_postgresql
def test_a_transaction_that_django_does_not_know_of(scim: ScimClient, people: list[str]) -> None:
    assert total(scim) == 3
    with database.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            Resource.objects.filter(name="bo").update(resource_type="X")
            assert total(scim) == 2
        finally:
            cursor.execute("ROLLBACK")
    assert total(scim) == 3


@on_postgresql
def test_other_tables_of_the_same_name(scim: ScimClient, people: list[str]) -> None:
    """Sites with a schema for each tenant."""
    table = "scim_provider_resource"
    with database.cursor() as cursor:
        cursor.execute("CREATE SCHEMA scim_other")
        try:
            cursor.execute(f"CREATE TABLE scim_other.{table} (LIKE {table} INCLUDING ALL)")
            cursor.execute(f"INSERT INTO scim_other.{table} SELECT * FROM {table} LIMIT 2")
            assert total(scim) == 3
            cursor.execute("SET search_path TO scim_other, public")
            assert total(scim) == 2
            cursor.execute("RESET search_path")
            assert total(scim) == 3
        finally:
            cursor.execute("RESET search_path")
            cursor.execute("DROP SCHEMA scim_other CASCADE")


@on_postgresql
def test_policies_may_hide_rows_at_any_time(
    scim: ScimClient, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE scim_provider_resource ENABLE ROW LEVEL SECURITY")
        try:
            assert not is_kept(scim, monkeypatch, **BY_INDEX)
        finally:
            cursor.execute("ALTER TABLE scim_provider_resource DISABLE ROW LEVEL SECURITY")
    assert is_kept(scim, monkeypatch, **BY_INDEX)


@on_postgresql
def test_servers_that_speak_like_postgresql_count_each_time(
    scim: ScimClient, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "_is_postgresql", lambda using: False)
    assert everywhere(scim) == {3}
    assert not is_kept(scim, monkeypatch, **BY_INDEX)
