"""``co`` and ``ew`` on PostgreSQL, and names, by the optional indexes (docs/indexes.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from scim_provider.mapping.context import Context
from scim_provider.protocol.messages import ListQuery
from scim_provider.resources import GroupResource, ResourceType, UserResource

from .people import Person, analyze, settled
from .plan import plan_of

USERS, GROUPS = 3000, 1000
NAMES = "scim_opt_name_trigrams"
VALUES = "scim_opt_value_trigrams"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(database.vendor != "postgresql", reason="PostgreSQL's own"),
]


@pytest.fixture(scope="module")
def acme(django_db_setup: None, django_db_blocker: Any) -> Iterator[Context]:
    with django_db_blocker.unblock(), settled(1, USERS, GROUPS, 1) as (connection,):
        call_command("scim_indexes", "--create")
        analyze()
        yield Context(connection, "https://example.com/scim/v2")
        call_command("scim_indexes", "--drop")


def sent_by(resource_type: ResourceType, context: Context, text: str) -> tuple[int, list[str]]:
    """How many are found, and the plans of the statements that were sent for the filter."""
    with CaptureQueriesContext(database) as sent:
        page = resource_type.query(context, ListQuery(filter=text, count=10))
    return page.total, [plan_of(statement["sql"]).text for statement in sent.captured_queries]


@pytest.mark.parametrize(
    ("resource_type", "text", "index"),
    [
        (UserResource, 'userName co "son0001234@"', NAMES),
        (UserResource, 'emails.value co "0001234@work"', VALUES),
        (UserResource, 'displayName co "son 0001234"', VALUES),
        (UserResource, 'emails[type eq "work" and value co "0001234@work"]', VALUES),
        (UserResource, 'userName ew "0001234@example.com"', NAMES),
        (UserResource, 'displayName ew "son 0001234"', VALUES),
        (UserResource, 'name.familyName eq "LOVELACE0001234"', "scim_opt_account_last_name"),
        (UserResource, 'name.familyName sw "lovelace0001234"', "scim_opt_account_last_name"),
        (GroupResource, 'displayName co "roup 00123"', NAMES),
    ],
)
def test_what_we_send_uses_the_index(
    resource_type: type[ResourceType], text: str, index: str, acme: Context
) -> None:
    total, plans = sent_by(resource_type(), acme, text)
    assert total == 1
    assert any(index in plan for plan in plans), "\n".join(plans)


def test_either_of_two_texts_is_searched_by_both_indexes(acme: Context) -> None:
    text = 'userName co "son0001234@" or emails.value co "0002345@work"'
    total, plans = sent_by(UserResource(), acme, text)
    assert total == 2
    assert any(NAMES in plan and VALUES in plan for plan in plans), "\n".join(plans)


def test_wildcards_and_what_is_beyond_the_key_are_found_as_they_are(acme: Context) -> None:
    users, long = UserResource(), "x" * 300 + " needle%_\\ in a haystack"
    row = users.queryset(acme.connection).get(scim_id=Person(acme.connection, 5).scim_id)
    row.values.create(
        connection=acme.connection, path="nickName", key=long[:255], text=long, element=0
    )
    found = [
        sent_by(users, acme, f"nickName co {json.dumps(text)}")[0]
        for text in ("NEEDLE%_\\ in", "needle__", "needle%h")
    ]
    assert found == [1, 0, 0]
