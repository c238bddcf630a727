"""``manage.py scim_roles``: the roles of a connection, what gives them, and changes of both.

``list`` prints the mapping in the shape that a change has, ``preview FILE`` tells who would
change, ``apply FILE`` makes it so. ``-`` reads from standard input.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from scim_provider.management.command import WRONG_USAGE, ConnectionCommand, Progress
from scim_provider.models import Connection, ScimUser
from scim_provider.role_mapping import MappingError, Outcome, apply, current, preview


class Command(ConnectionCommand):
    help = "List the roles of a connection; preview and apply a change of roles and rules."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["list", "preview", "apply"])
        parser.add_argument(
            "file",
            nargs="?",
            help="The change, JSON as list --json prints it; - is standard input.",
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        connection = self.known_connection(options["organization"])
        if options["action"] == "list":
            self._list(connection, as_json=options["json"])
            return
        change = _read(options["file"])
        people = ScimUser.objects.filter(connection=connection).count()
        progress = Progress("People", people, None if options["json"] else self.stderr)
        act = preview if options["action"] == "preview" else apply
        try:
            outcome = act(connection, change, progress=progress)
        except MappingError as error:
            raise CommandError(str(error), returncode=WRONG_USAGE) from error
        self._tell(outcome, applied=options["action"] == "apply", as_json=options["json"])

    def _list(self, connection: Connection, *, as_json: bool) -> None:
        mapping = current(connection)
        if as_json:
            self.print_json(mapping)
            return
        for role in mapping["roles"]:
            self.stdout.write(_role_line(role))
        for rule in mapping["rules"]:
            self.stdout.write(f"Members of {rule['group']} have {rule['role']}.")
        self.stdout.write(f"Unknown role: {mapping['unknown_role']}.")
        self.stdout.write(f"Missing role: {mapping['missing_role']}.")

    def _tell(self, outcome: Outcome, *, applied: bool, as_json: bool) -> None:
        told = outcome.as_dict()
        if as_json:
            self.print_json(told)
            return
        self.stdout.write(f"{told['people']:,} people {'changed' if applied else 'would change'}.")
        for what in ("roles", "groups"):
            for name, tally in told[what].items():
                self.stdout.write(_tally_line(name, tally))
        without = told["without_role"]
        if without["people"]:
            self.stdout.write(f"Left without a role: {_some(without['people'], without['first'])}")


def _read(file: str | None) -> dict[str, Any]:
    if not file:
        raise CommandError("Name the file with the change.", returncode=WRONG_USAGE)
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        change = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise CommandError(f"{file} cannot be read: {error}", returncode=WRONG_USAGE) from error
    if not isinstance(change, dict):
        raise CommandError(f"{file} holds no JSON object.", returncode=WRONG_USAGE)
    return change


def _role_line(role: dict[str, Any]) -> str:
    notes = [name for name in ("protected", "default") if role[name]]
    notes += [f"also called {', '.join(role['aliases'])}"] if role["aliases"] else []
    notes += [f"Django group {role['django_group']}"] if role["django_group"] else []
    return f"{role['value']} ({'; '.join(notes)})" if notes else str(role["value"])


def _tally_line(name: str, tally: dict[str, Any]) -> str:
    parts = []
    if tally["gained"]:
        parts.append(f"gained by {_some(tally['gained'], tally['first_gained'])}")
    if tally["lost"]:
        parts.append(f"lost by {_some(tally['lost'], tally['first_lost'])}")
    return f"{name}: {'; '.join(parts)}"


def _some(number: int, first: list[str]) -> str:
    more = f" and {number - len(first):,} more" if number > len(first) else ""
    return f"{number:,} ({', '.join(first)}{more})"
