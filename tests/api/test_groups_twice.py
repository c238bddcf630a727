"""Who is in a group directly and through another one, too, is in it directly."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.fixture_answers import group, user
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids(scim: ScimClient) -> dict[str, str]:
    """ann is in "all" twice, bob through "some" alone, cid directly alone."""
    found = {n: scim.post("/Users", user(n)).json()["id"] for n in ("ann", "bob", "cid")}
    for name, members in (("some", ["ann", "bob"]), ("all", ["ann", "cid", "some"])):
        elements = [{"value": found[member]} for member in members]
        found[name] = scim.post("/Groups", group(name, members=elements)).json()["id"]
    return found


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ('groups[value eq "{all}" and type eq "indirect"]', {"bob"}),
        ('groups[value eq "{all}" and type ne "direct"]', {"bob"}),
        ('groups[value eq "{all}" and type eq "direct"]', {"ann", "cid"}),
        ('groups[display eq "ALL" and not (type eq "direct")]', {"bob"}),
        ('groups[type eq "indirect"]', {"bob"}),
        ('not (groups.type eq "indirect")', {"ann", "cid"}),
        ('groups.value eq "{all}"', {"ann", "bob", "cid"}),
    ],
)
def test_a_filter_finds_what_documents_show(
    scim: ScimClient, ids: dict[str, Any], filter_: str, names: set[str]
) -> None:
    text = filter_.replace("{all}", ids["all"])
    for path in ("/Users", "/"):
        query = f"userName pr and {text}"
        found = scim.get(path, filter=query).json()["Resources"]
        assert {one["userName"] for one in found} == names


def test_members_are_added_in_the_order_sent_whatever_comes_before(
    scim: ScimClient, ids: dict[str, Any]
) -> None:
    """A filter that needs the members at hand takes another way."""
    made = scim.post("/Groups", group("new", members=[{"value": ids["cid"]}])).json()
    people = [scim.post("/Users", user(f"more{n}")).json()["id"] for n in range(12)]
    scim.patch(
        f"/Groups/{made['id']}",
        {"op": "remove", "path": 'members[display eq "cid"]'},
        {"op": "add", "path": "members", "value": [{"value": one} for one in people]},
    )
    members = scim.get(f"/Groups/{made['id']}").json()["members"]
    assert [member["value"] for member in members] == people
