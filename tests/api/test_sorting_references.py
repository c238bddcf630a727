"""Lists sorted by what refers to other resources, and by what several types have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.fixture_answers import group, user
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def teams(scim: ScimClient) -> dict[str, str]:
    """People in groups and groups in groups; by their names, ids."""
    ids = {}
    for name in ("ann", "bob", "cid"):
        ids[name] = scim.post("/Users", user(name)).json()["id"]
    for name, members in (("Zulu", ["bob"]), ("alpha", ["bob", "cid"]), ("Mike", ["alpha"])):
        elements = [{"value": ids[member]} for member in members]
        ids[name] = scim.post("/Groups", group(name, members=elements)).json()["id"]
    ids["empty"] = scim.post("/Groups", group("empty")).json()["id"]
    return ids


def in_order(scim: ScimClient, path: str, attribute: str, **query: str) -> list[str]:
    """The names of all, read in pages of one by cursor, which is how they are in one page."""
    by = {"sortBy": attribute, **query}
    whole = scim.get(path, **by).json()["Resources"]
    read: list[dict[str, Any]] = []
    page = scim.get(path, **by, count=1, cursor="").json()
    while True:
        read += page["Resources"]
        if "nextCursor" not in page:
            break
        page = scim.get(path, **by, count=1, cursor=page["nextCursor"]).json()
    assert read == whole
    return [one.get("userName") or one["displayName"] for one in whole]


def first(ids: dict[str, str], *names: str) -> list[str]:
    return sorted(names, key=ids.__getitem__)


def test_people_are_sorted_by_their_first_group(scim: ScimClient, teams: dict[str, str]) -> None:
    """bob is in Zulu first, cid in alpha, ann in none."""
    assert in_order(scim, "/Users", "groups.display") == ["cid", "bob", "ann"]
    down = in_order(scim, "/Users", "groups.display", sortOrder="descending")
    assert down == ["ann", "bob", "cid"]
    by_id = [{"Zulu": "bob", "alpha": "cid"}[name] for name in first(teams, "Zulu", "alpha")]
    for attribute in ("groups", "groups.value", "groups.$ref"):
        assert in_order(scim, "/Users", attribute) == [*by_id, "ann"]
    assert in_order(scim, "/Users", "groups.type") == ["bob", "cid", "ann"]


def test_groups_are_sorted_by_their_first_member(scim: ScimClient, teams: dict[str, str]) -> None:
    shown = in_order(scim, "/Groups", "members.display")
    assert shown == ["Mike", "Zulu", "alpha", "empty"]  # alpha, bob, bob, nobody
    assert in_order(scim, "/Groups", "members.type")[0] == "Mike"
    assert in_order(scim, "/Groups", "members.value", sortOrder="descending")[0] == "empty"
    assert in_order(scim, "/Groups", "members.$ref")[-1] == "empty"


@pytest.mark.parametrize(
    "attribute", ["emails.primary", "active", "meta.created", "meta.resourceType", "schemas"]
)
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_all_types_are_read_by_cursor_in_every_order(
    scim: ScimClient, teams: dict[str, str], attribute: str, order: str
) -> None:
    for name, primary in (("dan", True), ("eve", False), ("fay", True)):
        mail = {"value": f"{name}@example.com", "primary": primary}
        scim.post("/Users", user(name, emails=[mail], active=primary))
    found = in_order(scim, "/", attribute, sortOrder=order)
    assert len(found) == len(set(found)) == 10


def test_all_types_are_sorted_by_what_each_of_them_is(
    scim: ScimClient, teams: dict[str, str]
) -> None:
    groups, people = ["Zulu", "alpha", "Mike", "empty"], ["ann", "bob", "cid"]
    for attribute in ("meta.resourceType", "schemas"):
        assert in_order(scim, "/", attribute) == groups + people
        down = in_order(scim, "/", attribute, sortOrder="descending")
        assert down == people[::-1] + groups[::-1]
