"""``manage.py scim_protect``: people whom no identity provider can lock out."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from scim_provider import connections
from scim_provider.models import Connection
from scim_provider.organizations import organizations
from scim_provider.protection import UnknownPeople, protect, protected_outside, protected_people


class Command(BaseCommand):
    help = "List the protected people of a connection; protect some, or with --off no longer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user_names", nargs="*", metavar="USERNAME")
        parser.add_argument("--off", action="store_true", help="Protect them no longer.")
        parser.add_argument("--organization", default="", metavar="NAME")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        connection = self._connection(options["organization"])
        try:
            changed = protect(connection, options["user_names"], protected=not options["off"])
        except UnknownPeople as unknown:
            named = ", ".join(unknown.names)
            raise CommandError(f"{connection} has no such person: {named}.") from unknown
        names = list(protected_people(connection).values_list("name", flat=True))
        outside = [row.account.get_username() for row in protected_outside(connection)]
        report = {
            "connection": str(connection),
            "changed": changed,
            "protected": names,
            "protected_outside": outside,
        }
        lines = [*names, *(f"{name} (out of SCIM, and protected once back)" for name in outside)]
        text = "\n".join(lines) or "Nobody is protected."
        self.stdout.write(json.dumps(report) if options["json"] else text)

    def _connection(self, name: str) -> Connection:
        try:
            return connections.connection_for(organizations().by_name(name))
        except LookupError as unknown:
            raise CommandError(str(unknown.args[0])) from unknown
