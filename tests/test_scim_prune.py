"""``manage.py scim_prune``: what goes, what stays, and that a stopped run does no harm."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from example_project.accounts.models import Account
from scim_provider import keys, pruning
from scim_provider.checks import check_numbers
from scim_provider.models import AccessKey, Connection, Event, EventKind, FormerUser, LoginSession
from tests.conftest import ScimClient
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db

ORGANIZATIONS = {"ORGANIZATIONS": "example_project.accounts.scim.Organizations"}


def run(*arguments: str) -> dict[str, int]:
    printed = StringIO()
    call_command("scim_prune", "--json", *arguments, stdout=printed)
    removed: dict[str, int] = json.loads(printed.getvalue())["removed"]
    return removed


def events(connection: Connection, days: int, count: int) -> None:
    at = timezone.now() - timedelta(days=days)
    kind = EventKind.PERSON_LISTED
    rows = (Event(connection=connection, kind=kind, created_at=at) for _ in range(count))
    Event.objects.bulk_create(rows)


def test_events_go_when_their_time_is_over(
    connection: Connection, other_connection: Connection
) -> None:
    for owner in (connection, other_connection):
        events(owner, 200, 3)
        events(owner, 100, 2)
    assert run("--dry-run")["events"] == 6
    assert Event.objects.count() == 10
    assert run("--organization=Acme")["events"] == 3
    assert Event.objects.filter(connection=other_connection).count() == 5
    assert run()["events"] == 3
    assert run("--events-days=50")["events"] == 4
    assert run()["events"] == 0


@pytest.mark.parametrize("days", [10**6, 10**12])
def test_nothing_is_older_than_time(connection: Connection, days: int, settings: Any) -> None:
    events(connection, 200, 1)
    settings.SCIM_PROVIDER = ORGANIZATIONS | {"EVENT_RETENTION_DAYS": days}
    for arguments in ((), (f"--former-users-days={days}", f"--ended-keys-days={days}")):
        assert run(*arguments)["events"] == 0


@pytest.mark.parametrize(("days", "gone"), [(None, 0), (30, 2)])
def test_how_long_events_stay_is_a_setting(
    connection: Connection, days: int | None, gone: int
) -> None:
    events(connection, 40, 2)
    with override_settings(SCIM_PROVIDER={"EVENT_RETENTION_DAYS": days} | ORGANIZATIONS):
        assert check_numbers() == []
        assert run().get("events", 0) == gone


@pytest.mark.parametrize("days", [0, -1, "180", 1.5])
def test_a_wrong_time_is_told(days: Any) -> None:
    with override_settings(SCIM_PROVIDER={"EVENT_RETENTION_DAYS": days}):
        assert [each.id for each in check_numbers()] == ["scim_provider.E006"]


def test_many_go_in_short_transactions(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BATCH", 10)
    events(connection, 200, 35)
    events(connection, 1, 25)
    (sweep, *_) = pruning.sweeps(None, pruning.Ages(events=180))
    done: list[int] = []

    def stop(more: int) -> None:
        done.append(more)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep.run(stop)
    assert Event.objects.count() == 40
    with CaptureQueriesContext(connections["default"]) as counted:
        assert sweep.run(done.append) == 15
    assert done == [10, 10, 10, 5]
    assert len([q for q in counted.captured_queries if "DELETE" in q["sql"]]) == 2
    assert Event.objects.count() == 25


def test_keys_go_a_year_after_they_ended(connection: Connection) -> None:
    now = timezone.now()
    for name, ended in (("long ago", 400), ("lately", 100), ("never", None)):
        made = keys.create_key(connection, name=name).key
        if ended:
            field = "expires_at" if ended > 365 else "revoked_at"
            moment = {field: now - timedelta(days=ended)}
            AccessKey.objects.filter(pk=made.pk).update(**moment)
    assert run()["access_keys"] == 1
    assert set(AccessKey.objects.values_list("name", flat=True)) == {"lately", "never"}
    assert run("--ended-keys-days=30")["access_keys"] == 1


def test_former_users_are_remembered_until_they_are_back(
    scim: ScimClient, connection: Connection
) -> None:
    for name in ("back@example.com", "gone@example.com"):
        made = scim.post("/Users", {"userName": name}).json()["id"]
        scim.delete(f"/Users/{made}")
    back = Account.objects.get(username="back@example.com")
    made = scim.post("/Users", {"userName": "back@example.com"})
    assert made.status_code == 201
    FormerUser.objects.create(connection=connection, name_key="old@example.com", account=back)
    assert run()["former_users"] == 1
    assert FormerUser.objects.get().account.username == "gone@example.com"
    FormerUser.objects.update(deleted_at=timezone.now() - timedelta(days=800))
    assert run()["former_users"] == 0
    assert run("--former-users-days=730")["former_users"] == 1


@pytest.mark.parametrize("engine", ["db", "cache"])
def test_notes_of_sessions_go_when_the_sessions_are_over(engine: str) -> None:
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"):
        account, old = AccountFactory(), timezone.now() - timedelta(days=30)
        store = import_module(settings.SESSION_ENGINE).SessionStore()
        store["any"] = 1
        store.create()
        for key in (store.session_key, "over"):
            LoginSession.objects.create(account=account, session_key=key, started_at=old)
        LoginSession.objects.create(account=account, session_key="young")
        assert run("--dry-run")["login_sessions"] == 1
        assert run()["login_sessions"] == 1
        kept = set(LoginSession.objects.values_list("session_key", flat=True))
        assert kept == {store.session_key, "young"}
        store.delete()
        assert run()["login_sessions"] == 1


def test_people_get_lines_instead_of_json(connection: Connection) -> None:
    events(connection, 200, 3)
    for arguments, says in (
        (["--dry-run"], "Events would be deleted: 3\n"),
        ([], "Events deleted: 3\n"),
    ):
        printed = StringIO()
        call_command("scim_prune", *arguments, stdout=printed)
        assert says in printed.getvalue()
    with pytest.raises(CommandError, match="no organization named"):
        call_command("scim_prune", "--organization=Nobody")
