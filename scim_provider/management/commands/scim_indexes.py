"""``manage.py scim_indexes``: the optional indexes, listed, built and removed (docs/indexes.md)."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError
from django.template.defaultfilters import filesizeformat

from scim_provider import optional_indexes
from scim_provider.optional_indexes import EXTENSIONS, NOT_HERE, State


class Command(BaseCommand):
    help = "List the optional indexes for co, ew and names; --create builds, --drop removes them."

    def add_arguments(self, parser: CommandParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--create", action="store_true", help="Build what is not built.")
        action.add_argument("--drop", action="store_true", help="Remove what is built.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["create"]:
            self._create()
        elif options["drop"]:
            self._drop()
        self._report(as_json=options["json"])

    def _create(self) -> None:
        missing = [s for s in optional_indexes.states() if s.state != "built"]
        if not missing:
            return
        self._refuse_transaction()
        try:
            optional_indexes.create_extensions()
        except ProgrammingError as refused:
            statements = " ".join(f"CREATE EXTENSION {name};" for name in EXTENSIONS)
            raise CommandError(
                f"{refused} Let an administrator of the database run: {statements}"
            ) from refused
        for state in missing:
            self.stderr.write(f"Building {state.index.name} …")
            optional_indexes.create(state)

    def _drop(self) -> None:
        there = [s for s in optional_indexes.states() if s.state != "absent"]
        if there:
            self._refuse_transaction()
        for state in there:
            optional_indexes.drop(state)

    def _refuse_transaction(self) -> None:
        if optional_indexes.database().in_atomic_block:
            raise CommandError("An index cannot be built while the site goes on in a transaction.")

    def _report(self, *, as_json: bool) -> None:
        states = optional_indexes.states()
        vendor = optional_indexes.database().vendor
        note = NOT_HERE.get(vendor, "")
        if as_json:
            indexes = [optional_indexes.as_json(state) for state in states]
            self.stdout.write(json.dumps({"database": vendor, "note": note, "indexes": indexes}))
        else:
            self.stdout.write("\n\n".join(map(as_text, states)) or note)


def as_text(state: State) -> str:
    """An index for people."""
    size = f", {filesizeformat(state.bytes)}" if state.state == "built" else ""
    index = state.index
    return f"{index.name}: {state.state}{size}\n  on {index.table}\n  serves {index.serves}"
