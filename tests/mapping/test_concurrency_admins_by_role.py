"""Two requests at once that each take one of the last two administrators, who are so by a role.

A Django group that a role grants makes them one; no row of theirs is written when it is taken.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import connection as database
from django.db.models import QuerySet
from django.test import override_settings

from example_project.accounts import scim as example
from scim_provider import organizations
from scim_provider.models import Connection
from scim_provider.role_mapping import apply
from tests.api.test_groups import group
from tests.conftest import ScimClient

from .test_concurrency import at_once, person
from .writers import several_writers

pytestmark = several_writers

Act = Callable[[], Any]
#: The first statement that takes away what makes somebody an administrator.
_TAKES = re.compile(r"DELETE FROM .scim_provider_roleassignment.|UPDATE .accounts_account. SET")
#: Seconds that one waits for the other to have asked, too.
_TOGETHER = 1


class AdminsByPermission(example.Organizations):
    """Who may manage SCIM by a Django group, as on a site that names no administrators."""

    def admins(self, owner: Any) -> QuerySet[Any]:
        return organizations.Organizations().admins(owner).filter(organization=owner)


@pytest.fixture(autouse=True)
def admins_by_permission() -> Iterator[None]:
    changed = {**settings.SCIM_PROVIDER, "ORGANIZATIONS": AdminsByPermission}
    with override_settings(SCIM_PROVIDER=changed):
        yield


@pytest.fixture
def paths(scim: ScimClient, connection: Connection) -> dict[str, str]:
    """Ada and Bo, administrators by groups, rules and roles of their own."""
    manage = Permission.objects.get(codename="manage_scim")
    roles = []
    for role in ("chief", "deputy", "warden", "keeper"):
        Group.objects.create(name=role).permissions.add(manage)
        roles.append({"value": role, "django_group": role})
    made = {}
    for name, title in (("ada", "Chiefs"), ("bo", "Deputies")):
        made[name] = scim.post("/Users", person(name)).json()["id"]
        members = scim.post("/Groups", group(title, made[name])).json()
        made[title] = members["id"]
    rules = [{"group": "Chiefs", "role": "chief"}, {"group": "Deputies", "role": "deputy"}]
    apply(connection, {"roles": roles, "rules": rules})
    return {
        name: f"/{'Groups' if name[0].isupper() else 'Users'}/{key}" for name, key in made.items()
    }


def admins() -> list[str]:
    found = organizations.Organizations().admins(None).filter(is_active=True)
    return sorted(found.values_list("username", flat=True))


def both_having_asked(acts: list[Act]) -> list[Any]:
    """The results of ``acts``, none of which takes anything before the other has come as far.

    Where one waits for the other, the other goes on in a while.
    """
    barrier = threading.Barrier(len(acts))

    def waiting(act: Act) -> Any:
        waits = [barrier]

        def wrapper(execute: Any, sql: str, *arguments: Any) -> Any:
            if waits and _TAKES.match(sql):
                with suppress(threading.BrokenBarrierError):
                    waits.pop().wait(_TOGETHER)
            return execute(sql, *arguments)

        with database.execute_wrapper(wrapper):
            return act()

    return at_once([lambda act=act: waiting(act) for act in acts])


def leaves(scim: ScimClient, path: str) -> Act:
    return lambda: scim.patch(path, {"op": "remove", "path": "members"}).status_code


def deactivated(scim: ScimClient, path: str) -> Act:
    change = {"op": "replace", "path": "active", "value": False}
    return lambda: scim.patch(path, change).status_code


def test_two_groups_of_different_roles_leave_one(scim: ScimClient, paths: dict[str, str]) -> None:
    assert admins() == ["ada", "bo"]
    answers = both_having_asked([leaves(scim, paths["Chiefs"]), leaves(scim, paths["Deputies"])])
    assert (sorted(answers), len(admins())) == ([204, 403], 1)


def test_a_group_and_a_deactivation_leave_one(scim: ScimClient, paths: dict[str, str]) -> None:
    answers = both_having_asked([leaves(scim, paths["Chiefs"]), deactivated(scim, paths["bo"])])
    assert (sorted(answers)[-1], len(admins())) == (403, 1)


def test_two_roles_that_clients_send_leave_one(
    scim: ScimClient, paths: dict[str, str], connection: Connection
) -> None:
    apply(connection, {"rules": []})
    acts = []
    for name, role in (("ada", "warden"), ("bo", "keeper")):
        path = paths[name]
        given = scim.patch(path, {"op": "add", "path": "role", "value": role})
        assert given.status_code == 200
        gone = {"op": "remove", "path": "role"}
        acts.append(lambda path=path, gone=gone: scim.patch(path, gone).status_code)
    assert admins() == ["ada", "bo"]
    answers = both_having_asked(acts)
    assert (sorted(answers), len(admins())) == ([200, 403], 1)


def test_who_becomes_one_and_is_deactivated_is_not_counted_on(
    scim: ScimClient, paths: dict[str, str]
) -> None:
    leaves(scim, paths["Deputies"])()
    assert admins() == ["ada"]
    swap = {"op": "replace", "path": "members", "value": [{"value": paths["bo"].split("/")[-1]}]}
    answers = both_having_asked(
        [lambda: scim.patch(paths["Chiefs"], swap).status_code, deactivated(scim, paths["bo"])]
    )
    assert admins() in (["ada"], ["bo"]), answers


def test_of_many_one_is_left_while_others_come(scim: ScimClient, connection: Connection) -> None:
    manage = Permission.objects.get(codename="manage_scim")
    roles, rules, paths = [], [], []
    for number in range(6):
        name = f"g{number}"
        Group.objects.create(name=name).permissions.add(manage)
        roles.append({"value": name, "django_group": name})
        rules.append({"group": name, "role": name})
        who = scim.post("/Users", person(f"admin{number}")).json()["id"]
        paths.append(f"/Groups/{scim.post('/Groups', group(name, who)).json()['id']}")
    apply(connection, {"roles": roles, "rules": rules})

    def comes(number: int) -> Act:
        body = person(f"new{number}") | {"roles": [{"value": f"g{number}"}], "active": False}
        return lambda: scim.post("/Users", body).status_code

    acts = [act for number, path in enumerate(paths) for act in (leaves(scim, path), comes(number))]
    answers = at_once(acts)
    assert sorted(answers[::2]) == [204] * 5 + [403]
    assert answers[1::2] == [201] * 6
    assert len(admins()) == 1
