"""Roles by rule over HTTP: who is in a group has a role, as long as that is so."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from scim_provider.existing import list_all, unlink
from scim_provider.models import Connection, Provenance, Resource, RoleAssignment
from scim_provider.role_mapping import MappingError, apply, preview
from scim_provider.roles import give_by_hand, main_role, roles_of, take_by_hand
from tests.conftest import ScimClient
from tests.factories import AccountFactory

from .test_groups import group, people, statements
from .test_users import person

pytestmark = pytest.mark.django_db

Account = get_user_model()
Given = set[tuple[str, str, str]]


def given(connection: Connection) -> Given:
    """Who has which role and why; and that a look at everybody would change nothing of it."""
    assert preview(connection, {}).as_dict()["people"] == 0
    rows = RoleAssignment.objects.filter(connection=connection)
    return set(rows.values_list("user__name", "role__value", "provenance"))


def rule(connection: Connection, *pairs: tuple[str, str], **more: Any) -> None:
    apply(connection, {"rules": [{"group": g, "role": r} for g, r in pairs], **more})


def members(*ids: str) -> list[dict[str, str]]:
    return [{"value": scim_id} for scim_id in ids]


def add(*ids: str) -> dict[str, Any]:
    return {"op": "add", "path": "members", "value": members(*ids)}


def remove(*ids: str) -> dict[str, Any]:
    return {"op": "remove", "path": "members", "value": members(*ids)}


@pytest.fixture
def team(scim: ScimClient, connection: Connection) -> tuple[str, list[str]]:
    """A group without members whose rule gives "analyst", and the ids of four people."""
    ids = people(scim, 4, prefix="p")
    made = scim.post("/Groups", group("Team")).json()
    rule(connection, ("Team", "analyst"))
    return f"/Groups/{made['id']}", ids


def test_a_rule_gives_its_role_to_who_comes_and_takes_it_from_who_goes(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    path, ids = team
    scim.patch(path, add(*ids[:2]))
    assert given(connection) == {("p0", "analyst", "rule"), ("p1", "analyst", "rule")}
    scim.patch(path, remove(ids[0]), add(ids[2]))
    assert given(connection) == {("p1", "analyst", "rule"), ("p2", "analyst", "rule")}
    scim.put(path, group("Team", ids[2], ids[3]))
    assert given(connection) == {("p2", "analyst", "rule"), ("p3", "analyst", "rule")}
    scim.patch(path, {"op": "remove", "path": f'members[value eq "{ids[2]}"]'})
    assert given(connection) == {("p3", "analyst", "rule")}
    scim.delete(f"/Users/{ids[3]}")
    assert given(connection) == set()
    scim.patch(path, add(ids[0]))
    scim.delete(path)
    assert given(connection) == set()
    assert preview(connection, {"rules": []}).as_dict()["people"] == 0


def test_every_reason_is_kept_for_itself(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    path, ids = team
    scim.patch(f"/Users/{ids[0]}", {"op": "add", "path": "role", "value": "analyst"})
    give_by_hand(connection.roles.get(value="analyst"), Resource.objects.filter(scim_id=ids[0]))
    scim.patch(path, add(ids[0]))
    reasons = {("p0", "analyst", reason) for reason in ("client", "hand", "rule")}
    assert given(connection) == reasons
    scim.patch(path, remove(ids[0]))
    assert given(connection) == {r for r in reasons if r[2] != "rule"}
    scim.patch(f"/Users/{ids[0]}", {"op": "remove", "path": "roles"})
    assert given(connection) == {("p0", "analyst", "hand")}
    take_by_hand(connection.roles.get(value="analyst"), Resource.objects.filter(scim_id=ids[0]))
    assert given(connection) == set()


def test_groups_in_groups_count(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    path, ids = team
    inner = scim.post("/Groups", group("Inner", ids[0])).json()["id"]
    middle = scim.post("/Groups", group("Middle", inner)).json()["id"]
    scim.patch(path, add(middle))
    assert given(connection) == {("p0", "analyst", "rule")}
    scim.patch(f"/Groups/{inner}", add(ids[1], ids[2]), remove(ids[0]))
    assert given(connection) == {("p1", "analyst", "rule"), ("p2", "analyst", "rule")}
    scim.patch(path, add(ids[1]))
    scim.delete(f"/Groups/{middle}")
    assert given(connection) == {("p1", "analyst", "rule")}
    scim.patch(path, add(inner))
    scim.patch(path, remove(ids[1]))
    assert given(connection) == {("p1", "analyst", "rule"), ("p2", "analyst", "rule")}
    scim.patch(path, remove(inner))
    assert given(connection) == set()
    circle = scim.post("/Groups", group("Circle", path.rpartition("/")[2], ids[3])).json()["id"]
    scim.patch(path, add(circle))
    assert given(connection) == {("p3", "analyst", "rule")}
    scim.patch(path, remove(circle))
    assert given(connection) == set()


def test_two_rules_for_one_role_are_two_reasons(scim: ScimClient, connection: Connection) -> None:
    (ada,) = people(scim, 1, prefix="p")
    paths = [
        f"/Groups/{scim.post('/Groups', group(name, ada)).json()['id']}" for name in ("A", "B")
    ]
    rule(connection, ("A", "analyst"), ("B", "analyst"), ("B", "support"))
    both = {("p0", "analyst", "rule"), ("p0", "support", "rule")}
    assert given(connection) == both
    scim.patch(paths[0], remove(ada))
    assert given(connection) == both
    scim.delete(paths[1])
    assert given(connection) == set()


def test_ten_thousand_members_cost_what_ten_do(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    path, _ = team
    connection.roles.filter(value="analyst").update(django_group=Group.objects.create(name="A"))
    few, many = people(scim, 10, prefix="few"), people(scim, 120, prefix="many")

    def costs(ids: list[str]) -> list[int]:
        acts = [
            lambda: scim.patch(path, add(*ids)),
            lambda: scim.patch(path, remove(*ids)),
            lambda: scim.put(path, group("Team", *ids)),
            lambda: scim.put(path, group("Team")),
        ]
        scim.get(path)
        return [len(statements(act)) for act in acts]

    assert costs(few) == costs(many)
    scim.patch(path, add(*many))
    assert RoleAssignment.objects.count() == 120
    assert Group.objects.get(name="A").user_set.count() == 120


def test_a_group_that_no_rule_concerns_costs_nothing_more(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    other = f"/Groups/{scim.post('/Groups', group('Other')).json()['id']}"
    scim.get(other)
    with_rules = len(statements(lambda: scim.patch(other, add(*team[1]))))
    rule(connection)
    third = f"/Groups/{scim.post('/Groups', group('Third')).json()['id']}"
    assert len(statements(lambda: scim.patch(third, add(*team[1])))) == with_rules


def test_what_the_client_is_answered_is_what_it_sent(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    path, ids = team
    scim.patch(path, add(*ids[:2]))
    scim.patch(f"/Users/{ids[0]}", {"op": "add", "path": "role", "value": "Support"})
    answers = [scim.get(f"/Users/{scim_id}").json() for scim_id in ids[:2]]
    assert [answer.get("role") for answer in answers] == ["Support", None]
    assert "roles" not in answers[1]
    found = scim.get("/Users", filter='roles.value eq "analyst"').json()
    assert found["totalResults"] == 0
    account = Account.objects.get(username="p0")
    assert {role.value for role in roles_of([account])[account.pk]} == {"support", "analyst"}


def test_the_main_role_is_the_one_with_priority_then_the_clients_primary_one(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    path, ids = team
    roles = [{"value": "support"}, {"value": "manager", "primary": True}]
    scim.patch(f"/Users/{ids[0]}", {"op": "add", "path": "roles", "value": roles})
    scim.patch(path, add(ids[0]))
    account = Account.objects.get(username="p0")
    assert str(main_role(account)) == "Manager"
    connection.roles.filter(value="analyst").update(priority=5)
    assert str(main_role(account, connection)) == "Analyst"
    assert main_role(Account.objects.get(username="p1")) is None


def test_role_is_the_most_important_of_several_without_a_primary_one(
    scim: ScimClient, connection: Connection
) -> None:
    connection.roles.filter(value="manager").update(priority=5)
    roles = [{"value": "support"}, {"value": "manager"}, {"value": "analyst"}]
    made = scim.post("/Users", person(roles=roles)).json()
    assert (made["role"], len(made["roles"])) == ("manager", 3)


def test_who_gets_no_role_gets_the_default_one(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    path, ids = team
    roles = [{"value": "analyst"}, {"value": "support", "default": True}]
    apply(connection, {"roles": roles, "missing_role": "default"})
    assert given(connection) == {(f"p{n}", "support", "default") for n in range(4)}
    scim.patch(path, add(ids[0]))
    scim.patch(f"/Users/{ids[1]}", {"op": "add", "path": "role", "value": "analyst"})
    assert given(connection) == {
        ("p0", "analyst", "rule"),
        ("p1", "analyst", "client"),
        ("p2", "support", "default"),
        ("p3", "support", "default"),
    }
    scim.patch(path, remove(ids[0]))
    scim.patch(f"/Users/{ids[1]}", {"op": "remove", "path": "role"})
    made = scim.post("/Users", person(userName="new")).json()
    bulk = {"method": "POST", "path": "/Users", "bulkId": "b", "data": person(userName="bulk")}
    twice = [bulk, {**bulk, "bulkId": "c", "data": person(userName="bulk2", role="analyst")}]
    request = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    scim.post("/Bulk", {"schemas": [request], "Operations": twice})
    expected = {(name, "support", "default") for name in ("p0", "p1", "p2", "p3", "new", "bulk")}
    assert given(connection) == expected | {("bulk2", "analyst", "client")}
    assert made.get("role") is None


def test_a_protected_role_is_given_by_no_rule_unless_it_says_so(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    path, ids = team
    connection.roles.filter(value="analyst").update(protected=True)
    scim.patch(path, add(ids[0]))
    assert given(connection) == set()
    with pytest.raises(MappingError, match="rules_may_grant"):
        rule(connection, ("Team", "analyst"))
    connection.roles.filter(value="analyst").update(rules_may_grant=True)
    scim.patch(path, add(ids[1]))
    apply(connection, {})
    assert given(connection) == {("p0", "analyst", "rule"), ("p1", "analyst", "rule")}
    refused = scim.patch(f"/Users/{ids[2]}", {"op": "add", "path": "role", "value": "analyst"})
    assert refused.status_code == 400


def test_rules_take_away_only_groups_that_they_gave(
    scim: ScimClient, connection: Connection, team: tuple[str, list[str]]
) -> None:
    path, ids = team
    granted = Group.objects.create(name="Analysts")
    connection.roles.filter(value="analyst").update(django_group=granted)
    Account.objects.get(username="p0").groups.add(granted)  # by hand, before any role
    scim.patch(path, add(*ids))
    scim.patch(f"/Users/{ids[1]}", {"op": "add", "path": "role", "value": "analyst"})
    assert granted.user_set.count() == 4
    scim.patch(path, remove(*ids))
    assert set(granted.user_set.values_list("username", flat=True)) == {"p0", "p1"}
    scim.patch(path, add(*ids))
    scim.delete(f"/Users/{ids[2]}")
    assert set(granted.user_set.values_list("username", flat=True)) == {"p0", "p1", "p3"}
    scim.delete(path)
    assert set(granted.user_set.values_list("username", flat=True)) == {"p0", "p1"}


def test_a_rule_concerns_its_own_organization_alone(
    scim: ScimClient,
    other_scim: ScimClient,
    other_connection: Connection,
    team: tuple[str, list[str]],
) -> None:
    with pytest.raises(MappingError, match="There is no group"):
        rule(other_connection, ("Team", "analyst"))
    people(other_scim, 1, prefix="q")
    assert given(other_connection) == set()
    assert {p.value for p in Provenance} == {"client", "hand", "rule", "default"}


def test_who_was_there_before_scim_gets_the_default_role_and_leaves_with_it(
    connection: Connection,
) -> None:
    roles = [{"value": "member", "default": True, "django_group": "Members"}]
    apply(connection, {"roles": roles, "missing_role": "default"})
    for number in range(3):
        AccountFactory(username=f"old{number}", organization=connection.owner)
    connection.refresh_from_db()
    list_all(connection, lambda *_: None)
    assert given(connection) == {(f"old{n}", "member", "default") for n in range(3)}
    members_group = Group.objects.get(name="Members")
    assert members_group.user_set.count() == 3
    unlink(connection, Resource.objects.filter(name__in=["old0", "old1"]))
    assert [user.username for user in members_group.user_set.all()] == ["old2"]
