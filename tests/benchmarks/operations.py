"""What is measured: for each operation our request, its floors' and what it is about."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib.auth import get_user_model

from scim_provider.models import Membership, Resource
from scim_provider.protocol.core import ENTERPRISE_USER

from . import tables
from .client import Request
from .inprocess import answer
from .population import COMPANY, Row, Site, create_people

SCIM = "/scim/v2"
FLOOR = "/floor"
_ENTERPRISE = ENTERPRISE_USER.id
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_NO_ACCOUNT = -1
#: Numbers of people that come and go, others in each run on a database that is kept.
_TRANSIENT = 900_000_000_000 + int(time.time()) % 90_000 * 1_000_000

Make = Callable[[Site, int], Request]


@dataclass(frozen=True)
class Operation:
    """``ours`` and ``bare`` make the n-th request; ``subject`` has the values it names.

    ``arrange`` makes ready what the requests of a batch need, unmeasured.
    """

    name: str
    ours: Make
    bare: Make
    subject: Callable[[Site, int], Sequence[Any]] = lambda site, n: ()
    times_bare: float | None = 2.0
    #: Whether its cost must not grow with the number of people.
    flat: bool = False
    statements: int | None = None
    #: Requests per second that are aimed at with four clients.
    per_second: float | None = None
    arrange: Callable[[Site, Sequence[int]], None] = lambda site, batch: None

    def same(self, site: Site, n: int, recipe: str) -> Request:
        """The request of the floor that replays ``recipe``."""
        values = ",".join(str(value) for value in self.subject(site, n)) or "-"
        own = self.ours(site, n)
        return Request(own.method, f"{FLOOR}/same/{recipe}/{quote(values, safe=',')}", own.body)


def _person(site: Site, n: int) -> Row:
    return site.people[n * 7919 % len(site.people)]


def _pair(site: Site, n: int) -> Row:
    """The same person twice in a row, for what is done and undone."""
    return _person(site, n // 2)


def _extra(site: Site, n: int) -> Row:
    return site.extras[n % len(site.extras)]


def _team(site: Site, n: int) -> Row:
    return site.groups[n * 31 % len(site.groups)]


def _get(path: str, **query: Any) -> Request:
    return Request("GET", f"{SCIM}{path}" + (f"?{urlencode(query)}" if query else ""))


def _floor(method: str, path: str, body: bytes = b"") -> Request:
    return Request(method, FLOOR + path, body)


def _sent(method: str, path: str, document: Any) -> Request:
    return Request(method, SCIM + path, json.dumps(document).encode())


def _ids(row: Row) -> tuple[Any, ...]:
    names = (row.name, row.name.lower(), row.external)  # as written and as compared
    return row.pk, row.scim_id, row.account or _NO_ACCOUNT, *names


def _equal(name: str, attribute: str, value: Callable[[Row], str], floor: str) -> Operation:
    """A look-up of one person by an attribute."""
    return Operation(
        name,
        lambda site, n: _get("/Users", filter=f'{attribute} eq "{value(_person(site, n))}"'),
        lambda site, n: _floor("GET", f"/people/by-{floor}/{quote(value(_person(site, n)))}"),
        lambda site, n: _ids(_person(site, n)),
        flat=True,
        statements=5,
    )


@cache
def _middle_cursor(site: Site) -> tuple[str, int]:
    """The cursor of a page in the middle, and the row before it; one has to read up to there."""
    cursor, seen = "", 0
    while seen < site.size // 2:
        page = answer(site, _get("/Users", cursor=cursor, count=100, attributes="id"))
        seen += len(page["Resources"])
        cursor, last = page.get("nextCursor", ""), page["Resources"][-1]["id"]
    return cursor, Resource.objects.get(connection=site.connection, scim_id=last).pk


READS = (
    Operation(
        "GET user",
        lambda site, n: _get(f"/Users/{_person(site, n).scim_id}"),
        lambda site, n: _floor("GET", f"/person/{_person(site, n).pk}"),
        lambda site, n: _ids(_person(site, n)),
        flat=True,
        statements=3,
    ),
    Operation(
        "GET group of 10",
        lambda site, n: _get(f"/Groups/{_team(site, n).scim_id}"),
        lambda site, n: _floor("GET", f"/group/{_team(site, n).pk}"),
        lambda site, n: _ids(_team(site, n)),
        flat=True,
    ),
    _equal("userName eq", "userName", lambda row: row.name, "name"),
    _equal("externalId eq", "externalId", lambda row: row.external, "external"),
    _equal("work e-mail eq", 'emails[type eq "work"].value', lambda row: row.name, "mail"),
    Operation(
        "displayName eq (group)",
        lambda site, n: _get("/Groups", filter=f'displayName eq "{_team(site, n).name}"'),
        lambda site, n: _floor("GET", f"/groups/by-name/{quote(_team(site, n).name.lower())}"),
        lambda site, n: _ids(_team(site, n)),
        flat=True,
    ),
    Operation(
        "id eq and members eq",
        lambda site, n: _get(
            "/Groups",
            filter=f'id eq "{site.everybody.scim_id}" and members eq "{_person(site, n).scim_id}"',
            excludedAttributes="members",
        ),
        lambda site, n: _floor("GET", f"/group/{site.everybody.pk}/member/{_person(site, n).pk}"),
        lambda site, n: _ids(_person(site, n)),
        flat=True,
    ),
    Operation(
        "list 100 users, first",
        lambda site, n: _get("/Users", count=100),
        lambda site, n: _floor("GET", "/people/page/0"),
        times_bare=3.0,
        statements=5,
        per_second=200.0,
    ),
    Operation(
        "list 100 users, middle",
        lambda site, n: _get("/Users", count=100, startIndex=site.size // 2 + 1),
        lambda site, n: _floor("GET", f"/people/page/{site.size // 2}"),
        times_bare=3.0,
    ),
    Operation(
        "cursor page of 100, first",
        lambda site, n: _get("/Users", cursor="", count=100),
        lambda site, n: _floor("GET", "/people/after/0"),
        times_bare=3.0,
        flat=True,
    ),
    Operation(
        "cursor page of 100, middle",
        lambda site, n: _get("/Users", cursor=_middle_cursor(site)[0], count=100),
        lambda site, n: _floor("GET", f"/people/after/{_middle_cursor(site)[1]}"),
        times_bare=3.0,
        flat=True,
    ),
    Operation(
        "list 100 groups, no members",
        lambda site, n: _get("/Groups", count=100, excludedAttributes="members"),
        lambda site, n: _floor("GET", "/groups/page/0"),
        times_bare=3.0,
    ),
    Operation(
        "ServiceProviderConfig",
        lambda site, n: _get("/ServiceProviderConfig"),
        lambda site, n: _floor("GET", "/constant"),
        times_bare=None,
    ),
)


def _patch_user(site: Site, n: int, value: dict[str, Any]) -> Request:
    operation = {"op": "replace", **value}
    document = {"schemas": [_PATCH], "Operations": [operation]}
    return _sent("PATCH", f"/Users/{_pair(site, n).scim_id}", document)


def _let_in(site: Site, batch: Sequence[int]) -> None:
    """Have everybody active who is deactivated next, whatever was done to them before."""
    keys = [key for n in batch if (key := _pair(site, n).account)]
    get_user_model()._default_manager.filter(pk__in=keys).update(is_active=True)


def _patched(
    name: str,
    value: Callable[[int], dict[str, Any]],
    arrange: Callable[[Site, Sequence[int]], None] = lambda site, batch: None,
) -> Operation:
    return Operation(
        name,
        lambda site, n: _patch_user(site, n, value(n)),
        lambda site, n: _floor("PATCH", f"/person/{_pair(site, n).pk}", _ready(site, n)),
        lambda site, n: _ids(_pair(site, n)),
        times_bare=2.5,
        statements=7,
        arrange=arrange,
    )


_people = itertools.count(_TRANSIENT + 500_000_000)


def new_people(number: int) -> list[dict[str, Any]]:
    """Bodies of POSTs that no other operation sends."""
    return [_new(next(_people) - _TRANSIENT) for _ in range(number)]


def _new(n: int) -> dict[str, Any]:
    """Somebody who is not there yet, without a manager, who would not be there either."""
    body = COMPANY.person(_TRANSIENT + n)
    del body[_ENTERPRISE]["manager"]
    return body


def _ready(site: Site, n: int) -> bytes:
    return json.dumps(_new(n)).encode()


def _put(site: Site, n: int) -> Request:
    row = _person(site, n)
    body = _new(n) | {"userName": row.name, "externalId": row.external}
    body["emails"] = [{"value": row.name, "type": "work", "primary": True}]
    return _sent("PUT", f"/Users/{row.scim_id}", body)


_victims: dict[int, Row] = {}


def _victim(site: Site, n: int) -> Row:
    return _victims[n]


def _raise_victims(site: Site, batch: Sequence[int]) -> None:
    """People for a DELETE to take away, ours and the floors'."""
    made = create_people(site.connection, map(_new, batch))
    _victims.clear()
    _victims.update(zip(batch, made, strict=True))
    tables.restore_people([row.pk for row in made], _ready(site, 0).decode())


def _member_change(name: str, group: Callable[[Site, int], Row], *, add: bool) -> Operation:
    """Add or remove one member, who was not there or was."""

    def ours(site: Site, n: int) -> Request:
        member = _extra(site, n).scim_id
        change = (
            {"op": "add", "path": "members", "value": [{"value": member}]}
            if add
            else {"op": "remove", "path": f'members[value eq "{member}"]'}
        )
        document = {"schemas": [_PATCH], "Operations": [change]}
        return _sent("PATCH", f"/Groups/{group(site, n).scim_id}", document)

    def bare(site: Site, n: int) -> Request:
        path = f"/group/{group(site, n).pk}/member/{_extra(site, n).pk}"
        return _floor("PATCH", path, ours(site, n).body) if add else _floor("DELETE", path)

    def arrange(site: Site, batch: Sequence[int]) -> None:
        pairs = [(group(site, n).pk, _extra(site, n).pk) for n in batch]
        _set_members(site, pairs, present=not add)

    def subject(site: Site, n: int) -> Sequence[Any]:
        return (*_ids(group(site, n)), *_ids(_extra(site, n)))

    return Operation(name, ours, bare, subject, 2.5, statements=8, arrange=arrange)


def _set_members(site: Site, pairs: list[tuple[int, int]], *, present: bool) -> None:
    extras = [row.pk for row in site.extras]
    Membership.objects.filter(member__in=extras).delete()
    if present:
        Membership.objects.bulk_create(
            [
                Membership(connection=site.connection, group_id=group, member_id=member)
                for group, member in dict.fromkeys(pairs)
            ]
        )
    tables.set_members(list(dict.fromkeys(pairs)), present=present)


WRITES = (
    Operation(
        "POST user",
        lambda site, n: Request("POST", f"{SCIM}/Users", _ready(site, n)),
        lambda site, n: _floor("POST", "/people", _ready(site, n)),
        lambda site, n: (_new(n)["userName"], _new(n)["externalId"]),
        times_bare=2.5,
        statements=8,
    ),
    _patched("PATCH user: active", lambda n: {"path": "active", "value": n % 2 == 1}, _let_in),
    _patched("PATCH user: title", lambda n: {"path": "title", "value": f"Title {_TRANSIENT + n}"}),
    Operation(
        "PUT user",
        _put,
        lambda site, n: _floor("PUT", f"/person/{_person(site, n).pk}", _ready(site, n)),
        lambda site, n: _ids(_person(site, n)),
        times_bare=2.5,
    ),
    _member_change("add a member, group of 10", _team, add=True),
    _member_change("remove a member, group of 10", _team, add=False),
    _member_change("add a member, group of N", lambda site, n: site.everybody, add=True),
    _member_change("remove a member, group of N", lambda site, n: site.everybody, add=False),
    Operation(
        "DELETE user",
        lambda site, n: Request("DELETE", f"{SCIM}/Users/{_victim(site, n).scim_id}"),
        lambda site, n: _floor("DELETE", f"/person/{_victim(site, n).pk}"),
        lambda site, n: _ids(_victim(site, n)),
        times_bare=None,
        arrange=_raise_victims,
    ),
)

OPERATIONS = (*READS, *WRITES)
