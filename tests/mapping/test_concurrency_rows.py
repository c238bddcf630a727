"""One writer waits for another one's row lock: what it then sees is what the other one wrote."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, transaction

from scim_provider.models import Membership, Resource
from tests.conftest import ScimClient

from .writers import several_writers

pytestmark = several_writers

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
#: Long enough for a request to come to the lock.
A_MOMENT = 0.5


def in_a_thread(act: Callable[[], Any]) -> Future[Any]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(act)
    pool.submit(connections.close_all)
    pool.shutdown(wait=False)
    return future


def person(scim: ScimClient, name: str = "ana") -> str:
    body = {"schemas": [USER], "userName": name, "name": {"givenName": "Ana"}}
    return str(scim.post("/Users", body).json()["id"])


def test_a_change_that_waited_starts_from_the_name_that_the_other_one_wrote(
    scim: ScimClient,
) -> None:
    scim_id = person(scim)
    back = {"op": "replace", "path": "name.givenName", "value": "Ana"}
    with transaction.atomic():
        row = Resource.objects.select_for_update().get(scim_id=scim_id)
        get_user_model().objects.filter(pk=row.account_id).update(first_name="Bea")
        Resource.objects.filter(pk=row.pk).update(version=2)
        waiting = in_a_thread(lambda: scim.patch(f"/Users/{scim_id}", back))
        time.sleep(A_MOMENT)
        assert not waiting.done()
    answer = waiting.result()
    assert (answer.status_code, answer.json()["name"]["givenName"]) == (200, "Ana")
    assert answer.json()["meta"]["version"] == 'W/"3"'
    assert get_user_model().objects.get(scim_resources=row.pk).first_name == "Ana"


def test_a_group_change_that_waited_sees_the_members_of_the_other_one(scim: ScimClient) -> None:
    one, two = person(scim, "one"), person(scim, "two")
    made = scim.post("/Groups", {"schemas": [GROUP], "displayName": "Sales"}).json()
    path = f"/Groups/{made['id']}"
    wanted = {"op": "replace", "path": "members", "value": [{"value": two}]}
    with transaction.atomic():
        group = Resource.objects.select_for_update().get(scim_id=made["id"])
        member = Resource.objects.get(scim_id=one)
        Membership.objects.create(connection=group.connection, group=group, member=member)
        waiting = in_a_thread(lambda: scim.patch(path, wanted))
        time.sleep(A_MOMENT)
        assert not waiting.done()
    assert waiting.result().status_code == 204
    assert [e["value"] for e in scim.get(path).json()["members"]] == [two]


def test_a_member_that_is_being_deleted_is_unknown_once_it_is_gone(scim: ScimClient) -> None:
    scim_id = person(scim)
    made = scim.post("/Groups", {"schemas": [GROUP], "displayName": "Sales"}).json()
    add = {"op": "add", "path": "members", "value": [{"value": scim_id}]}
    with transaction.atomic():
        Resource.objects.get(scim_id=scim_id).delete()
        waiting = in_a_thread(lambda: scim.patch(f"/Groups/{made['id']}", add))
        time.sleep(A_MOMENT)
    answer = waiting.result()
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert scim_id in answer.json()["detail"]
    assert scim.get(f"/Groups/{made['id']}").json()["members"] == []
