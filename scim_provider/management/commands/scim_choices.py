"""``manage.py scim_choices``: names that no row of the site has, such as a location's."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from scim_provider import choices
from scim_provider.management.command import ConnectionCommand, Progress
from scim_provider.models import Connection


class Command(ConnectionCommand):
    help = "List the names that no row of the site has; look all up again after adding rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", "apply"])

    def handle(self, *args: Any, **options: Any) -> None:
        connection = self.known_connection(options["organization"])
        told = getattr(self, options["action"])(connection, options)
        if options["json"]:
            self.print_json(told)

    def list(self, connection: Connection, options: dict[str, Any]) -> Any:
        found = [asdict(each) for each in choices.unfound(connection)]
        if not options["json"]:
            lines = [f"{each['people']:>7,}  {each['name']}  ({each['path']})" for each in found]
            self.stdout.write("\n".join(lines) or "Every name has a row.")
        return {"unfound": found}

    def apply(self, connection: Connection, options: dict[str, Any]) -> Any:
        people = choices.people_with_choices(connection)
        progress = Progress("People", people, None if options["json"] else self.stdout)
        changed = choices.look_up_again(connection, progress)
        if not options["json"]:
            self.stdout.write(f"{changed:,} people changed.")
        return {"changed": changed}
