"""Every attribute, every operator: the API answers as memory does, on every engine."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from django.db import connection as database

from scim_provider.protocol.filter import parse_filter, resolve_filter
from scim_provider.protocol.memory import matches
from scim_provider.resources import ResourceType, resource_types
from tests.conftest import ScimClient

from .everything import LONG, documents, filters, leaves, values_of

pytestmark = pytest.mark.django_db
PEOPLE = 7
#: What a person's schema says more narrowly than its type: the roles of the site, an own column.
FIXED = {"schemas", "userName", "role", "roles", "password", "active"}

#: A Role's ETag is made of a moment when it is answered; a filter finds no value there.
WITHOUT_HOME = {"Role": ("meta.version",)}


def served(name: str) -> ResourceType:
    return next(t for t in resource_types() if t.name == name)


def composed(document: dict[str, Any]) -> dict[str, Any]:
    """What MariaDB can compare in the columns of an account: it cannot compose characters."""
    if database.vendor != "mysql":
        return document
    klaxon = next((uri for uri in document if "klaxon" in uri), "")
    for holder in (document.get("name", {}), document.get(klaxon, {})):
        for name in holder.keys() & {"givenName", "familyName", "notificationPhoneNumber"}:
            holder[name] = unicodedata.normalize("NFC", holder[name])
    return document


@pytest.fixture
def everybody(scim: ScimClient) -> None:
    """People with every attribute, one with a value longer than a key, groups inside groups."""
    ids = []
    for number, document in enumerate(documents(served("User").resource_schema, PEOPLE, FIXED)):
        extra: dict[str, Any] = {"userName": f"Ångström.{number}@example.com"}
        extra |= {"active": number % 3 != 0, "externalId": f"Ext%_{number}"}
        extra |= {"role": "analyst"} if number % 2 else {}
        extra |= {"nickName": LONG + str(number)} if number < 2 else {}
        answer = scim.post("/Users", composed(document | extra))
        assert answer.status_code == 201, answer.content
        ids.append(answer.json()["id"])
    for number in range(3):
        members = [{"value": value} for value in ids[number : number * 2]]
        answer = scim.post(
            "/Groups",
            {
                "displayName": f"ΟΜΆΔΑ {number}",
                "externalId": f"g\\{number}",
                "members": members,
            },
        )
        assert answer.status_code == 201, answer.content
        ids.append(answer.json()["id"])


def answered(scim: ScimClient, resource_type: ResourceType) -> list[dict[str, Any]]:
    """All documents, with the attributes that are only returned when asked for."""
    names = ",".join(str(target) for target in leaves(resource_type.resource_schema))
    answer = scim.get(resource_type.endpoint, attributes=names, count=100)
    found: list[dict[str, Any]] = answer.json()["Resources"]
    return found


@pytest.mark.parametrize("name", ["User", "Group", "Role"])
def test_every_attribute_is_filtered_as_in_memory(
    name: str, scim: ScimClient, everybody: None
) -> None:
    resource_type = served(name)
    found = answered(scim, resource_type)
    differences = []
    for text in filters(resource_type.resource_schema, found):
        if any(path in text for path in WITHOUT_HOME.get(name, ())):
            continue
        tree = resolve_filter(parse_filter(text), resource_type.resource_schema)
        answer = scim.get(resource_type.endpoint, filter=text, attributes="id", count=100).json()
        ids = {one["id"] for one in answer.get("Resources", [])}
        expected = {one["id"] for one in found if matches(tree, one)}
        if ids != expected or "Resources" not in answer:
            differences.append((text, len(ids), len(expected), answer.get("detail", "")))
    assert differences == []


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("name", ["User", "Group", "Role"])
def test_every_attribute_sorts_by_its_key(
    name: str, order: str, scim: ScimClient, everybody: None
) -> None:
    resource_type = served(name)
    found = {one["id"]: one for one in answered(scim, resource_type)}
    differences = []
    for target in leaves(resource_type.resource_schema):
        if target.attribute.multi_valued:
            continue
        answer = scim.get(
            resource_type.endpoint, sortBy=str(target), sortOrder=order, attributes="id", count=100
        ).json()
        documents = [found[one["id"]] for one in answer["Resources"]]
        keys = [key for one in documents for key in keys_of(target, one)]
        lacking = [not keys_of(target, one) for one in documents]
        if keys != sorted(keys, reverse=order == "descending") or lacking != sorted(
            lacking, reverse=order == "descending"
        ):
            differences.append((str(target), keys, lacking))
    assert differences == []


def keys_of(target: Any, document: dict[str, Any]) -> list[str]:
    return [target.leaf.key(str(value)) for value in values_of(target, [document])]
