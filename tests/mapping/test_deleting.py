"""Resources are deleted by statements that are written once, unless anybody would notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.db.models.deletion import Collector
from django.db.models.signals import post_delete, pre_delete

from scim_provider.mapping.saving import _going, delete
from scim_provider.models import (
    AttributeValue,
    Event,
    FormerUser,
    Lockout,
    Membership,
    Resource,
    RoleAssignment,
    ScimUser,
)
from tests.api.fixture_answers import group, user
from tests.api.test_groups import statements
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db
ALL = (AttributeValue, Membership, RoleAssignment, Resource)


@contextmanager
def receiving(sender: type | None, receive: Any) -> Iterator[None]:
    """``receive`` hears of deletes, before and after."""
    for signal in (pre_delete, post_delete):
        signal.connect(receive, sender=sender)
    try:
        yield
    finally:
        for signal in (pre_delete, post_delete):
            signal.disconnect(receive, sender=sender)


@pytest.fixture
def path(scim: ScimClient) -> str:
    """Somebody who has a role, is in a group, and has what is looked up."""
    made = scim.post("/Users", user(title="Clerk", role="analyst")).json()
    scim.post("/Groups", group(members=[{"value": made["id"]}]))
    return f"/Users/{made['id']}"


def left() -> dict[str, int]:
    """How many rows there are of those that go with a person."""
    return {model.__name__: model._base_manager.count() for model in ALL}


GROUP_ALONE = {"AttributeValue": 0, "Membership": 0, "RoleAssignment": 0, "Resource": 1}


def test_all_that_is_the_persons_goes_and_nothing_else(scim: ScimClient, path: str) -> None:
    before = left()
    other = scim.post("/Users", user("bo@example.com", title="Clerk", role="analyst")).json()
    scim.post("/Groups", group("Others", members=[{"value": other["id"]}]))
    others = left()
    assert scim.delete(path).status_code == 204
    assert left() == {name: others[name] - before[name] + GROUP_ALONE[name] for name in before}
    assert scim.get(f"/Users/{other['id']}").json()["title"] == "Clerk"
    assert FormerUser.objects.get().account.username == "ada@example.com"
    assert Lockout.objects.count() == Event.objects.count() == 1


@pytest.mark.parametrize("model", ALL)
def test_a_site_that_listens_hears_of_each_row(
    scim: ScimClient, path: str, model: type[Any]
) -> None:
    heard: list[tuple[Any, Any]] = []

    def hear(sender: type, signal: Any, instance: Any, **told: Any) -> None:
        assert sender is model
        assert told["origin"].scim_id in path
        heard.append((signal, instance.pk))

    keys = set(model._base_manager.values_list("pk", flat=True))
    if model is Resource:
        keys = set(ScimUser.objects.values_list("pk", flat=True))
    with receiving(model, hear):
        assert scim.delete(path).status_code == 204
    assert {pk for signal, pk in heard if signal is pre_delete} == keys
    assert {pk for signal, pk in heard if signal is post_delete} == keys
    assert left() == GROUP_ALONE


def test_who_listens_reads_what_was_written_before(scim: ScimClient, path: str) -> None:
    seen: list[tuple[bool, int, int]] = []

    def look(instance: Resource, **told: Any) -> None:
        account = get_user_model()._default_manager.get(pk=instance.account_id)
        seen.append((account.is_active, FormerUser.objects.count(), Event.objects.count()))

    with receiving(Resource, look):
        scim.delete(path)
    assert seen == [(False, 1, 1)] * 2


def test_a_receiver_that_refuses_keeps_everything(scim: ScimClient, path: str) -> None:
    class Refused(Exception):
        pass

    def refuse(**told: Any) -> None:
        raise Refused

    before = left()
    with receiving(Resource, refuse), pytest.raises(Refused):
        scim.delete(path)
    assert left() == before
    assert get_user_model()._default_manager.get().is_active
    assert not FormerUser.objects.exists()
    assert not Event.objects.exists()


def test_a_delete_of_the_sites_own_is_called(
    scim: ScimClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []

    def own(row: Resource, *arguments: Any, **options: Any) -> Any:
        called.append(row.scim_id)
        return super(Resource, row).delete(*arguments, **options)

    monkeypatch.setattr(Resource, "delete", own)
    assert scim.delete(path).status_code == 204
    assert called == [path.removeprefix("/Users/")]
    assert left() == GROUP_ALONE


def test_what_goes_is_what_django_would_have_deleted(path: str) -> None:
    row = Resource.objects.get(resource_type="User")
    collector = Collector(using=database.alias)
    collector.collect([row])
    going = _going(Resource, database.alias)
    assert [rows.model for rows in collector.fast_deletes] == list(going)
    assert dict(collector.data) == {Resource: {row}}
    assert not collector.field_updates
    numbers = {rows.model._meta.label: rows.count() for rows in collector.fast_deletes}
    assert delete(row) == numbers
    assert row.pk is None
    assert left() == GROUP_ALONE


def test_a_group_takes_its_members_along_and_is_taken_out_of_others(scim: ScimClient) -> None:
    inner = scim.post("/Groups", group("Inner")).json()
    scim.post("/Groups", group("Outer", members=[{"value": inner["id"]}]))
    member = scim.post("/Users", user()).json()
    added = {"op": "add", "path": "members", "value": [{"value": member["id"]}]}
    scim.patch(f"/Groups/{inner['id']}", added)
    assert Membership.objects.count() == 2
    assert scim.delete(f"/Groups/{inner['id']}").status_code == 204
    assert not Membership.objects.exists()
    assert set(Resource.objects.values_list("name", flat=True)) == {"Outer", "ada@example.com"}


@pytest.mark.skipif(database.vendor != "postgresql", reason="the others take a statement for each")
def test_everything_is_written_by_one_statement(scim: ScimClient) -> None:
    made = scim.post("/Users", user(title="Clerk")).json()
    sent = statements(lambda: scim.delete(f"/Users/{made['id']}"))
    assert [sql for sql in sent if "DELETE FROM" in sql or "INSERT INTO" in sql] == sent[-1:]
