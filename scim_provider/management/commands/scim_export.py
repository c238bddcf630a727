"""``manage.py scim_export``: people, groups, roles and events of one connection, as a stream."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from scim_provider import export_formats
from scim_provider.export_formats import Record
from scim_provider.exporting import EVENTS, Export, event_record, exportable, masked
from scim_provider.management.command import WRONG_USAGE, ConnectionCommand, Progress
from scim_provider.models import Event

#: Of an export as one request.
_WRITABLE = "create"


class Command(ConnectionCommand):
    help = "Write people, groups, roles and events of a connection, whatever their number."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "kinds",
            nargs="*",
            metavar="KIND",
            help="users, groups, roles, events, or another endpoint; default: all but events.",
        )
        parser.add_argument("--format", choices=("jsonl", "scim", "bulk", "csv"), default="jsonl")
        parser.add_argument("--mask", action="store_true", help="Make what is personal unreadable.")
        parser.add_argument("--output", metavar="FILE", help="Instead of the standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        kinds = self._kinds(options)
        export = Export(self.known_connection(options["organization"]))
        self.count, began = 0, time.monotonic()
        self.advance: Callable[[int], None] = lambda more: None
        if options["output"] and not options["json"]:
            total = sum(map(export.total, kinds))
            self.advance = Progress("Records", total, self.stdout)
        pieces = self._pieces(export, kinds, options)
        if options["output"]:
            self._write_file(Path(options["output"]), pieces)
        else:
            self._write_out(pieces)
        seconds = round(time.monotonic() - began, 2)
        told = {"records": self.count, "kinds": kinds, "seconds": seconds}
        if options["json"]:
            out = self.stdout if options["output"] else self.stderr
            out.write(export_formats.json_text(told))
        elif options["output"]:
            self.stdout.write(f"{self.count:,} records in {seconds} seconds")

    def _kinds(self, options: dict[str, Any]) -> list[str]:
        known = exportable()
        kinds = options["kinds"] or [name for name in known if name != EVENTS]
        if options["format"] == "bulk":
            kinds = [name for name in kinds if _WRITABLE in getattr(known.get(name), "methods", ())]
        if unknown := [name for name in kinds if name not in known]:
            names = ", ".join(known)
            raise CommandError(f"Unknown: {', '.join(unknown)}. There are: {names}.", returncode=2)
        if options["format"] == "csv" and len(kinds) != 1:
            raise CommandError("A CSV file has one kind: name it.", returncode=WRONG_USAGE)
        if options["format"] == "bulk" and options["mask"]:
            raise CommandError("What is masked can be nobody's input.", returncode=WRONG_USAGE)
        return kinds

    def _pieces(self, export: Export, kinds: list[str], options: dict[str, Any]) -> Iterator[str]:
        if options["format"] == "bulk":
            return export_formats.bulk_request(self._operations(export, kinds))
        records = self._records(export, kinds, mask=options["mask"])
        if options["format"] == "csv":
            return export_formats.csv_lines(records, _columns(kinds[0]))
        write = {"scim": export_formats.list_response, "jsonl": export_formats.json_lines}
        return write[options["format"]](records)

    def _records(self, export: Export, kinds: list[str], *, mask: bool) -> Iterator[Record]:
        for kind in kinds:
            for record in export.records(kind):
                self._counted()
                yield masked(record) if mask else record

    def _operations(self, export: Export, kinds: list[str]) -> Iterator[tuple[str, Record]]:
        for kind in kinds:
            for record in export.records(kind, without=("groups",)):
                self._counted()
                yield f"/{record['meta']['location'].rsplit('/', 2)[1]}", record

    def _counted(self) -> None:
        self.count += 1
        self.advance(1)

    def _write_out(self, pieces: Iterator[str]) -> None:
        try:
            for piece in pieces:
                self.stdout.write(piece, ending="")
        except BrokenPipeError:  # whoever reads has enough, as head has: nothing more is flushed
            if self.stdout._out is sys.stdout and sys.__stdout__:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
            sys.exit(1)

    def _write_file(self, path: Path, pieces: Iterator[str]) -> None:
        """Nobody finds half a file: it gets its name when it is whole. It is its owner's alone."""
        partial = path.with_name(f"{path.name}.partial")
        try:
            with open(partial, "w", encoding="utf-8", opener=_private) as file:
                file.writelines(pieces)
            os.replace(partial, path)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error}") from error
        finally:
            partial.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _columns(kind: str) -> list[str]:
    served = exportable()[kind]
    if served is None:
        return list(event_record(Event()))
    return list(export_formats.csv_columns(served.resource_schema))
