"""How many statements each operation takes, at two sizes: they must not depend on the size."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection as database

from tests.conftest import ScimClient

from .test_groups import group, people, statements

pytestmark = pytest.mark.django_db

INACTIVE = {"op": "replace", "path": "active", "value": False}
USER = "urn:ietf:params:scim:schemas:core:2.0:User"


def person(name: str) -> dict[str, Any]:
    return {
        "schemas": [USER],
        "userName": name,
        "name": {"givenName": "Ana", "familyName": "Silva"},
        "emails": [{"value": f"{name}@example.com", "type": "work", "primary": True}],
        "title": "Clerk",
    }


def measured(scim: ScimClient, act: Callable[[], Any]) -> int:
    """The statements of ``act``, its connection and key look-up included, once it is warm."""
    scim.get("/Users", count=1)  # the first request in a minute notes that the key was used
    return len(statements(act))


def everything(scim: ScimClient, size: int) -> dict[str, int]:
    """Statements by operation on a site with ``size`` people and a group of all of them."""
    ids = people(scim, size, prefix=f"site{size}-")
    made = scim.post("/Groups", group(f"All {size}", *ids)).json()
    user = scim.post("/Users", person(f"ana{size}")).json()
    path, of_group = f"/Users/{user['id']}", f"/Groups/{made['id']}"
    title = {"op": "replace", "path": "title", "value": "Chief"}
    member = {"op": "add", "path": "members", "value": [{"value": user["id"]}]}
    acts: dict[str, Callable[[], Any]] = {
        "get": partial(scim.get, path),
        "list": partial(scim.get, "/Users", count=2),
        "list by cursor": partial(scim.get, "/Users", count=2, cursor=""),
        "filter": partial(scim.get, "/Users", filter=f'userName eq "ana{size}"'),
        "value path": partial(scim.get, "/Users", filter='emails[type eq "work"].value co "ana"'),
        "create": partial(scim.post, "/Users", person(f"bo{size}")),
        "patch": partial(scim.patch, path, title),
        "deactivate": partial(scim.patch, f"/Users/{ids[0]}", INACTIVE),
        "put": partial(scim.put, path, person(f"ana{size}") | {"title": "Head", "nickName": "A"}),
        "add a member": partial(scim.patch, of_group, member),
        "get a group without members": partial(scim.get, of_group, excludedAttributes="members"),
        "delete": partial(scim.delete, path),
    }
    return {name: measured(scim, act) for name, act in acts.items()}


#: PostgreSQL writes several tables by one statement.
TOGETHER = database.vendor == "postgresql"
#: Key and organization look-up included.
EXACTLY = {
    "get": 2,
    "list": 3,
    "list by cursor": 3,
    "filter": 2,
    "value path": 2,
    "create": 3 if TOGETHER else 5,
    "patch": 3 if TOGETHER else 4,
    "put": 3 if TOGETHER else 5,
    "deactivate": 3 if TOGETHER else 6,
    "add a member": 4,
    "get a group without members": 2,
    "delete": 6 if TOGETHER else 13,  # two of them are about the group that the person is in
}


def test_statements_do_not_grow_with_the_site(scim: ScimClient) -> None:
    few, many = everything(scim, 3), everything(scim, 150)
    assert few == many
    assert few == EXACTLY
