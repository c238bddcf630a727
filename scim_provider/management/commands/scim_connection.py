"""``manage.py scim_connection``: SCIM connections from the command line.

``enable`` turns SCIM on and makes an access key, ``rotate`` replaces the newest key, ``disable``
turns SCIM off and revokes the keys, ``status`` tells about one connection and ``list`` about all.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model

from scim_provider import connections, existing, keys
from scim_provider.management.command import list_with_progress
from scim_provider.models import AccessKey, Connection, ExistingPeople
from scim_provider.organizations import organizations, owner_of

#: Where ``manage.py runserver`` listens: what a command says when no base URL is set.
LOCAL_SITE = "http://127.0.0.1:8000"


class Command(BaseCommand):
    help = "Turn SCIM on or off for an organization, make and replace its access keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["enable", "rotate", "disable", "status", "list"])
        parser.add_argument(
            "--organization",
            default="",
            metavar="NAME",
            help="Whose connection; left out on a site that is one organization.",
        )
        parser.add_argument(
            "--keep-old-for",
            type=float,
            default=24,
            metavar="HOURS",
            help="How long the replaced key still works after rotate; 0 ends it at once.",
        )
        parser.add_argument(
            "--existing-people",
            choices=ExistingPeople.values,
            help="With enable: start empty, or list the members who are there; left as it is else.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "list":
            self._list(as_json=options["json"])
            return
        act = getattr(self, f"_{options['action']}")
        report = act(self._owner(options["action"], options["organization"]), options)
        self.stdout.write(json.dumps(report) if options["json"] else as_text(report))

    def _owner(self, action: str, name: str) -> Model | None:
        site = organizations()
        try:
            return site.by_name(name)
        except LookupError as unknown:
            if action != "enable":
                raise CommandError(str(unknown.args[0])) from unknown
            return self._new_owner(name)

    def _new_owner(self, name: str) -> Model:
        try:
            return organizations().create(name)
        except LookupError as unknown:
            raise CommandError(str(unknown.args[0])) from unknown

    def _enable(self, owner: Model | None, options: dict[str, Any]) -> dict[str, Any]:
        connection = connections.connection_for(owner)
        if not organizations().entitlement(owner).allowed:
            self.stderr.write("SCIM is not in the plan of this organization: its API answers 403.")
        new = self._enabled(connection)
        people = self._existing_people(connection, options)
        return with_key(connection, new.secret) | people

    def _existing_people(self, connection: Connection, options: dict[str, Any]) -> dict[str, Any]:
        """Set the policy that was named, and list the members where it says so."""
        policy = options["existing_people"]
        if policy is None:
            return {}
        existing.choose(connection, policy)
        if policy == ExistingPeople.EMPTY:
            return {"existing_people": policy}
        out = None if options["json"] else self.stdout
        return {"existing_people": policy, **list_with_progress(connection, out)}

    def _enabled(self, connection: Connection) -> keys.NewKey:
        """Turn SCIM on with a new key; of two keys that are live already the older one ends."""
        live = list(keys.live_keys(connection))
        if len(live) >= keys.MOST_LIVE_KEYS:
            self.stderr.write(f"The older access key, ending in {live[-1].last4}, was revoked.")
            keys.revoke(live[-1])
        new = connections.enable(connection, name="Command line")
        assert new is not None, "only a repeated nonce makes no key"
        return new

    def _rotate(self, owner: Model | None, options: dict[str, Any]) -> dict[str, Any]:
        connection = connections.connection_for(owner)
        old = keys.live_keys(connection).first()
        if old is None:
            raise CommandError("There is no live access key to replace. Run enable first.")
        keep = timedelta(hours=options["keep_old_for"])
        try:
            new = keys.rotate(connection, old, keep_old_for=keep, name="Command line")
        except keys.LiveKeyLimit as limit:
            raise CommandError(
                "Two access keys are live already. Wait until the older one ends, or end the "
                "newer one at once with --keep-old-for 0."
            ) from limit
        return with_key(connection, new.secret)

    def _disable(self, owner: Model | None, options: dict[str, Any]) -> dict[str, Any]:
        connection = connections.connection_for(owner)
        connections.disable(connection)
        return status(connection)

    def _status(self, owner: Model | None, options: dict[str, Any]) -> dict[str, Any]:
        return status(connections.connection_for(owner))

    def _list(self, *, as_json: bool) -> None:
        reports = [status(connection) for connection in Connection.objects.order_by("pk")]
        if as_json:
            self.stdout.write(json.dumps({"connections": reports}))
            return
        self.stdout.write("\n\n".join(map(as_text, reports)) or "There is no connection yet.")


def with_key(connection: Connection, secret: str) -> dict[str, Any]:
    """What a client needs to connect. The key is in no other answer."""
    return {
        "base_url": base_url(owner_of(connection)),
        "access_key": secret,
        "authorization": f"Bearer {secret}",
        "connection": str(connection.public_id),
    }


def status(connection: Connection) -> dict[str, Any]:
    """What ``connection`` is like now, without its secrets."""
    overview = connections.overview(connection)
    return {
        "connection": str(connection.public_id),
        "organization": str(connection.owner or ""),
        "enabled": connection.enabled,
        "state": str(overview.state),
        "base_url": base_url(owner_of(connection)),
        "users": overview.users,
        "groups": overview.groups,
        "keys": [describe(key) for key in overview.live_keys],
    }


def describe(key: AccessKey) -> dict[str, Any]:
    """A live key as the settings page lists it."""
    return {
        "key": str(key),
        "created": key.created_at.isoformat(),
        "expires": key.expires_at and key.expires_at.isoformat(),
        "ends": key.revoked_at and key.revoked_at.isoformat(),
        "last_used": key.last_used_at and key.last_used_at.isoformat(),
    }


def base_url(owner: Model | None) -> str:
    """The configured base URL of the organization, else the one of the development server."""
    url = connections.base_url(owner=owner)
    return LOCAL_SITE + url if url.startswith("/") else url


def as_text(report: dict[str, Any]) -> str:
    """A report for people: one line per value."""
    lines = []
    for name, value in report.items():
        shown = ", ".join(key["key"] for key in value) if isinstance(value, list) else value
        lines.append(f"{name.replace('_', ' ')}: {shown}")
    return "\n".join(lines)
