"""A page answers what a GET of each person answers, whichever way and with whatever library."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scim_provider.mapping import reader
from tests.conftest import ScimClient

from .test_groups import group, people

pytestmark = pytest.mark.django_db
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture
def staff(scim: ScimClient) -> list[str]:
    """Ids of people with and without groups, nested ones too, and with managers of all kinds."""
    ids = people(scim, 4)
    for manager in (ids[0], "of-another-system"):
        person = {"schemas": [USER, ENTERPRISE], "userName": f"led by {manager}", "title": "Chef"}
        person |= {"name": {"givenName": "Łucja", "formatted": "Łucja 😀"}, "nickName": "lu"}
        person |= {ENTERPRISE: {"manager": {"value": manager}, "department": "Sales"}}
        ids.append(scim.post("/Users", person).json()["id"])
    inner = scim.post("/Groups", group("Inner", *ids[:3])).json()["id"]
    middle = scim.post("/Groups", group("Middle", inner, ids[1])).json()["id"]
    scim.post("/Groups", group("Outer", middle, ids[3], ids[4]))
    scim.patch(f"/Users/{ids[0]}", {"op": "remove", "path": "active"})
    return ids


def single(scim: ScimClient, scim_id: str, **query: Any) -> Any:
    return json.loads(scim.get(f"/Users/{scim_id}", **query).content)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"attributes": "userName,groups"},
        {"excludedAttributes": "groups,name"},
        {"attributes": f"{ENTERPRISE}:manager.displayName,{ENTERPRISE}:manager.value"},
        {"attributes": "title"},
    ],
)
@pytest.mark.parametrize(
    "page",
    [
        {"count": 100},
        {"count": 3, "startIndex": 2},
        {"cursor": "", "count": 100},
        {"filter": "userName pr", "count": 100},
        {"filter": 'title eq "Chef"', "count": 100},
        {"sortBy": "userName", "count": 100},
        {"sortBy": "title", "sortOrder": "descending", "cursor": "", "count": 4},
    ],
)
def test_a_page_holds_what_a_get_of_each_answers(
    scim: ScimClient, staff: list[str], page: dict[str, Any], query: dict[str, Any]
) -> None:
    found = json.loads(scim.get("/Users", **page, **query).content)["Resources"]
    assert len(found) >= 2
    alone = [single(scim, each["id"], **query) for each in found]
    assert [json.dumps(each) for each in found] == [json.dumps(each) for each in alone]


def test_a_page_is_the_same_bytes_whichever_library_reads_and_writes_it(
    scim: ScimClient, staff: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [{"count": 100}, {"cursor": "", "count": 100}, {"filter": 'title eq "Chef"'}]
    before = [scim.get("/Users", **query).content for query in paths]
    monkeypatch.setattr("scim_provider.api.negotiation.orjson", None)
    monkeypatch.setattr(reader, "_loads", json.loads)
    assert [scim.get("/Users", **query).content for query in paths] == before
