"""Signals over HTTP: what one operation did, told once, after the commit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.dispatch import Signal

from scim_provider import connections, keys, signals
from scim_provider.models import Connection, OnDelete, ScimUser
from scim_provider.resources import UserResource
from scim_provider.signals import ScimSignal
from tests.conftest import ScimClient
from tests.factories import AccountFactory

from .bulk_requests import bulk
from .fixture_answers import group, user

pytestmark = pytest.mark.django_db

SIGNALS = {name: one for name, one in vars(signals).items() if isinstance(one, ScimSignal)}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "signals.md"

Told = list[tuple[str, dict[str, Any]]]
Telling = Callable[..., Told]


@pytest.fixture
def telling(django_capture_on_commit_callbacks: Any) -> Iterator[Telling]:
    """Calls a function and gives what was told, but for the end of requests."""
    heard: Told = []
    receivers = []

    def listen(name: str, signal: Signal) -> None:
        def hear(sender: type, signal: Signal, **what: Any) -> None:
            assert sender is Connection
            assert what.keys() == {"connection", *SIGNALS[name].arguments}
            heard.append((name, what))

        receivers.append((signal, hear))
        signal.connect(hear)

    for name, signal in SIGNALS.items():
        listen(name, signal)

    def told(act: Callable[..., Any], *arguments: Any, **options: Any) -> Told:
        heard.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act(*arguments, **options)
        return [(name, what) for name, what in heard if name != "request_finished"]

    yield told
    for signal, hear in receivers:
        signal.disconnect(hear)


def names(told: Told) -> list[str]:
    return [name for name, _ in told]


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def test_a_person_comes_changes_goes_and_returns(scim: ScimClient, telling: Telling) -> None:
    (created,) = telling(scim.post, "/Users", user(title="Clerk", password="a long one, 4 sure"))
    assert created[0] == "users_created"
    (row,) = created[1]["users"]
    assert (row.name, row.account.is_active) == ("ada@example.com", True)
    path = f"/Users/{row.scim_id}"

    name, what = telling(scim.patch, path, replace("title", "Chief"))[0]
    assert (name, what["changes"]) == ("users_updated", [{"title": ("Clerk", "Chief")}])
    off = telling(scim.patch, path, replace("active", "False"), replace("name.familyName", "Byron"))
    assert names(off) == ["users_updated", "users_deactivated"]
    assert off[0][1]["changes"] == [{"active": (True, False), "name.familyName": (None, "Byron")}]
    on = telling(scim.put, path, user(active=True))
    assert names(on) == ["users_updated", "users_reactivated"]

    gone = telling(scim.delete, path)
    assert names(gone) == ["users_deactivated", "users_deleted"]
    (was,) = gone[1][1]["users"]
    assert (was.scim_id, was.account_id) == (row.scim_id, row.account_id)
    assert gone[1][1]["accounts_deleted"] is False
    assert names(telling(scim.post, "/Users", user())) == ["users_created", "users_reactivated"]


def test_a_deleted_account_is_told_by_its_key(
    scim: ScimClient, connection: Connection, ada: dict[str, Any], telling: Telling
) -> None:
    Connection.objects.update(on_delete=OnDelete.DELETE)
    account_id = ScimUser.objects.get().account_id
    told = telling(scim.delete, f"/Users/{ada['id']}")
    assert told[1][1]["accounts_deleted"] is True
    assert [row.account_id for row in told[1][1]["users"]] == [account_id]


def test_a_password_is_told_of_and_not_told(
    scim: ScimClient, ada: dict[str, Any], telling: Telling
) -> None:
    told = telling(scim.patch, f"/Users/{ada['id']}", replace("password", "a long one, 4 sure"))
    assert told[0][1]["changes"] == [{"password": (None, None)}]


def test_what_changes_nothing_or_is_refused_is_not_told(
    scim: ScimClient, ada: dict[str, Any], telling: Telling
) -> None:
    path = f"/Users/{ada['id']}"
    assert telling(scim.patch, path, replace("active", True)) == []
    assert telling(scim.patch, path, replace("title", "x"), replace("userName", "")) == []
    assert telling(scim.post, "/Users", user()) == []
    assert telling(scim.delete, "/Users/none") == []
    assert telling(scim.get, path) == []


def test_a_batch_of_creates_is_one_signal(scim: ScimClient, telling: Telling) -> None:
    scim.delete(f"/Users/{scim.post('/Users', user('old')).json()['id']}")
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": name, "data": user(name, role="analyst")}
        for name in ("old", "ada", "ada", "bo")
    ]
    members = [{"value": "bulkId:bo"}]
    operations.append(
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": group(members=members)}
    )
    operations[2]["bulkId"] = "twice"
    told = telling(bulk, scim, *operations)
    assert names(told) == [
        "users_created",
        "users_reactivated",
        "roles_changed",
        "groups_created",
        "members_changed",
    ]
    made = told[0][1]["users"]
    assert [row.name for row in made] == ["old", "ada", "bo"]
    assert [row.name for row in told[1][1]["users"]] == ["old"]
    assert told[2][1]["given"] == {"analyst": [row.pk for row in made]}
    (change,) = told[4][1]["changes"]
    assert (change.group.name, change.added) == ("Engineers", {made[2].scim_id})


def test_groups_and_what_was_asked_of_their_members(
    scim: ScimClient, ada: dict[str, Any], telling: Telling
) -> None:
    bo = scim.post("/Users", user("bo")).json()["id"]
    told = telling(scim.post, "/Groups", group(members=[{"value": ada["id"]}]))
    assert names(told) == ["groups_created", "members_changed"]
    change = told[1][1]["changes"][0]
    assert (change.cleared, change.added, change.removed) == (False, {ada["id"]}, frozenset())
    path = f"/Groups/{change.group.scim_id}"

    add = {"op": "add", "path": "members", "value": [{"value": bo}]}
    remove = {"op": "remove", "path": f'members[value eq "{ada["id"]}"]'}
    ((name, what),) = telling(scim.patch, path, add, remove)
    assert name == "members_changed"
    change = what["changes"][0]
    assert (change.cleared, change.added, change.removed) == (False, {bo}, {ada["id"]})
    assert telling(scim.patch, path, add) == []

    told = telling(scim.put, path, group("Builders"))
    assert names(told) == ["members_changed", "groups_updated"]
    assert told[0][1]["changes"][0].cleared
    assert told[1][1]["changes"] == [{"displayName": ("Engineers", "Builders")}]
    assert names(telling(scim.delete, path)) == ["groups_deleted"]


def test_roles_are_told_by_value(scim: ScimClient, telling: Telling) -> None:
    made = scim.post("/Users", user(role="Analyst")).json()
    told = telling(scim.patch, f"/Users/{made['id']}", replace("role", "ADMIN"))
    (what,) = (what for name, what in told if name == "roles_changed")
    keys_ = list(ScimUser.objects.values_list("pk", flat=True))
    assert (what["given"], what["taken"]) == ({"admin": keys_}, {"analyst": keys_})


@pytest.mark.django_db(transaction=True)
def test_an_operation_that_is_tried_again_is_told_once(
    scim: ScimClient, ada: dict[str, Any], telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tries = UserResource.store, []

    def deadlocked_once(*arguments: Any, **options: Any) -> None:
        store(*arguments, **options)
        tries.append(arguments)
        if len(tries) == 1:
            raise OperationalError("deadlock") from Exception(1213)

    monkeypatch.setattr(UserResource, "store", deadlocked_once)
    told = telling(scim.patch, f"/Users/{ada['id']}", replace("active", False))
    assert len(tries) == 2
    assert names(told) == ["users_updated", "users_deactivated"]


def test_what_a_receiver_raises_changes_no_answer(
    scim: ScimClient, ada: dict[str, Any], telling: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**what: Any) -> None:
        raise RuntimeError("the receiver's own fault")

    answers: list[int] = []
    for signal in (signals.users_updated, signals.request_finished):
        signal.connect(fail)
    try:
        path = f"/Users/{ada['id']}"
        told = telling(
            lambda: answers.append(scim.patch(path, replace("active", False)).status_code)
        )
    finally:
        for signal in (signals.users_updated, signals.request_finished):
            signal.disconnect(fail)
    assert answers == [200]
    assert names(told) == ["users_updated", "users_deactivated"]
    assert "A receiver of a SCIM signal failed" in caplog.text


def test_keys_and_connections(connection: Connection, telling: Telling) -> None:
    admin = AccountFactory()
    told = telling(connections.disable, connection, admin)
    assert told == [("connection_disabled", {"connection": connection, "by": admin})]
    assert names(telling(connections.enable, connection)) == ["key_created", "connection_enabled"]
    assert names(telling(connections.enable, connection)) == ["key_created"]

    ((name, what),) = telling(keys.rotate, connection, keys.live_keys(connection)[0], by=admin)
    assert (name, what["by"], what["old"].is_live) == ("key_rotated", admin, False)
    ((name, what),) = telling(keys.revoke, what["key"], by=admin)
    assert (name, [key.is_live for key in what["keys"]]) == ("key_revoked", [False])
    assert telling(keys.revoke, what["keys"][0]) == []
    left = list(keys.live_keys(connection))
    told = telling(connections.disable, connection)
    assert names(told) == ["key_revoked", "connection_disabled"]
    assert told[0][1]["keys"] == left
    assert telling(connections.disable, connection) == []


def test_a_refused_key_is_told_with_the_request(
    scim: ScimClient, connection: Connection, telling: Telling
) -> None:
    ((name, what),) = telling(ScimClient("no key at all").get, "/Users")
    assert (name, what["connection"]) == ("authentication_failed", None)
    assert what["request"].path == "/scim/v2/Users"
    keys.revoke_all(connection)
    ((name, what),) = telling(scim.get, "/Users")
    assert (name, what["connection"]) == ("authentication_failed", connection)
    assert "was revoked" in what["detail"]


def test_the_end_of_each_request_is_told(scim: ScimClient, connection: Connection) -> None:
    heard: list[dict[str, Any]] = []

    def hear(**what: Any) -> None:
        heard.append(what)

    signals.request_finished.connect(hear)
    try:
        scim.get("/Users", count=1)
        scim.get("/Users/none")
        ScimClient("no key").get("/Users")
    finally:
        signals.request_finished.disconnect(hear)
    assert [(what["connection"], what["status"]) for what in heard] == [
        (connection, 200),
        (connection, 404),
    ]
    assert heard[0]["detail"] == "" != heard[1]["detail"]


def test_nobody_listens_and_nothing_is_prepared(
    scim: ScimClient, ada: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*arguments: Any, **options: Any) -> None:
        raise AssertionError("prepared for nobody")

    # Nor is the database told of new rows, of which other tests may have made nearly enough.
    monkeypatch.setattr("scim_provider.mapping.statistics.LOOK_EVERY", 10**9)
    monkeypatch.setattr(transaction, "on_commit", forbidden)
    monkeypatch.setattr("scim_provider.mapping.telling._differences", forbidden)
    monkeypatch.setattr("scim_provider.mapping.role_effects._pairs", forbidden)
    answer = scim.patch(f"/Users/{ada['id']}", replace("role", "admin"), replace("active", False))
    assert answer.status_code == 200


def test_the_page_has_every_signal_with_its_arguments() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    documented = {name: tuple(re.findall(r"`(\w+)`", arguments)) for name, arguments in rows}
    assert documented == {name: signal.arguments for name, signal in SIGNALS.items()}
