"""RFC 7644 §3.4.2.1 over HTTP: one query over resources of every type."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.fixture_answers import SEARCH_REQUEST_URN, assert_error, group
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(scim: ScimClient, ada: dict[str, Any]) -> dict[str, Any]:
    """A Group called "Ada" with one member."""
    made: dict[str, Any] = scim.post("/Groups", group("Ada", members=[{"value": ada["id"]}])).json()
    return made


@pytest.mark.parametrize(
    "sort_by",
    [
        "userName",
        "displayName",
        "meta.lastModified",
        "meta.resourceType",
        "members.value",
        "emails",
    ],
)
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_what_one_type_can_be_sorted_by_all_can(
    scim: ScimClient, team: dict[str, Any], sort_by: str, order: str
) -> None:
    page = scim.get("/", sortBy=sort_by, sortOrder=order)
    assert page.status_code == 200, page.content
    assert page.json()["totalResults"] == 2


def test_what_no_type_has_sorts_nothing(scim: ScimClient, team: dict[str, Any]) -> None:
    assert_error(scim.get("/", sortBy="shoeSize"), 400, "invalidPath")


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('meta.resourceType eq "Group"', {"Group"}),
        ('userName eq "ADA@example.com" or displayName eq "ada"', {"User", "Group"}),
        ('not (userName pr) and displayName eq "Ada"', {"Group"}),
        ('members[type eq "User"]', {"Group"}),
        ("active eq true", {"User"}),
        ('shoeSize eq "44"', set()),
        ('shoeSize eq "44" or members pr', {"Group"}),
    ],
)
def test_a_name_that_a_type_lacks_is_no_value_there(
    scim: ScimClient, team: dict[str, Any], filter_: str, found: set[str]
) -> None:
    body = {"schemas": [SEARCH_REQUEST_URN], "filter": filter_}
    for answer in (scim.get("/", filter=filter_), scim.post("/.search", body)):
        resources = answer.json()["Resources"]
        assert {resource["meta"]["resourceType"] for resource in resources} == found


@pytest.mark.parametrize("filter_", ["active gt true", 'userName eqq "x"', "members[", "x"])
def test_a_filter_that_is_wrong_for_a_type_is_refused(scim: ScimClient, filter_: str) -> None:
    assert_error(scim.get("/", filter=filter_), 400, "invalidFilter")


def test_projection_reaches_every_type(scim: ScimClient, team: dict[str, Any]) -> None:
    for one in scim.get("/", attributes="displayName").json()["Resources"]:
        assert one.keys() <= {"schemas", "id", "displayName"}
    for one in scim.get("/", excludedAttributes="members,groups").json()["Resources"]:
        assert not {"members", "groups"} & one.keys()
