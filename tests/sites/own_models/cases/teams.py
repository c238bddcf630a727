"""Teams of the site are SCIM's groups: members in the site's own table, written as sets."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from scim_provider.models import Connection
from tests.scim_client import ScimClient
from tests.sites.own_models.teams.models import Seat, Team

from .columns import create

pytestmark = pytest.mark.django_db
Account = get_user_model()


def group(scim: ScimClient, name: str, *members: str) -> dict[str, Any]:
    sent = {"displayName": name, "members": [{"value": scim_id} for scim_id in members]}
    answer = scim.post("/Groups", sent)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


@pytest.fixture
def ids(scim: ScimClient) -> list[str]:
    return [create(scim, f"p{number}@x.test")["id"] for number in range(3)]


def seated(name: str) -> list[str]:
    return sorted(Seat.objects.filter(team__name=name).values_list("person__email", flat=True))


def test_a_group_is_a_team_with_seats(scim: ScimClient, ids: list[str]) -> None:
    made = group(scim, "Tigers", *ids[:2])
    assert [one["value"] for one in made["members"]] == ids[:2]
    assert seated("Tigers") == ["p0@x.test", "p1@x.test"]
    assert {(one.rank, bool(one.since)) for one in Seat.objects.all()} == {("member", True)}
    read = scim.get(f"/Groups/{made['id']}").json()
    assert read == made
    person = scim.get(f"/Users/{ids[0]}").json()
    assert [(one["value"], one["display"]) for one in person["groups"]] == [(made["id"], "Tigers")]


def test_members_come_and_go_and_who_stays_keeps_the_seat(scim: ScimClient, ids: list[str]) -> None:
    made = group(scim, "Tigers", ids[0])
    path, seat = f"/Groups/{made['id']}", Seat.objects.get()
    Seat.objects.filter(pk=seat.pk).update(rank="captain")
    add = {"op": "add", "path": "members", "value": [{"value": one} for one in ids]}
    assert scim.patch(path, add).status_code == 204
    version = scim.get(path).json()["meta"]["version"]
    assert scim.patch(path, add).status_code == 204
    assert scim.get(path).json()["meta"]["version"] == version == 'W/"2"'
    remove = {"op": "remove", "path": f'members[value eq "{ids[1]}"]'}
    assert scim.patch(path, remove).status_code == 204
    assert seated("Tigers") == ["p0@x.test", "p2@x.test"]
    whole = {"displayName": "Lions", "members": [{"value": ids[0]}, {"value": ids[1]}]}
    answer = scim.put(path, whole).json()
    assert [one["value"] for one in answer["members"]] == ids[:2]
    assert (seated("Lions"), Seat.objects.get(pk=seat.pk).rank) == (
        ["p0@x.test", "p1@x.test"],
        "captain",
    )
    assert scim.put(path, {"displayName": "Lions"}).json()["members"] == []


def test_what_the_site_does_shows_at_once(scim: ScimClient, ids: list[str]) -> None:
    made = group(scim, "Tigers", ids[0])
    bears = Team.objects.create(name="Bears")
    Seat.objects.create(team=bears, person=Account.objects.get(email="p2@x.test"))
    Team.objects.filter(name="Tigers").update(name="Lions")
    listed = scim.get("/Groups", sortBy="displayName").json()["Resources"]
    assert [(one["displayName"], len(one["members"])) for one in listed] == [
        ("Bears", 1),
        ("Lions", 1),
    ]
    (found,) = scim.get("/Groups", filter='displayName eq "lions"').json()["Resources"]
    assert found["id"] == made["id"]
    (person,) = scim.get("/Users", filter='groups.display eq "Bears"').json()["Resources"]
    assert (person["id"], person["groups"][0]["value"]) == (ids[2], listed[0]["id"])
    bears.delete()
    assert scim.get(f"/Groups/{listed[0]['id']}").status_code == 404
    assert scim.get("/Groups").json()["totalResults"] == 1
    assert "groups" not in scim.get(f"/Users/{ids[2]}").json()


def test_teams_are_found_by_members(scim: ScimClient, ids: list[str]) -> None:
    made = group(scim, "Tigers", *ids[:2])
    group(scim, "Bears", ids[2])
    for text in (
        f'members.value eq "{ids[1]}"',
        f'members[value eq "{ids[1]}" and type eq "User"]',
        f'not (members.value eq "{ids[2]}")',
        'members.display sw "p0"',
    ):
        found = scim.get("/Groups", filter=text, excludedAttributes="members").json()["Resources"]
        assert [one["id"] for one in found] == [made["id"]], text
        assert "members" not in found[0]
    people = scim.get("/Users", filter=f'groups.value eq "{made["id"]}"').json()
    assert people["totalResults"] == 2


def test_people_and_teams_are_sorted_by_the_first_of_each_other(
    scim: ScimClient, ids: list[str]
) -> None:
    group(scim, "Tigers", ids[1])
    group(scim, "bears", ids[0], ids[1])
    group(scim, "Lions")

    def by(path: str, attribute: str) -> list[str]:
        found = scim.get(path, sortBy=attribute).json()["Resources"]
        names = (one.get("userName") or one["displayName"] for one in found)
        return [name.partition("@")[0] for name in names]

    assert by("/Users", "groups.display") == ["p0", "p1", "p2"]  # bears, Tigers, none
    assert by("/Groups", "members.display") == ["bears", "Tigers", "Lions"]  # p0, p1, nobody
    firsts = sorted({ids[0]: "bears", ids[1]: "Tigers"}.items())
    for attribute in ("members", "members.value", "members.$ref"):
        assert by("/Groups", attribute) == [*(name for _, name in firsts), "Lions"]
    for attribute in ("groups.value", "groups.$ref", "groups.type"):
        assert by("/Users", attribute)[-1] == "p2"


def test_refusals_change_nothing(scim: ScimClient, ids: list[str]) -> None:
    made, other = group(scim, "Tigers", ids[0]), group(scim, "Bears")
    path = f"/Groups/{made['id']}"
    for value, said in (("nobody", "no User or Group has the id"), (other["id"], "people only")):
        answer = scim.patch(path, {"op": "add", "path": "members", "value": [{"value": value}]})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        assert said in answer.json()["detail"]
    Team.objects.create(name="Wolves")
    for name in ("BEARS", "wolves"):
        assert scim.post("/Groups", {"displayName": name}).status_code == 409
        renamed = scim.patch(path, {"op": "replace", "path": "displayName", "value": name})
        assert (renamed.status_code, renamed.json()["scimType"]) == (409, "uniqueness")
    same = scim.patch(path, {"op": "replace", "path": "displayName", "value": "TIGERS"})
    assert same.status_code == 204
    Connection.objects.update(unique_group_names=False)
    assert scim.post("/Groups", {"displayName": "bears"}).status_code == 201


def test_a_deleted_group_and_a_deleted_person_leave_no_seat(
    scim: ScimClient, ids: list[str]
) -> None:
    made, other = group(scim, "Tigers", *ids), group(scim, "Bears", ids[0])
    assert scim.delete(f"/Groups/{other['id']}").status_code == 204
    assert not Team.objects.filter(name="Bears").exists()
    assert scim.delete(f"/Users/{ids[0]}").status_code == 204
    assert seated("Tigers") == ["p1@x.test", "p2@x.test"]
    read = scim.get(f"/Groups/{made['id']}").json()
    assert (len(read["members"]), read["meta"]["version"]) == (2, 'W/"2"')


def test_statements_do_not_grow_with_members(scim: ScimClient, ids: list[str]) -> None:
    made = group(scim, "Tigers")
    path, counts = f"/Groups/{made['id']}", []
    for some in (ids[:1], ids[1:]):
        add = {"op": "add", "path": "members", "value": [{"value": one} for one in some]}
        with CaptureQueriesContext(database) as captured:
            assert scim.patch(path, add).status_code == 204
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 10


def test_groups_come_by_bulk_and_by_the_root(scim: ScimClient, ids: list[str]) -> None:
    operations = [
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": name,
            "data": {"displayName": name, "members": [{"value": ids[0]}]},
        }
        for name in ("Tigers", "Bears", "tigers")
    ]
    request = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    }
    answered = scim.post("/Bulk", request).json()["Operations"]
    assert [one["status"] for one in answered] == ["201", "201", "409"]
    Team.objects.create(name="Wolves")
    names = {one.get("displayName") for one in scim.get("/").json()["Resources"]}
    assert {"Tigers", "Bears", "Wolves"} <= names
    pages, cursor = [], ""
    while cursor is not None:
        page = scim.get("/Groups", sortBy="displayName", cursor=cursor, count=1).json()
        pages += [one["displayName"] for one in page["Resources"]]
        cursor = page.get("nextCursor")
    assert pages == ["Bears", "Tigers", "Wolves"]
