"""``manage.py scim_members``: the people of an organization who were there before SCIM.

``status`` counts, ``list`` lists the members, ``unlink`` takes one person out of SCIM and leaves
the account, ``relink`` takes that back. A run of ``list`` that was stopped is simply repeated.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from scim_provider import existing
from scim_provider.management.command import ConnectionCommand, list_with_progress
from scim_provider.models import Connection, ExistingPeople


class Command(ConnectionCommand):
    help = "List the members of an organization in SCIM, or unlink one of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["status", "list", "unlink", "relink"])
        parser.add_argument("--user", default="", metavar="USERNAME", help="Whom to unlink.")
        parser.add_argument("--by", default="", metavar="NAME", help="Who does it, for the event.")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = self.connection(options["organization"])
        act = getattr(self, f"_{options['action']}")
        report = {"connection": str(connection.public_id), **act(connection, options)}
        if options["json"]:
            self.print_json(report)
            return
        for name, value in report.items():
            shown = f"{value:,}" if isinstance(value, int) else value
            self.stdout.write(f"{name.replace('_', ' ')}: {shown}")

    def _status(self, connection: Connection, options: dict[str, Any]) -> dict[str, Any]:
        return status(connection)

    def _list(self, connection: Connection, options: dict[str, Any]) -> dict[str, Any]:
        existing.choose(connection, ExistingPeople.LIST)
        return list_with_progress(connection, None if options["json"] else self.stdout)

    def _unlink(self, connection: Connection, options: dict[str, Any]) -> dict[str, Any]:
        name = self._user(options)
        person = existing.person_named(connection, name)
        if person is None:
            raise CommandError(f"No person named {name!r} is in SCIM here.")
        by = options["by"] or "the command line"
        return {"unlinked": existing.unlink(connection, [person], by=by)}

    def _relink(self, connection: Connection, options: dict[str, Any]) -> dict[str, Any]:
        name = self._user(options)
        freed = existing.relink(connection, name)
        if not freed:
            raise CommandError(f"No account named {name!r} was unlinked here.")
        return {"relinked": freed}

    def _user(self, options: dict[str, Any]) -> str:
        if not options["user"]:
            raise CommandError("Name the person with --user.")
        return str(options["user"])


def status(connection: Connection) -> dict[str, Any]:
    """What listing did and would do, in numbers."""
    outlook = existing.Outlook(connection)
    reasons = {f"cannot_be_listed_{name}": n for name, n in outlook.obstacles.items()}
    left_alone = {f"left_alone_{name}": n for name, n in outlook.unlisted.items()}
    return {
        "policy": connection.existing_people,
        "members": outlook.members,
        "administrators": outlook.administrators,
        "listed": outlook.listed,
        "would_be_listed": outlook.listable,
        **reasons,
        **left_alone,
    }
