"""A person and a group that come, change and go: through the site's own HTTP, and for nobody.

All of it runs in one transaction that is rolled back. What waits for the commit (signals, e-mails
sent by them) never happens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import NoReverseMatch

from scim_provider import keys
from scim_provider.connections import connection_for
from scim_provider.mapping.transactions import database
from scim_provider.models import Connection
from scim_provider.mounts import base_url
from scim_provider.organizations import owner_of

from .finding import Finding, error, first_line, info, ok

_TOPIC = "self-test"
_JSON = "application/scim+json"
_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Failed(Exception):
    """A step went wrong; the text says which, and what was answered."""


def check_itself(chosen: Connection | None) -> Iterator[Finding]:
    """One finding: everything works, or the first step that does not."""
    using = database()
    try:
        with transaction.atomic(using=using):
            try:
                found = _tried(chosen)
            finally:
                transaction.set_rollback(True, using=using)
    except DatabaseError as refused:
        found = error(_TOPIC, f"The database refused it: {first_line(refused)}.", _WHY, _LOG)
    yield found


_WHY = "An identity provider would get the same."
_LOG = "Look at the site's log: the error is there."


def _tried(chosen: Connection | None) -> Finding:
    found = chosen or Connection.objects.filter(enabled=True).order_by("pk").first()
    connection = found or connection_for(None)
    if connection.owner_type_id is not None and owner_of(connection) is None:
        return info(_TOPIC, f"{connection} has no organization any more.", "", "Choose another.")
    Connection.objects.filter(pk=connection.pk).update(enabled=True)
    connection.enabled = True
    try:
        steps = Steps(connection)
        steps.run()
    except Failed as failed:
        do = "Read what is answered. What comes from the site's own code is in its log."
        return error(_TOPIC, str(failed), _WHY, do)
    except (NoReverseMatch, DisallowedHost, ImportError, ImproperlyConfigured, ValueError) as wrong:
        return error(_TOPIC, f"It cannot begin: {wrong}", _WHY, "See what the checks say.")
    return ok(_TOPIC, f"{len(steps.done)} requests did what they should, and left nothing behind.")


class Steps:
    """The requests, each judged by its status."""

    def __init__(self, connection: Connection) -> None:
        url = urlsplit(base_url(owner=owner_of(connection)))
        self.mount = url.path
        self.secret = keys.temporary_key(connection)
        host = url.netloc or _allowed_host()
        self.client = Client(raise_request_exception=False, headers={"host": host, "accept": _JSON})
        self.done: list[str] = []

    def run(self) -> None:
        mark = f"scim-doctor-{token_hex(6)}"
        login = f"{mark}@example.com"
        person = {
            "schemas": [_USER],
            "userName": login,
            "name": {"givenName": "Scim", "familyName": "Doctor"},
            "emails": [{"value": login, "type": "work", "primary": True}],
            "externalId": mark,
            "active": True,
        }
        user = self.send("creating a person", "POST", "/Users", 201, person)["id"]
        self.expect_found(login, 1)
        change = {"op": "replace", "value": {"name": {"givenName": "Changed"}}}
        self.patch("changing a person", f"/Users/{user}", change)
        group = {"schemas": [_GROUP], "displayName": mark, "members": [{"value": user}]}
        made = self.send("creating a group", "POST", "/Groups", 201, group)["id"]
        gone = {"op": "remove", "path": f'members[value eq "{user}"]'}
        self.patch("taking a member out", f"/Groups/{made}", gone)
        self.patch("deactivating a person", f"/Users/{user}", _active(False))
        self.patch("reactivating a person", f"/Users/{user}", _active(True))
        self.send("deleting a group", "DELETE", f"/Groups/{made}", 204)
        self.send("deleting a person", "DELETE", f"/Users/{user}", 204)
        self.expect_found(login, 0)

    def expect_found(self, login: str, count: int) -> None:
        what = "looking a person up by userName"
        found = self.send(what, "GET", "/Users", 200, query={"filter": f'userName eq "{login}"'})
        if found.get("totalResults") != count:
            raise Failed(f"{what} finds {found.get('totalResults')}, not {count}.")

    def patch(self, what: str, path: str, operation: dict[str, Any]) -> None:
        self.send(what, "PATCH", path, None, {"schemas": [_PATCH], "Operations": [operation]})

    def send(
        self,
        what: str,
        method: str,
        path: str,
        expected: int | None,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """The document of the answer; ``expected`` None stands for 200 or 204."""
        answer: Any = self.client.generic(
            method,
            self.mount + path,
            data=json.dumps(body) if body else "",
            content_type=_JSON,
            secure=True,
            query_params=query,
            headers={"Authorization": f"Bearer {self.secret}"},
        )
        if answer.status_code not in ((200, 204) if expected is None else (expected,)):
            raise Failed(f"{what.capitalize()} is answered with {_told(answer)}")
        self.done.append(what)
        document: dict[str, Any] = json.loads(answer.content or b"{}")
        return document


def _active(value: bool) -> dict[str, Any]:
    return {"op": "replace", "path": "active", "value": value}


def _told(answer: Any) -> str:
    """The answer for an admin: the detail of a SCIM error, else what kind of page it is."""
    try:
        return f"{answer.status_code}: {json.loads(answer.content)['detail']}"
    except (ValueError, KeyError, TypeError):
        pass
    if location := answer.headers.get("Location"):
        return f"{answer.status_code}, a redirect to {location}: a middleware of the site's own?"
    kind = answer.headers.get("Content-Type", "nothing")
    return f"{answer.status_code} and {kind}: a middleware of the site's own?"


def _allowed_host() -> str:
    """A host that the site answers to."""
    named = [host for host in settings.ALLOWED_HOSTS if host != "*"]
    return named[0].lstrip(".") if named else "localhost"
