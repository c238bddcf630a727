"""Every valid vector filter: the database answers as the in-memory evaluator does."""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.mapping.context import Context
from scim_provider.models import Connection
from scim_provider.protocol.filter import parse_filter, resolve_filter
from scim_provider.protocol.memory import matches
from scim_provider.protocol.messages import ListQuery
from scim_provider.resources import query_all
from tests.protocol.fixture_schemas import FILTER_VECTORS
from tests.protocol.test_filter_vectors import OTHER_ANSWER
from tests.protocol.test_filter_vectors import text_of as filter_text

from .vector_site import VectorGroups, VectorUsers, load

VALID = [v for v in FILTER_VECTORS["vectors"] if v["valid"] and v["id"] not in OTHER_ANSWER]
TYPES = {"User": VectorUsers, "Group": VectorGroups}

#: The fixture says these of data that a service provider computes; ours is consistent: u01 is in
#: g2 through g1, u02 is directly in g1, a member's display is its userName, u07 is active,
#: and u04, which has nothing of the extension that it names, does not carry it.
COMPUTED = ("groups", "members[display", "active", "manager.displayName", "schemas eq")


@pytest.fixture
def vector_site(site_connection: Connection) -> Context:
    return load(site_connection)


@pytest.fixture
def documents(vector_site: Context) -> dict[str, list[dict[str, Any]]]:
    return {
        name: type_().query(vector_site, ListQuery()).documents for name, type_ in TYPES.items()
    }


def test_the_database_answers_every_filter_as_memory_does(
    vector_site: Context, documents: dict[str, list[dict[str, Any]]]
) -> None:
    differences = []
    for vector in VALID:
        if vector["resourceType"] == "*":
            continue
        text, resource_type = filter_text(vector), TYPES[vector["resourceType"]]()
        tree = resolve_filter(parse_filter(text), resource_type.resource_schema)
        in_memory = {d["id"] for d in documents[resource_type.name] if matches(tree, d)}
        page = resource_type.query(vector_site, ListQuery(filter=text))
        in_database = {document["id"] for document in page.documents}
        if in_database != in_memory or page.total != len(in_memory):
            differences.append((vector["id"], text[:80], in_database ^ in_memory))
    assert differences == []


def test_the_database_finds_what_the_vectors_expect(vector_site: Context) -> None:
    differences = []
    for vector in VALID:
        text = filter_text(vector)
        if vector["resourceType"] == "*" or any(word in text for word in COMPUTED):
            continue
        page = TYPES[vector["resourceType"]]().query(vector_site, ListQuery(filter=text))
        found = [document["id"] for document in page.documents]
        if sorted(found) != sorted(vector["matches"]):
            differences.append((vector["id"], text[:80], found, vector["matches"]))
    assert differences == []


@pytest.mark.parametrize(
    "vector", [v for v in VALID if v["resourceType"] == "*"], ids=lambda v: v["id"]
)
def test_the_root_endpoint_filters_all_types_at_once(
    vector: dict[str, Any], vector_site: Context, settings: Any
) -> None:
    settings.SCIM_PROVIDER = {
        "RESOURCE_TYPES": [
            "tests.mapping.vector_site.VectorUsers",
            "tests.mapping.vector_site.VectorGroups",
        ]
    }
    page = query_all(vector_site, ListQuery(filter=filter_text(vector), count=100))
    assert sorted(d["id"] for d in page.documents) == sorted(vector["matches"])


def _known_values(document: dict[str, Any], *path: str) -> Any:
    value: Any = document
    for name in path:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    return value or None


@pytest.mark.parametrize(
    ("sort_by", "path"),
    [
        ("userName", ("userName",)),
        ("name.familyName", ("name", "familyName")),
        ("title", ("title",)),
        ("nickName", ("nickName",)),
        ("externalId", ("externalId",)),
        ("meta.lastModified", ("meta", "lastModified")),
        ("id", ("id",)),
    ],
)
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_sorting_puts_the_unassigned_last_and_ignores_case_where_the_schema_does(
    sort_by: str, path: tuple[str, ...], order: Any, vector_site: Context
) -> None:
    users = VectorUsers()
    target = users.sort_target(sort_by)
    documents = users.query(vector_site, ListQuery(sort_by=sort_by, sort_order=order)).documents
    values = [_known_values(document, *path) for document in documents]
    keys = [target.leaf.key(value) for value in values if value]
    assert keys == sorted(keys, reverse=order == "descending")
    unassigned = values[-values.count(None) :] if values.count(None) else []
    if order == "descending":
        unassigned = values[: values.count(None)]
    assert set(unassigned) <= {None}


def test_sorting_by_a_multi_valued_attribute_takes_the_primary_value(vector_site: Context) -> None:
    documents = VectorUsers().query(vector_site, ListQuery(sort_by="emails")).documents
    chosen = []
    for document in documents:
        emails = document.get("emails", [])
        if emails:
            primary = next((e for e in emails if e.get("primary")), emails[0])
            chosen.append(primary["value"].lower())
    assert chosen == sorted(chosen)
