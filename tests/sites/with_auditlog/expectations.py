from __future__ import annotations

from auditlog.models import LogEntry
from django.contrib.auth import get_user_model

from tests.sites.tenant import Tenant

CREATE, UPDATE = LogEntry.Action.CREATE, LogEntry.Action.UPDATE


def entries(name: str) -> list[tuple[int, set[str]]]:
    """What was done to an account and the columns that changed, the oldest first."""
    account = get_user_model().objects.get(username=name)
    kept = LogEntry.objects.get_for_object(account).order_by("pk")
    return [(one.action, set(one.changes)) for one in kept]


def test_the_log_has_every_change_of_an_account(tenant: Tenant) -> None:
    dana = tenant.create("/Users", userName="dana", name={"givenName": "Dana"})
    tenant.patch(f"/Users/{dana['id']}", name={"givenName": "Dee"})
    tenant.patch(f"/Users/{dana['id']}", active=False)
    created, *changed = entries("dana")
    assert created[0] == CREATE
    assert changed == [(UPDATE, {"first_name"}), (UPDATE, {"is_active"})]


def test_the_log_has_people_who_came_together(tenant: Tenant) -> None:
    assert set(tenant.create_many("ana", "ben", "cleo")) == {"201"}
    assert [entries(name)[0][0] for name in ("ana", "ben", "cleo")] == [CREATE] * 3


def test_the_log_has_nothing_of_what_scim_keeps_for_itself(tenant: Tenant) -> None:
    tenant.create_many("ana", "ben")
    models = {entry.content_type.model for entry in LogEntry.objects.all()}
    assert models == {"user"}
