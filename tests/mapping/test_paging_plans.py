"""A page costs what a page holds: the first like any other, by an index and unsorted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from scim_provider.mapping.context import Context
from scim_provider.mapping.cursors import Cursor, CursorSigner
from scim_provider.mapping.keyset import Position
from scim_provider.models import Connection, Resource
from scim_provider.protocol.messages import ListQuery
from scim_provider.resources import GroupResource, ResourceType, UserResource
from tests.factories import ConnectionFactory, OrganizationFactory

from .people import analyze, depopulate, populate
from .plan import Plan, plan_of

USERS, GROUPS, COUNT = 3000, 900, 20
#: Each row of a page, its account, and what is looked at to find where it begins.
MOST_ROWS = 5 * COUNT

_TOTAL = re.compile(r"\(SELECT COUNT\(\*\) FROM .* scim_counted\) AS scim_total, ", re.DOTALL)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def connections(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Connection]]:
    """Two organizations with the same people, committed: MariaDB plans for no others."""
    with django_db_blocker.unblock():
        owners = [OrganizationFactory(name=f"Paged {n}", slug=f"paged-{n}") for n in (1, 2)]
        made = [ConnectionFactory(owner=owner) for owner in owners]
        for connection in made:
            populate(connection, connection.owner, USERS, GROUPS, 2)
        analyze()
        if database.vendor == "postgresql":  # which does this by itself, in time
            with database.cursor() as cursor:
                cursor.execute("VACUUM")
        yield made
        depopulate(made)


@pytest.fixture
def paged(connections: list[Connection], order: str) -> Context:
    """The one whose rows are met first."""
    connection = connections[0 if order == "ascending" else 1]
    return Context(connection, "https://example.com/scim/v2")


def middle(resource_type: ResourceType, context: Context, query: ListQuery, column: str) -> str:
    """A cursor that stands in the midst of the list."""
    rows = resource_type.queryset(context.connection).order_by(column, "pk")
    row = rows[rows.count() // 2]
    key = getattr(row, column)
    key = None if column == "pk" else key if isinstance(key, str) else key.isoformat()
    signer = CursorSigner(context.connection, resource_type.endpoint, query)
    return signer.token(Cursor(Position(row.pk, key), COUNT, 0, USERS))


def plans(resource_type: ResourceType, context: Context, query: ListQuery) -> list[Plan]:
    """The plans of the statements that read a page, without the total that comes with some."""
    with CaptureQueriesContext(database) as sent:
        page = resource_type.query(context, query)
    assert len(page.documents) == COUNT
    texts = [statement["sql"] for statement in sent.captured_queries]
    return [plan_of(_TOTAL.sub("", text)) for text in texts]


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize(
    ("resource_type", "sort_by", "column"),
    [
        (UserResource(), None, "pk"),
        (UserResource(), "userName", "name_key"),
        (UserResource(), "meta.lastModified", "last_modified"),
        (GroupResource(), None, "pk"),
        (GroupResource(), "displayName", "name_key"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_page_by_cursor_looks_at_its_own_rows(
    resource_type: ResourceType, sort_by: str | None, column: str, order: Any, paged: Context
) -> None:
    def query(cursor: str) -> ListQuery:
        names = ("userName", "displayName")
        terms = {"sort_by": sort_by, "sort_order": order, "attributes": names}
        return ListQuery(cursor=cursor, count=COUNT, **terms)

    for each in (query(""), query(middle(resource_type, paged, query(""), column))):
        (plan,) = plans(resource_type, paged, each)
        assert plan.rows <= MOST_ROWS, plan.text


@pytest.mark.skipif(database.vendor != "postgresql", reason="another planner")
@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("resource_type", [UserResource(), GroupResource()], ids=lambda t: t.name)
def test_nor_does_it_look_at_others_before_the_first_vacuum(
    resource_type: ResourceType, order: Any, paged: Context
) -> None:
    """While no page of the table is known to be visible to all, no index tells more than where
    rows are, and the primary key's is the smallest.
    """
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
    query = ListQuery(count=COUNT, start_index=1, sort_order=order, attributes=("userName",))
    (plan,) = plans(resource_type, paged, query)
    assert plan.rows <= MOST_ROWS, plan.text


def test_the_tables_are_large_enough_to_tell(connections: list[Connection]) -> None:
    assert Resource.objects.filter(connection=connections[0]).count() > 10 * MOST_ROWS
