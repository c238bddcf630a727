"""A changed role mapping: what the preview says is what applying it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import override_settings

from example_project.accounts.scim import Organizations
from scim_provider import role_mapping
from scim_provider.mapping.own_objects import OwnObjects
from scim_provider.models import Connection, Event, Resource, Role, RoleAssignment
from scim_provider.resources import GroupResource
from scim_provider.role_mapping import MappingError, apply, current, preview
from scim_provider.roles import give_by_hand, roles_of
from scim_provider.signals import roles_changed
from tests.api.test_groups import group, people, statements
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(scim: ScimClient, connection: Connection) -> Connection:
    """Three analysts, two supporters, one by hand, one with two roles, one without; two groups."""
    roles = ["analyst"] * 3 + ["Support"] * 2
    for number, role in enumerate(roles):
        scim.post("/Users", {"userName": f"u{number}", "role": role})
    both = [{"value": "analyst"}, {"value": "support", "primary": True}]
    scim.post("/Users", {"userName": "u5", "roles": both})
    scim.post("/Users", {"userName": "u6"})
    ids = dict(Resource.objects.values_list("name", "scim_id"))
    inner = scim.post("/Groups", group("Inner", ids["u0"], ids["u6"])).json()["id"]
    scim.post("/Groups", group("Outer", inner, ids["u1"]))
    give_by_hand(connection.roles.get(value="support"), Resource.objects.filter(name="u0"))
    return connection


def given(connection: Connection) -> set[tuple[str, str, str]]:
    rows = RoleAssignment.objects.filter(connection=connection)
    return set(rows.values_list("user__name", "role__value", "provenance"))


def changed(connection: Connection, change: dict[str, Any]) -> dict[str, Any]:
    """What preview and apply both say, while preview changes nothing and nothing is left to do."""
    before = given(connection), current(connection)
    said = preview(connection, change).as_dict()
    assert (given(connection), current(connection)) == before
    assert apply(connection, change).as_dict() == said
    assert Event.objects.latest("pk").data == said
    assert preview(connection, {}).as_dict()["people"] == 0
    assert preview(connection, change).as_dict()["people"] == 0
    return said


def counts(said: dict[str, Any], what: str = "roles") -> dict[str, tuple[int, int]]:
    return {name: (tally["gained"], tally["lost"]) for name, tally in said[what].items()}


def of(connection: Connection, *values: str, **more: Any) -> list[dict[str, Any]]:
    """The roles there are, of ``values`` only if any are named, with more said of the first."""
    roles = current(connection)["roles"]
    kept = [role for role in roles if role["value"] in values] if values else roles
    return [{**kept[0], **more}, *kept[1:]]


def test_what_is_listed_is_a_change_that_changes_nothing(company: Connection) -> None:
    said = changed(company, current(company))
    assert (said["people"], said["roles"], said["groups"]) == (0, {}, {})


def test_a_role_that_ends_is_taken_from_everybody_and_comes_back_with_it(
    company: Connection,
) -> None:
    before = given(company)
    said = changed(company, {"roles": of(company, "analyst", "admin")})
    assert counts(said) == {"support": (0, 4)}
    assert said["without_role"] == {"people": 2, "first": ["u3", "u4"]}
    assert said["roles"]["support"]["first_lost"] == ["u0", "u3", "u4", "u5"]
    assert set(Role.objects.values_list("value", flat=True)) == {"analyst", "admin"}
    said = changed(company, {"roles": [*of(company), {"value": "support"}]})
    assert counts(said) == {"support": (3, 0)}  # what clients sent is known; by hand is gone
    assert given(company) == before - {("u0", "support", "hand")}


def test_a_role_is_renamed_and_clients_may_go_on_with_the_old_name(
    scim: ScimClient, company: Connection
) -> None:
    keys = dict(company.roles.values_list("value", "pk"))
    roles = [{**role, "value": "examiner"} for role in of(company, "analyst")]
    said = changed(
        company, {"roles": [{**roles[0], "was": "analyst"}, *of(company, "support", "admin")]}
    )
    assert said["people"] == 0
    assert company.roles.get(value="examiner").pk == keys["analyst"]
    for sent in ("analyst", "examiner"):
        made = scim.post("/Users", {"userName": f"new {sent}", "role": sent})
        assert (made.status_code, made.json()["role"]) == (201, sent)
    assert {v for u, v, _ in given(company) if u.startswith("new")} == {"examiner"}


def test_roles_are_merged_and_what_was_given_by_hand_moves_along(company: Connection) -> None:
    merged = {"value": "staff", "was": ["analyst", "support"]}
    said = changed(company, {"roles": [merged, *of(company, "admin")]})
    # The first one is renamed, so its people keep what they have.
    assert counts(said) == {"staff": (2, 0), "support": (0, 4)}
    assert ("u0", "staff", "hand") in given(company)
    assert company.roles.get(value="staff").aliases == ["analyst", "support"]
    assert said["without_role"]["people"] == 0


def test_rules_reach_groups_in_groups(company: Connection) -> None:
    said = changed(company, {"rules": [{"group": "outer", "role": "Manager"}]})
    assert counts(said) == {"manager": (3, 0)}
    assert {u for u, v, p in given(company) if p == "rule"} == {"u0", "u1", "u6"}
    said = changed(company, {"rules": [{"group": "Inner", "role": "support"}]})
    assert counts(said) == {"manager": (0, 3), "support": (1, 0)}  # u0 has it by hand already
    assert said["people"] == 3


def test_a_default_role_comes_and_goes(company: Connection) -> None:
    roles = of(company)
    roles[-1]["default"] = True
    said = changed(company, {"roles": roles, "missing_role": "default"})
    assert (said["people"], counts(said)) == (1, {"support": (1, 0)})
    said = changed(company, {"missing_role": "none"})
    assert counts(said) == {"support": (0, 1)}
    assert said["without_role"] == {"people": 1, "first": ["u6"]}


def test_django_groups_follow_and_are_told_by_name(company: Connection) -> None:
    account = get_user_model().objects.get(username="u1")
    account.groups.add(Group.objects.create(name="Readers"))
    granting = of(company, "analyst", "support", django_group="Readers")
    said = changed(company, {"roles": granting})
    assert counts(said, "groups") == {"Readers": (4, 0)}
    assert (said["people"], said["roles"]) == (4, {})
    readers = Group.objects.get(name="Readers")
    assert readers.user_set.count() == 4
    said = changed(company, {"roles": of(company, "analyst", "support", django_group="Writers")})
    assert counts(said, "groups") == {"Readers": (0, 4), "Writers": (4, 0)}
    assert Group.objects.get(name="Writers").user_set.count() == 4
    assert list(readers.user_set.all()) == [account]  # by hand


def test_a_protected_role_is_taken_from_those_to_whom_clients_gave_it(company: Connection) -> None:
    said = changed(company, {"roles": of(company, "support", "analyst", protected=True)})
    assert counts(said) == {"analyst": (0, 4)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"role": []}, "The mapping has no 'role'"),
        ({"roles": {}}, "give a list of objects"),
        ({"roles": [{"value": ""}]}, "needs a value"),
        ({"roles": [{"value": "a", "color": 1}]}, "A role has no 'color'"),
        ({"roles": [{"value": "a", "priority": "1"}]}, "give a whole number"),
        ({"roles": [{"value": "a", "display": "x" * 151}]}, "at most 150"),
        ({"roles": [{"value": "a", "protected": 1}]}, "give true or false"),
        ({"roles": [{"value": "a"}, {"value": "A"}]}, "'a' is 'a' and 'A'"),
        ({"roles": [{"value": "a", "aliases": ["b"]}, {"value": "B"}]}, "'b' is 'a' and 'B'"),
        ({"roles": [{"value": "a", "was": 7}]}, "give a list of texts"),
        ({"roles": [{"value": "b", "was": "admin"}, {"value": "admin"}]}, "'admin'"),
        ({"roles": [{"value": v, "default": True} for v in "ab"]}, "Only one role"),
        ({"rules": [{"group": "None", "role": "admin"}]}, "There is no group 'None'"),
        ({"rules": [{"group": "Inner", "role": "king"}]}, "There is no role 'king'"),
        ({"rules": [{"group": "Inner"}]}, "needs a role"),
        ({"missing_role": "king"}, "none of none, default"),
    ],
)
def test_a_change_that_cannot_be_made_says_why_and_changes_nothing(
    company: Connection, change: dict[str, Any], message: str
) -> None:
    before = given(company), current(company)
    for act in (preview, apply):
        with pytest.raises(MappingError, match=message.replace("(", r"\(")):
            act(company, change)
    assert (given(company), current(company)) == before


def test_batches_cost_the_same_whatever_is_in_them(
    scim: ScimClient, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = [{"value": "member", "default": True, "django_group": "Members"}]
    change = {"roles": roles, "missing_role": "default"}

    def cost(number: int) -> int:
        people(scim, number, prefix=f"{number}-")
        apply(connection, {"roles": [], "missing_role": "none"})
        return len(statements(lambda: apply(connection, change)))

    cost(1)  # makes the Django group
    few, many = cost(5), cost(150)
    assert few == many
    monkeypatch.setattr(role_mapping, "BATCH", 50)
    apply(connection, {"roles": [], "missing_role": "none"})
    assert preview(connection, change).as_dict() == apply(connection, change).as_dict()
    assert Group.objects.get(name="Members").user_set.count() == 156


def test_a_run_that_was_killed_is_finished_by_the_same_call(
    company: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = {"roles": [{"value": "staff", "was": ["analyst", "support"]}]}
    expected = preview(company, change).as_dict()

    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(role_mapping, "_settle_batch", killed)
        with pytest.raises(KeyboardInterrupt):
            apply(company, change)
    assert counts(apply(company, change).as_dict())["staff"] == counts(expected)["staff"]
    assert set(company.roles.values_list("value", flat=True)) == {"staff"}
    assert {(u, v) for u, v, p in given(company) if p == "client"} == {
        (f"u{n}", "staff") for n in range(6)
    }


class Listening(Organizations):
    """A site with a hook of its own."""

    told: ClassVar[list[dict[str, list[str]]]] = []

    def roles_changed(self, accounts: Any, owner: Any) -> None:
        roles = roles_of(accounts)
        self.told.append(
            {a.username: sorted(role.value for role in roles.get(a.pk, [])) for a in accounts}
        )


@contextmanager
def listening() -> Iterator[list[Any]]:
    heard: list[Any] = []

    def listen(sender: Any, given: Any, taken: Any, **kwargs: Any) -> None:
        heard.append((given, taken))

    roles_changed.connect(listen)
    try:
        yield heard
    finally:
        roles_changed.disconnect(listen)


def test_the_hook_and_the_signal_are_told_once_for_all(
    scim: ScimClient,
    company: Connection,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    provider = settings.SCIM_PROVIDER | {"ORGANIZATIONS": Listening}
    keys = dict(Resource.objects.values_list("name", "pk"))
    Listening.told.clear()
    with (
        override_settings(SCIM_PROVIDER=provider),
        listening() as heard,
        django_capture_on_commit_callbacks(execute=True),
    ):
        apply(company, {"rules": [{"group": "Inner", "role": "support"}]})
        group_id = Resource.objects.get(name="Inner").scim_id
        gone = [{"value": str(Resource.objects.get(name="u6").scim_id)}]
        scim.patch(f"/Groups/{group_id}", {"op": "remove", "path": "members", "value": gone})
    assert Listening.told == [{"u6": ["support"]}, {"u6": []}]
    assert heard == [({"support": [keys["u6"]]}, {}), ({}, {"support": [keys["u6"]]})]


def run(*arguments: str) -> str:
    printed = StringIO()
    call_command("scim_roles", *arguments, "--organization=acme", stdout=printed, stderr=StringIO())
    return printed.getvalue()


def test_the_command_lists_previews_and_applies(company: Connection, tmp_path: Path) -> None:
    change = json.loads(run("list", "--json"))
    change["roles"] = [r for r in change["roles"] if r["value"] != "support"]
    change["rules"] = [{"group": "Inner", "role": "admin"}]
    file = tmp_path / "roles.json"
    file.write_text(json.dumps(change), "utf-8")
    assert json.loads(run("preview", str(file), "--json"))["people"] == 5
    text = run("preview", str(file))
    assert "5 people would change." in text
    assert "support: lost by 4 (u0, u3, u4, u5)" in text
    assert "admin: gained by 2 (u0, u6)" in text
    assert "Left without a role: 2 (u3, u4)" in text
    assert "5 people changed." in run("apply", str(file))
    listed = run("list")
    assert "Members of Inner have admin." in listed
    assert "support" not in listed
    file.write_text('{"roles": 1}', "utf-8")
    with pytest.raises(CommandError, match="list of objects"):
        run("apply", str(file))
    for wrong in ([], [str(tmp_path / "none.json")]):
        with pytest.raises(CommandError):
            run("preview", *wrong)


class OwnGroups(OwnObjects, GroupResource):
    """Groups that are rows of the site, whose members are in its own table."""

    own_model = Group


def test_groups_of_the_sites_own_have_no_rules(
    company: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scim_provider.role_drafts.resource_types", lambda: (OwnGroups(),))
    with pytest.raises(MappingError, match="its own table"):
        preview(company, {"rules": [{"group": "Inner", "role": "admin"}]})
    assert preview(company, {"rules": []}).as_dict()["people"] == 0
