"""An operation of a Bulk request does and answers what a request of its own would."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from scim_provider.models import Connection
from tests.api.bulk_requests import delete, id_of, patch, post_group, post_user, put, results
from tests.api.fixture_answers import group, user
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PASSWORD = "Tr0ub4dor and more"

_NEW_EACH_TIME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z")


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside never was, so that the same can be done in another way."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def everything(scim: ScimClient) -> list[str]:
    """What a client can read, less ids and moments."""
    resources = scim.get("").json()["Resources"]
    return sorted(_NEW_EACH_TIME.sub("", str(resource)) for resource in resources)


def alone(scim: ScimClient, operation: dict[str, Any]) -> Any:
    """The response to the operation as a request of its own."""
    headers = {"If-Match": operation["version"]} if "version" in operation else None
    return scim._send(
        operation["method"], operation["path"], operation.get("data"), headers=headers
    )


def assert_alike(scim: ScimClient, operation: dict[str, Any], *around: dict[str, Any]) -> None:
    """``operation``, between two sets of others, against itself by itself."""
    with undone():
        for each in around:
            alone(scim, each)
        response = alone(scim, operation)
        expected = everything(scim)
    found = results(scim, *around, operation)[-1]
    assert everything(scim) == expected
    assert (found["status"][0] == "2") == (response.status_code < 300)
    if response.status_code < 300:
        assert found.get("version") == response.headers.get("ETag")
    else:
        assert found["response"] == response.json()


CREATES = [
    post_user("plain"),
    post_user("name", name={"givenName": "G"}, emails=[{"value": "e@x.example", "type": "work"}]),
    post_user("worker", **{ENTERPRISE: {"department": "D", "manager": {"value": "someone"}}}),
    post_user("locked", active=False),
    post_user("secret", password=PASSWORD),
    post_user("weak", password="1"),
    post_user("role", roles=[{"value": "member"}]),
    post_user("bad-role", roles=[{"value": "no such role"}]),
    post_user("bad", active="perhaps"),
    post_user("taken", "Ada@example.com"),
    post_user("blank", " "),
    post_user("wrong", schemas=["urn:ietf:params:scim:schemas:core:2.0:Group"]),
    post_user("long", "x" * 300),
    post_group("team"),
    post_group("of-nobody", "nobody"),
    post_group("engineers"),
    post_group("nameless", displayName=""),
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("neighbours", [0, 2])
@pytest.mark.parametrize("operation", CREATES, ids=lambda operation: operation["bulkId"])
def test_a_create_is_a_post(
    scim: ScimClient,
    connection: Connection,
    ada: dict[str, Any],
    engineers: dict[str, Any],
    operation: dict[str, Any],
    neighbours: int,
    strict: bool,
) -> None:
    Connection.objects.filter(pk=connection.pk).update(strict=strict)
    kind = post_user if operation["path"] == "/Users" else post_group
    assert_alike(scim, operation, *(kind(f"near{n}") for n in range(neighbours)))


Builder = Callable[[str], dict[str, Any]]

#: Operations on the resource at the path of Ada.
CHANGES: dict[str, Builder] = {
    "put": lambda path: put(path, user(nickName="A")),
    "put of a name": lambda path: put(path, user("new@example.com")),
    "put of a taken name": lambda path: put(path, user("eve@example.com")),
    "put without a name": lambda path: put(path, {"nickName": "A"}),
    "put of nobody": lambda path: put(f"{path}x", user()),
    "put of an old version": lambda path: put(path, user(), version='W/"9"'),
    "patch": lambda path: patch(path, {"op": "add", "path": "nickName", "value": "A"}),
    "patch of Entra's": lambda path: patch(
        path, {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "a@x.example"}
    ),
    "patch of nothing": lambda path: patch(path),
    "patch of no attribute": lambda path: patch(path, {"op": "remove", "path": "shoeSize"}),
    "patch half good": lambda path: patch(
        path,
        {"op": "add", "path": "nickName", "value": "A"},
        {"op": "replace", "path": "active", "value": "perhaps"},
    ),
    "patch of nobody": lambda path: patch(f"{path}x", {"op": "remove", "path": "title"}),
    "delete": lambda path: delete(path),
    "delete of nobody": lambda path: delete(f"{path}x"),
    "delete of a version": lambda path: delete(path, version='W/"1"'),
    "delete of an old version": lambda path: delete(path, version='W/"9"'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_a_request_of_its_method(
    scim: ScimClient, ada: dict[str, Any], change: Builder
) -> None:
    scim.post("/Users", user("eve@example.com"))
    assert_alike(scim, change(f"/Users/{ada['id']}"), post_user("near"))


@pytest.mark.parametrize(
    "change",
    [
        lambda path, member: put(path, group("Other", members=[{"value": member}])),
        lambda path, member: put(path, group("Other", members=[{"value": "nobody"}])),
        lambda path, member: put(path, group("Other")),
        lambda path, member: patch(
            path, {"op": "add", "path": "members", "value": [{"value": member}]}
        ),
        lambda path, member: patch(
            path, {"op": "add", "path": "members", "value": [{"value": "nobody"}]}
        ),
        lambda path, member: patch(path, {"op": "remove", "path": f'members[value eq "{member}"]'}),
        lambda path, member: delete(path),
    ],
)
def test_a_change_of_a_group_is_too(
    scim: ScimClient,
    ada: dict[str, Any],
    engineers: dict[str, Any],
    change: Callable[[str, str], dict[str, Any]],
) -> None:
    assert_alike(scim, change(f"/Groups/{engineers['id']}", ada["id"]))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_another_organization_has_is_unknown(
    scim: ScimClient, other_scim: ScimClient, method: str
) -> None:
    theirs = other_scim.post("/Users", user("hank@globex.example")).json()
    theirs_too = other_scim.post("/Groups", group("Doom", members=[{"value": theirs["id"]}])).json()
    before = everything(other_scim)
    operation = {"method": method, "data": {"userName": "mine", "displayName": "Mine"}}
    if method == "PATCH":
        operation["data"] = [{"op": "remove", "path": "externalId"}]
    for path in (f"/Users/{theirs['id']}", f"/Groups/{theirs_too['id']}"):
        (found,) = results(scim, {**operation, "path": path, "version": 'W/"9"'})
        assert found["status"] == "404"
    (refused,) = results(scim, post_group("mine", theirs["id"]))
    assert refused["response"]["scimType"] == "invalidValue"
    assert everything(other_scim) == before


def test_a_user_who_returns_has_the_old_account(scim: ScimClient, ada: dict[str, Any]) -> None:
    scim.delete(f"/Users/{ada['id']}")
    assert_alike(scim, post_user("ada"), post_user("near1"), post_user("near2"))
    assert scim.get("/Users", filter='userName eq "ada@example.com"').json()["totalResults"] == 1


def test_the_id_in_the_location_is_the_resources(scim: ScimClient) -> None:
    for result in results(scim, post_user("a"), post_user("b")):
        read = scim.get(f"/Users/{id_of(result)}").json()
        assert read["meta"]["location"] == result["location"]
        assert read["userName"] == f"{result['bulkId']}@example.com"
