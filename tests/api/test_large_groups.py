"""Groups of many: what is written, what is read, what it takes."""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.models import Membership
from tests.conftest import ScimClient

from .test_groups import GROUP, group, members_of, people, statements

pytestmark = pytest.mark.django_db

MANY = 1500


def elements(ids: list[str]) -> list[dict[str, str]]:
    return [{"value": scim_id} for scim_id in ids]


def writes(sql: list[str]) -> list[str]:
    return [s for s in sql if s.lstrip().split()[0] in ("INSERT", "UPDATE", "DELETE")]


def rows_of(scim_id: str) -> list[tuple[Any, ...]]:
    rows = Membership.objects.filter(group__scim_id=scim_id).order_by("pk")
    return list(rows.values_list("pk", "created_at", "member__scim_id"))


@pytest.mark.parametrize("verb", ["put", "replace"])
def test_all_members_but_one_keep_their_rows(scim: ScimClient, verb: str) -> None:
    ids = people(scim, MANY)
    made = scim.post("/Groups", group("All", *ids)).json()["id"]
    before = rows_of(made)
    rest = ids[:700] + ids[701:]
    if verb == "put":
        assert scim.put(f"/Groups/{made}", group("All", *reversed(rest))).status_code == 200
    else:
        operation = {"op": "replace", "path": "members", "value": elements(rest)}
        assert scim.patch(f"/Groups/{made}", operation).status_code == 204
    assert rows_of(made) == [row for row in before if row[2] != ids[700]]


def test_members_are_answered_in_the_order_in_which_they_were_sent(scim: ScimClient) -> None:
    ids = people(scim, 300)[::-1]
    made = scim.post("/Groups", group("All", *ids[:200])).json()
    scim.patch(f"/Groups/{made['id']}", {"op": "add", "path": "members", "value": elements(ids)})
    seen = scim.get(f"/Groups/{made['id']}").json()["members"]
    assert [element["value"] for element in seen] == ids


def test_a_put_that_changes_nothing_moves_no_version(scim: ScimClient) -> None:
    ids = people(scim, 200)
    made = scim.post("/Groups", group("All", *ids)).json()
    before = rows_of(made["id"])
    again = scim.put(f"/Groups/{made['id']}", group("All", *ids)).json()
    assert again["meta"] == made["meta"]
    assert rows_of(made["id"]) == before


def test_many_operations_of_one_member_are_one_change(scim: ScimClient) -> None:
    ids = people(scim, MANY)
    path = f"/Groups/{scim.post('/Groups', group('All', ids[0])).json()['id']}"
    adds = [{"op": "Add", "path": "members", "value": [{"value": i}]} for i in ids]
    few = statements(lambda: scim.patch(path, *adds[:2]))
    many = statements(lambda: scim.patch(path, *adds))
    assert len(writes(many)) == len(writes(few))
    removes = [{"op": "remove", "path": f'members[value eq "{i}"]'} for i in ids[1:]]
    assert scim.patch(path, *removes).status_code == 204
    assert members_of(scim, path.removeprefix("/Groups/")) == {ids[0]}


def test_entra_removes_those_in_its_list_and_no_others(scim: ScimClient) -> None:
    ids = people(scim, MANY)
    made = scim.post("/Groups", group("All", *ids)).json()["id"]
    remove = {"op": "Remove", "path": "members", "value": elements(ids[10:])}
    assert scim.patch(f"/Groups/{made}", remove).status_code == 204
    assert members_of(scim, made) == set(ids[:10])


def test_one_new_member_is_one_insert_and_no_look_up(scim: ScimClient) -> None:
    ids = people(scim, 20)
    path = f"/Groups/{scim.post('/Groups', group('All', *ids[:10])).json()['id']}"
    scim.get(path)
    operation = {"op": "add", "path": "members", "value": elements(ids[10:11])}
    sql = statements(lambda: scim.patch(path, operation))
    of_members = [s for s in sql if Membership._meta.db_table in s]
    assert [s.lstrip().split()[0] for s in of_members] == ["INSERT"]
    assert len(sql) <= 5


@pytest.mark.parametrize(
    "unknown", ["nobody", "x" * 400, 'quo"te', "back\\slash", "per%cent %s", "ünïcode", "🦒"]
)
@pytest.mark.parametrize("change", ["add", "replace", "put"])
def test_an_unknown_id_among_many_is_named_and_changes_nothing(
    scim: ScimClient, change: str, unknown: str
) -> None:
    ids = people(scim, 30)
    made = scim.post("/Groups", group("All", *ids[:5])).json()["id"]
    before = rows_of(made)
    value = elements([*ids[3:], unknown])
    if change == "put":
        answer = scim.put(f"/Groups/{made}", group("All", *[e["value"] for e in value]))
    else:
        operation = {"op": change, "path": "members", "value": value}
        answer = scim.patch(f"/Groups/{made}", operation)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert repr(unknown[:80]) in answer.json()["detail"]
    assert rows_of(made) == before
    remove = {"op": "remove", "path": "members", "value": elements([unknown])}
    assert scim.patch(f"/Groups/{made}", remove).status_code == 204
    assert rows_of(made) == before


def test_the_members_of_one_group_come_in_windows(scim: ScimClient) -> None:
    ids = people(scim, 25)
    path = f"/Groups/{scim.post('/Groups', group('All', *ids)).json()['id']}"
    seen: list[str] = []
    for start in (1, 11, 21, 31):
        page = scim.get(path, startIndex=start, count=10).json()["members"]
        seen += [element["value"] for element in page]
    assert seen == ids
    assert scim.get(path, count=0).json()["members"] == []
    assert len(scim.get(path, startIndex=24).json()["members"]) == 2
    only = scim.get(path, attributes="members.value", startIndex=2, count=1).json()
    assert only["members"] == [{"value": ids[1]}]
    assert scim.get(path, count="few").status_code == 400


def test_without_members_no_membership_is_touched(scim: ScimClient) -> None:
    ids = people(scim, 5)
    path = f"/Groups/{scim.post('/Groups', group('All', *ids)).json()['id']}"
    for query in ({"excludedAttributes": "members"}, {"attributes": "displayName"}):
        for at in (path, "/Groups"):
            sql = statements(lambda at=at, query=query: scim.get(at, **query))
            assert not [s for s in sql if Membership._meta.db_table in s]


def chain(scim: ScimClient, person: str, depth: int) -> list[str]:
    """Groups of which each holds the one before, the first one the person."""
    inner, made = person, []
    for level in range(depth):
        inner = scim.post("/Groups", group(f"Level {level}", inner)).json()["id"]
        made.append(inner)
    return made


def test_groups_nested_ten_deep_and_in_a_circle_are_all_shown_once(scim: ScimClient) -> None:
    (one,) = people(scim, 1)
    levels = chain(scim, one, 10)
    into_the_first = {"op": "add", "path": "members", "value": elements(levels[-1:])}
    assert scim.patch(f"/Groups/{levels[0]}", into_the_first).status_code == 204
    groups = scim.get(f"/Users/{one}").json()["groups"]
    assert [(g["value"], g["type"]) for g in groups] == [
        (scim_id, "indirect" if place else "direct") for place, scim_id in enumerate(levels)
    ]


def test_groups_of_a_page_of_people_take_as_many_statements_as_of_one(scim: ScimClient) -> None:
    ids = people(scim, 60)
    inner = [scim.post("/Groups", group(f"In {n}", *ids)).json()["id"] for n in range(20)]
    scim.post("/Groups", {"schemas": [GROUP], "displayName": "Out", "members": elements(inner)})
    counts = [len(statements(lambda n=n: scim.get("/Users", count=n))) for n in (1, 1, 50)]
    assert counts[1] == counts[2]
    page = scim.get("/Users", count=50).json()["Resources"]
    assert {len(user["groups"]) for user in page} == {21}


def test_who_is_in_no_nested_group_costs_one_look_at_the_groups(scim: ScimClient) -> None:
    one, two = people(scim, 2)
    scim.post("/Groups", group("Flat", one))
    for scim_id in (one, two):
        sql = statements(lambda scim_id=scim_id: scim.get(f"/Users/{scim_id}"))
        assert len([s for s in sql if Membership._meta.db_table in s]) == 1


def test_nothing_refers_to_a_document_once_it_is_answered(scim: ScimClient) -> None:
    """Else 100,000 members wait for the collector of garbage, while the next ones come."""
    answer = scim.get("/Groups")
    assert answer.json()["totalResults"] == 0
    assert (answer.data, answer.renderer_context) == (None, {})
