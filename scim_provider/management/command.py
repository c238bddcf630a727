"""What the commands on one connection share: whose it is, how they tell, how far they are."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model

from scim_provider import existing
from scim_provider.connections import connection_for, find_connection
from scim_provider.models import Connection
from scim_provider.organizations import organizations

#: Exit codes: there is something to look at; it was called the wrong way.
FINDINGS, WRONG_USAGE = 1, 2

_WIDTH = 40
#: A plain line for every so many.
_LINES = 10
_DRAWN_EVERY = 0.1


class ConnectionCommand(BaseCommand):
    """Takes ``--organization`` and ``--json``."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--organization",
            default="",
            metavar="NAME",
            help="Whose connection; left out on a site that is one organization.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def owner(self, name: str) -> Model | None:
        """The organization of that name."""
        try:
            return organizations().by_name(name)
        except LookupError as unknown:
            raise CommandError(str(unknown.args[0]), returncode=WRONG_USAGE) from unknown

    def connection(self, name: str) -> Connection:
        """The connection of the organization of that name, made on first use."""
        return connection_for(self.owner(name))

    def known_connection(self, name: str) -> Connection:
        """The same, where it must be there already."""
        found = find_connection(self.owner(name))
        if found is None:
            raise CommandError(
                "There is no connection yet. Turn SCIM on first: scim_connection enable.",
                returncode=WRONG_USAGE,
            )
        return found

    def print_json(self, told: Any) -> None:
        self.stdout.write(json.dumps(told, ensure_ascii=False, default=str))


class Progress:
    """Tells how far it is: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, what: str, total: int, out: Any) -> None:
        self.what, self.total, self.out = what, total, out
        self.done = 0
        self.began = time.monotonic()
        self.drawn = 0.0

    def __call__(self, more: int) -> None:
        lines_before = self.done * _LINES // max(self.total, 1)
        self.done += more
        if self.out is None:
            return
        last = self.done >= self.total
        if self.out.isatty():
            if not (last or self._is_due()):
                return
            self.out.write(f"\r{self.bar()}", ending="\n" if last else "")
            self.out.flush()
        elif last or self.done * _LINES // self.total > lines_before:
            self.out.write(f"{self.what}: {self.done:,} of {self.total:,}")

    def _is_due(self) -> bool:
        """Nobody reads a bar that changes faster than that."""
        now = time.monotonic()
        if now < self.drawn + _DRAWN_EVERY:
            return False
        self.drawn = now
        return True

    def bar(self) -> str:
        """``Users     ████░░░░  50%  50,000 of 100,000  6,100/s``."""
        share = min(self.done / max(self.total, 1), 1)
        full = int(share * _WIDTH)
        speed = self.done / max(time.monotonic() - self.began, 0.001)
        drawn = "█" * full + "░" * (_WIDTH - full)
        counted = f"{self.done:,} of {self.total:,}"
        return f"{self.what:<9} {drawn} {share:>4.0%}  {counted}  {speed:,.0f}/s"


def list_with_progress(connection: Connection, out: Any) -> dict[str, Any]:
    """List the members of the organization, telling ``out`` how far it is; what came of it."""
    began = time.monotonic()
    progress = Progress("Members", existing.Outlook(connection).missing, out)
    done = existing.list_all(connection, progress)
    return {
        "listed": done.listed,
        "passed_over": done.passed_over,
        "seconds": round(time.monotonic() - began, 2),
    }
