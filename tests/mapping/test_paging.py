"""Pages by cursor say the same as one long list, whatever the order; and cost what they must."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from scim_provider.mapping import paging
from scim_provider.mapping.context import Context
from scim_provider.mapping.resource_type import ResourceType
from scim_provider.mapping.root import query_types
from scim_provider.models import Connection, Resource, Role
from scim_provider.protocol.errors import InvalidCount, InvalidCursor, ScimError
from scim_provider.protocol.messages import ListQuery
from scim_provider.resources import RoleResource

from .vector_site import VectorGroups, VectorUsers, load

DIRECTIONS = ("ascending", "descending")


@pytest.fixture
def site(site_connection: Connection) -> Context:
    return load(site_connection)


class Everything:
    """The root endpoint, asked like a resource type."""

    def query(self, context: Context, query: ListQuery) -> Any:
        return query_types([VectorUsers(), VectorGroups()], context, query)


def walk(source: Any, context: Context, count: int = 2, **terms: Any) -> list[str]:
    """The ids of all pages by cursor, in order."""
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = source.query(context, ListQuery(cursor=cursor, count=count, **terms))
        assert page.start_index is None
        ids += [document["id"] for document in page.documents]
        cursor = page.next_cursor
    return ids


def listed(source: Any, context: Context, **terms: Any) -> list[str]:
    page = source.query(context, ListQuery(**terms))
    return [document["id"] for document in page.documents]


def sortable(resource_type: ResourceType) -> list[str]:
    """Every name that ``sortBy`` takes."""
    return [name for name in _names(resource_type) if _is_sortable(resource_type, name)]


def _names(resource_type: ResourceType) -> Iterator[str]:
    for target in resource_type.resource_schema:
        yield str(target)
        yield from (str(target.of(sub)) for sub in target.attribute.sub_attributes)


def _is_sortable(resource_type: ResourceType, name: str) -> bool:
    try:
        resource_type.sort_target(name)
    except ScimError:
        return False
    return True


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("resource_type", [VectorUsers(), VectorGroups()], ids=lambda t: t.name)
def test_pages_by_cursor_are_the_list_in_the_order_of_every_attribute(
    resource_type: ResourceType, direction: Any, site: Context
) -> None:
    names = sortable(resource_type)
    assert {"id", "externalId", "meta.created", "meta.version"} <= set(names)
    for name in names:
        terms = {"sort_by": name, "sort_order": direction}
        assert walk(resource_type, site, **terms) == listed(resource_type, site, **terms), name


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    "sort_by", [None, "userName", "displayName", "active", "emails.value", "meta.lastModified"]
)
def test_the_root_is_paged_like_a_resource_type(
    sort_by: Any, direction: Any, site: Context
) -> None:
    for text in (None, 'meta.resourceType eq "User"', "displayName pr"):
        terms = {"sort_by": sort_by, "sort_order": direction, "filter": text}
        assert walk(Everything(), site, **terms) == listed(Everything(), site, **terms), text


@pytest.mark.parametrize("sort_by", [None, "value", "display", "supported", "meta.created"])
def test_roles_are_paged_too(sort_by: Any, site: Context) -> None:
    Role.objects.bulk_create(
        Role(connection=site.connection, value=name, value_key=name.lower(), display=display)
        for name, display in [("b", ""), ("A", "x"), ("c", "x"), ("D", "X"), ("e", "")]
    )
    for direction in DIRECTIONS:
        terms = {"sort_by": sort_by, "sort_order": direction}
        assert walk(RoleResource(), site, **terms) == listed(RoleResource(), site, **terms)


def test_rows_a_microsecond_apart_stay_in_order_on_both_sides_of_a_page(site: Context) -> None:
    rows = list(Resource.objects.filter(resource_type="User").order_by("-pk"))
    moment = rows[0].last_modified.replace(microsecond=0)
    for number, row in enumerate(rows):
        last = moment + timedelta(microseconds=number // 2)
        Resource.objects.filter(pk=row.pk).update(last_modified=last)
    pairs = [sorted(rows[n : n + 2], key=lambda row: row.pk) for n in range(0, len(rows), 2)]
    expected = [row.scim_id for pair in pairs for row in pair]
    assert walk(VectorUsers(), site, count=1, sort_by="meta.lastModified") == expected
    assert walk(VectorUsers(), site, count=3, sort_by="meta.lastModified") == expected


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", ["title", "name.familyName"])
def test_texts_of_every_kind_stay_in_order(name: str, direction: Any, site: Context) -> None:
    texts = [
        *("a", "A", "Z", "z ", "z", "é", "e\u0301", "É", "ß", "ẞ", "İ", "Σς", "日本", "\U0001f600"),
        *("%", "_", "'", '"', "\\", "\ue000", "true", "null", "0", "10", "9", "x" * 140),
    ]
    people = VectorUsers()
    for number, text in enumerate(texts):
        attribute = {"title": text} if name == "title" else {"name": {"familyName": text}}
        body = {"schemas": [people.schema.id], "userName": f"text{number}", **attribute}
        people.insert(site, body)
    terms = {"sort_by": name, "sort_order": direction, "filter": 'userName sw "text"'}
    assert len(walk(people, site, count=1, **terms)) == len(texts)
    assert walk(people, site, count=1, **terms) == listed(people, site, **terms)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_texts_that_differ_only_behind_the_index_keep_one_order(
    direction: Any, site: Context
) -> None:
    people = VectorUsers()
    for number in range(7):
        title = "é" * 255 + str(7 - number)
        body = {"schemas": [people.schema.id], "userName": f"long{number}", "title": title}
        people.insert(site, body)
    terms = {"sort_by": "title", "sort_order": direction, "filter": 'title sw "éé"'}
    ids = walk(people, site, count=2, **terms)
    assert len(set(ids)) == 7
    assert ids == listed(people, site, **terms)


def statements(source: Any, context: Context, query: ListQuery) -> int:
    with CaptureQueriesContext(database) as captured:
        source.query(context, query)
    return len(captured)


def test_a_page_by_index_tells_its_total_in_one_statement_but_behind_the_end(
    site: Context,
) -> None:
    people = VectorUsers()  # without groups and managers a page itself is one statement
    total = len(listed(people, site))
    assert total > 2
    plain = {"attributes": ("userName",)}

    def cost(**terms: Any) -> int:
        return statements(people, site, ListQuery(**plain, **terms))

    assert cost(count=total + 1) == 1
    assert cost(count=2, start_index=total) == 1
    assert cost(filter='userName eq "nobody"', count=10) == 1
    assert cost(count=total) == 1
    assert cost(count=2, start_index=2) == 1
    assert cost(count=2, start_index=total + 1) == 2
    assert cost(count=0) == 1


@pytest.mark.parametrize(("start", "count"), [(1, 0), (1, 2), (1, 99), (3, 99), (99, 5), (1, None)])
def test_the_total_is_the_same_whichever_way_it_is_found(
    start: int, count: int | None, site: Context
) -> None:
    total = Resource.objects.filter(resource_type="User").count()
    page = VectorUsers().query(site, ListQuery(start_index=start, count=count))
    assert (page.total, page.start_index, page.next_cursor) == (total, start, None)


def test_a_page_by_cursor_is_one_statement_with_the_count_of_the_first(site: Context) -> None:
    people, terms = VectorUsers(), {"count": 1, "attributes": ("userName",)}
    first = people.query(site, ListQuery(cursor="", **terms))
    assert statements(people, site, ListQuery(cursor="", **terms)) == 1
    assert statements(people, site, ListQuery(cursor=first.next_cursor, **terms)) == 1


def test_a_total_that_is_too_great_to_count_is_left_out_until_the_last_page(
    site: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", 3)
    total = Resource.objects.filter(resource_type="User").count()
    people, cursor, totals = VectorUsers(), "", []
    while cursor is not None:
        page = people.query(site, ListQuery(cursor=cursor, count=3))
        totals.append(page.total)
        cursor = page.next_cursor
    assert len(totals) > 2
    assert totals == [None] * (len(totals) - 1) + [total]
    assert people.query(site, ListQuery(cursor="", count=0)).total == total


def test_the_total_of_the_first_page_is_repeated(site: Context) -> None:
    total = Resource.objects.filter(resource_type="User").count()
    first = VectorUsers().query(site, ListQuery(cursor="", count=2))
    second = VectorUsers().query(site, ListQuery(cursor=first.next_cursor, count=2))
    assert (first.total, second.total) == (total, total)


def test_a_cursor_holds_the_count_of_its_first_page(site: Context) -> None:
    people = VectorUsers()
    cursor = people.query(site, ListQuery(cursor="", count=2)).next_cursor
    assert len(people.query(site, ListQuery(cursor=cursor)).documents) == 2
    with pytest.raises(InvalidCount, match="count=2"):
        people.query(site, ListQuery(cursor=cursor, count=3))


@pytest.mark.parametrize(
    "other",
    [
        {"filter": 'userName eq "x"'},
        {"sort_by": "userName"},
        {"sort_order": "descending"},
        {"filter": "", "sort_by": "id"},
    ],
)
def test_a_cursor_of_another_query_is_unknown(other: dict[str, Any], site: Context) -> None:
    people = VectorUsers()
    cursor = people.query(site, ListQuery(cursor="", count=2)).next_cursor
    with pytest.raises(InvalidCursor):
        people.query(site, ListQuery(cursor=cursor, count=2, **other))
