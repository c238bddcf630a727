"""A stored attribute is looked up by its key, on every engine."""

from __future__ import annotations

import pytest
from django.db import connection as database

from scim_provider.mapping.context import Context
from scim_provider.models import Connection
from scim_provider.protocol.messages import ListQuery

from .vector_site import VectorUsers, load


@pytest.fixture
def vector_site(site_connection: Connection) -> Context:
    return load(site_connection)


@pytest.mark.parametrize(
    "text",
    [
        'emails.value eq "babs@jensen.org"',
        'emails[type eq "home"].value eq "babs@jensen.org"',
        'title eq "Manager"',
    ],
)
def test_any_stored_attribute_is_looked_up_by_the_index_of_keys(
    text: str, vector_site: Context
) -> None:
    users = VectorUsers()
    rows = users.queryset(vector_site.connection)
    rows = rows.filter(users.condition(ListQuery(filter=text), vector_site)).order_by()
    if database.vendor == "postgresql":  # a table of twelve is faster read than looked up
        with database.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "scim_value_key" in rows.explain()


def test_a_value_path_starts_from_its_value_and_not_from_its_type(vector_site: Context) -> None:
    users = VectorUsers()
    query = ListQuery(filter='emails[type eq "work" and value eq "jsmith@example.org"]')
    rows = users.queryset(vector_site.connection).filter(users.condition(query, vector_site))
    sql = str(rows.query)
    assert sql.index("emails.value") < sql.index("emails.type")
    assert [row.scim_id for row in rows] == ["u02"]
