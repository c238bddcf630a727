"""Many creates at once leave what one create after the other leaves, and refuse the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from example_project.accounts.models import Location
from scim_provider.models import Connection, Resource, Role, UnknownMember
from scim_provider.protocol.errors import InvalidValue, ScimError, Uniqueness
from scim_provider.resources import Representation
from tests.factories import AccountFactory, SuperuserFactory

from .creates import (
    ENTERPRISE,
    GROUP,
    KLAXON,
    USER,
    context_of,
    kind,
    left_behind,
    one_by_one,
    together,
    told,
)

pytestmark = pytest.mark.django_db

Way = Callable[..., list[Any]]


class Rolled(Exception):
    """Undoes a comparison, so that the next one starts from the same rows."""


def outcome(way: Way, connection: Connection, bodies: list[Any], name: str = "User") -> Any:
    """What ``way`` answers and leaves behind; nothing of it stays."""
    seen: list[Any] = []
    try:
        with transaction.atomic():
            answers = told(way(kind(name), context_of(connection), bodies))
            places = sorted(Location.objects.values_list("name", flat=True))
            seen += [answers, left_behind(connection), get_user_model().objects.count(), places]
            raise Rolled
    except Rolled:
        return seen


def same(connection: Connection, bodies: list[Any], name: str = "User") -> list[Any]:
    """The answers, which both ways give."""
    single = outcome(one_by_one, connection, bodies, name)
    assert outcome(together, connection, bodies, name) == single
    return list(single[0])


def person(login: str, **more: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": login, **more}


def full(login: str, **more: Any) -> dict[str, Any]:
    return person(
        login,
        externalId=f"x-{login}",
        name={"givenName": "Ana", "familyName": "Silva", "formatted": "Ana Silva"},
        emails=[
            {"value": f"{login}@example.com", "type": "work", "primary": True},
            {"value": f"{login}@home.example", "type": "home"},
        ],
        phoneNumbers=[{"value": "+351 21 000", "type": "work"}],
        title="Clerk",
        active=True,
        **{ENTERPRISE: {"department": "Sales", "manager": {"value": "26118915"}}},
        **more,
    )


def refusals(answers: list[Any]) -> list[type[ScimError] | None]:
    return [answer[0] if isinstance(answer, tuple) else None for answer in answers]


def test_whole_people_are_stored_indexed_and_given_accounts(connection: Connection) -> None:
    answers = same(connection, [full(f"user{n}", nickName="é" * 300) for n in range(5)])
    assert answers == [f"user{n}" for n in range(5)]


def test_of_two_bodies_with_one_name_the_first_wins(connection: Connection) -> None:
    names = ["ana", "ANA", "ana", "aNa", "\uff21na", " ana", "ben", "Ben "]
    answers = same(connection, [person(name) for name in names])
    assert answers[0] == "ana"
    assert refusals(answers[1:4]) == [Uniqueness] * 3


def test_a_body_that_fails_leaves_its_name_to_a_later_one(connection: Connection) -> None:
    answers = same(
        connection,
        [
            person("ana", password="short"),
            person("ana", title="the second one"),
            person("ana", title="the third one"),
            person("ben", role="astronaut"),
            person("ben"),
            person("cleo", name={"givenName": "x" * 500}),
            person("cleo"),
        ],
    )
    wanted = [InvalidValue, None, Uniqueness, InvalidValue, None, InvalidValue, None]
    assert refusals(answers) == wanted


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "ana",
        {},
        {"schemas": [GROUP], "userName": "ana"},
        {"schemas": [USER]},
        person(""),
        person("   "),
        person("a" * 151),
        person("a" * 300),
        person("ana\x00"),
        person("ana", emails=[{"primary": True, "value": "a"}, {"primary": True, "value": "b"}]),
        person("ana", active="perhaps"),
        person("ana", roles=[{"value": "nobody"}]),
    ],
)
def test_an_unfit_body_is_refused_alike_and_holds_nobody_up(
    connection: Connection, body: Any
) -> None:
    answers = same(connection, [person("first"), body, person("last")])
    assert (answers[0], answers[2]) == ("first", "last")
    assert isinstance(answers[1], tuple)


@pytest.mark.parametrize("taken", ["ana", "Ana", "ANA", "aNA"])
def test_names_of_accounts_of_the_site_are_taken(connection: Connection, taken: str) -> None:
    AccountFactory(username=taken)
    same(connection, [person("ana"), person("ben"), person("Ana"), person("ANA "), person("aNa")])


def test_names_of_people_who_are_there_are_taken(connection: Connection) -> None:
    together(kind(), context_of(connection), [person("ana"), person("BEN")])
    answers = same(connection, [person("ana"), person("ben"), person("bEn"), person("cleo")])
    assert refusals(answers) == [Uniqueness, Uniqueness, Uniqueness, None]


def test_a_person_who_returns_gets_the_old_account(connection: Connection) -> None:
    served, context = kind(), context_of(connection)
    rows = together(served, context, [full("ana"), full("ben"), full("cleo")])
    for row in rows:
        served.remove(row, context)
    bodies = [
        person("ANA", title="back"),
        person("ana"),
        person("ben", password="short"),
        full("Ben"),
        person("ben"),
    ]
    answers = same(connection, bodies)
    assert answers[0] == "ANA"
    assert refusals(answers) == [None, Uniqueness, InvalidValue, None, Uniqueness]
    assert outcome(together, connection, bodies)[2] == 3


def test_who_moved_to_another_organization_does_not_return(connection: Connection) -> None:
    served, context = kind(), context_of(connection)
    (row,) = together(served, context, [person("ana")])
    served.remove(row, context)
    get_user_model().objects.update(organization=None)
    assert refusals(same(connection, [person("ana"), person("ben")])) == [Uniqueness, None]


def test_staff_is_not_managed_through_a_return(connection: Connection) -> None:
    served, context = kind(), context_of(connection)
    (row,) = together(served, context, [person("root")])
    served.remove(row, context)
    get_user_model().objects.update(is_staff=True)
    same(connection, [person("root"), person("root"), person("ben")])


def test_superusers_are_not_taken_over(connection: Connection) -> None:
    SuperuserFactory(username="root")
    assert refusals(same(connection, [person("root"), person("Root")])) == [Uniqueness] * 2


def test_passwords_are_set_and_the_others_have_none(connection: Connection) -> None:
    bodies = [person("ana", password="correct horse battery"), person("ben")]
    same(connection, bodies)
    ana, ben = together(kind(), context_of(connection), bodies)
    assert ana.account.check_password("correct horse battery")
    saved = get_user_model().objects.get(pk=ana.account.pk)
    assert saved.check_password("correct horse battery")
    assert not ben.account.has_usable_password()
    assert "password" not in ana.document


def test_roles_are_assigned_and_grant_their_groups(connection: Connection) -> None:
    editors = Group.objects.create(name="Editors")
    Role.objects.filter(connection=connection, value="manager").update(django_group=editors)
    bodies = [
        person("ana", role="Manager"),
        person("ben", roles=[{"value": "analyst"}, {"value": "manager", "primary": True}]),
        person("cleo", roles=[{"value": "MANAGER", "display": "Boss"}]),
        person("dan"),
    ]
    same(connection, bodies)
    together(kind(), context_of(connection), bodies)
    assert editors.user_set.count() == 3


def test_a_look_up_with_a_default_makes_no_row_for_a_refused_body(connection: Connection) -> None:
    place = {KLAXON: {"location": "Nowhere", "notificationPhoneNumber": "+1"}}
    answers = same(connection, [person("ana", password="short", **place), person("ben")])
    assert refusals(answers) == [InvalidValue, None]
    same(connection, [person("ana", **place), person("ana", **place), person("ben", **place)])


def test_groups_take_members_that_are_there(connection: Connection) -> None:
    people = together(kind(), context_of(connection), [person(f"user{n}") for n in range(4)])
    ids = [{"value": row.scim_id} for row in people]
    bodies = [
        {"schemas": [GROUP], "displayName": "All", "members": ids},
        {"schemas": [GROUP], "displayName": "ALL", "members": ids},
        {"schemas": [GROUP], "displayName": "Two", "members": [*ids[:2], ids[0]]},
        {"schemas": [GROUP], "displayName": "Ghosts", "members": [*ids, {"value": "ghost"}]},
        {"schemas": [GROUP], "displayName": "Ghosts", "members": [{"value": "ghost"}]},
        {"schemas": [GROUP], "displayName": "Named", "members": [{**ids[0], "display": "A"}]},
        {"schemas": [GROUP], "displayName": "Nobody"},
        {"schemas": [GROUP], "displayName": "Empty", "members": []},
        {"schemas": [GROUP], "members": ids},
    ]
    answers = same(connection, bodies, "Group")
    wanted = [None, Uniqueness, None, InvalidValue, InvalidValue, None, None, None, InvalidValue]
    assert refusals(answers) == wanted


@pytest.mark.parametrize("policy", [UnknownMember.IGNORE, UnknownMember.REJECT])
def test_the_policies_of_groups_hold(connection: Connection, policy: str) -> None:
    connection.unknown_member, connection.unique_group_names = policy, False
    (row,) = together(kind(), context_of(connection), [person("ana")])
    members = [{"value": "ghost"}, {"value": row.scim_id}]
    body = {"schemas": [GROUP], "displayName": "All", "members": members}
    same(connection, [body, body], "Group")


def test_a_group_may_have_an_earlier_one_of_the_batch_as_a_member(connection: Connection) -> None:
    inner = {"schemas": [GROUP], "displayName": "Inner"}
    outer = {"schemas": [GROUP], "displayName": "Outer", "members": [{"value": "inner"}]}
    served, context = kind("Group"), context_of(connection)
    made = served.create_many(context, [inner, outer], scim_ids=["inner", "outer"])
    wanted = [context.location("/Groups", scim_id) for scim_id in ("inner", "outer")]
    assert [each.location for each in made if isinstance(each, Representation)] == wanted
    members = Resource.objects.get(name="Inner").member_of.values_list("group__name", flat=True)
    assert list(members) == ["Outer"]


def test_a_group_cannot_have_a_later_one_or_itself_as_a_member(connection: Connection) -> None:
    inner = {"schemas": [GROUP], "displayName": "Inner", "members": [{"value": "inner"}]}
    outer = {"schemas": [GROUP], "displayName": "Outer", "members": [{"value": "inner"}]}
    served, context = kind("Group"), context_of(connection)
    made = served.create_many(context, [outer, inner], scim_ids=["outer", "inner"])
    assert [each.detail for each in made if isinstance(each, InvalidValue)] == [
        "members: no User or Group has the id 'inner'. Create it first, or leave it out.",
        "members: the group inner cannot be a member of itself.",
    ]
    assert not Resource.objects.exists()


def test_nothing_to_create_is_nothing(connection: Connection) -> None:
    assert together(kind(), context_of(connection), []) == []


names = st.sampled_from(["ana", "ANA", "Ana", "aNa", "\uff41na", "ben", "Ben", "eve", "Éve", "zoë"])
bodies = st.fixed_dictionaries(
    {"userName": names},
    optional={
        "password": st.sampled_from(["short", "correct horse battery"]),
        "role": st.sampled_from(["manager", "astronaut"]),
        "title": st.sampled_from(["Clerk", "", None]),
        "active": st.sampled_from([True, False, "maybe"]),
        "externalId": st.sampled_from(["1", "2"]),
        KLAXON: st.sampled_from([{"location": "Nowhere"}, {"location": "Here"}]),
    },
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(bodies, max_size=8))
def test_any_mixture_of_bodies_comes_out_the_same(
    connection: Connection, sent: list[dict[str, Any]]
) -> None:
    with transaction.atomic():
        AccountFactory(username="Eve")
        (row,) = together(kind(), context_of(connection), [person("Ben")])
        kind().remove(row, context_of(connection))
        same(connection, sent)
        transaction.set_rollback(True)  # nothing stays for the next example


#: SQLite takes so few parameters in a statement that 100 people need a few.
STATEMENTS_MORE = 6 if database.vendor == "sqlite" else 0


def statements(connection: Connection, bodies: list[Any], name: str = "User") -> int:
    with CaptureQueriesContext(database) as captured:
        outcomes = together(kind(name), context_of(connection), bodies)
    assert not [each for each in outcomes if isinstance(each, ScimError)]
    return len(captured)


def test_statements_do_not_grow_with_the_bodies(connection: Connection) -> None:
    few, many = ([full(f"{size}-{n}") for n in range(size)] for size in (10, 100))
    statements(connection, [full("warm")])  # the owner of the connection is read once
    more = statements(connection, many) - statements(connection, few)
    assert more <= STATEMENTS_MORE


def test_statements_do_not_grow_with_people_who_return_roles_and_passwords(
    connection: Connection,
) -> None:
    editors = Group.objects.create(name="Editors")
    Role.objects.filter(connection=connection, value="manager").update(django_group=editors)
    served, counts = kind(), []
    for size in (10, 100):
        bodies = [
            full(f"{size}-{n}", role="manager", password="correct horse battery")
            for n in range(size)
        ]
        for row in together(served, context_of(connection), bodies[::2]):
            served.remove(row, context_of(connection))
        counts.append(statements(connection, bodies))
    assert counts[1] - counts[0] <= STATEMENTS_MORE


def test_statements_do_not_grow_with_groups_and_members(connection: Connection) -> None:
    people = together(kind(), context_of(connection), [person(f"u{n}") for n in range(30)])
    members = [{"value": row.scim_id} for row in people]
    few, many = (
        [
            {"schemas": [GROUP], "displayName": f"{size}-{n}", "members": members}
            for n in range(size)
        ]
        for size in (10, 100)
    )
    more = statements(connection, many, "Group") - statements(connection, few, "Group")
    assert more <= STATEMENTS_MORE
