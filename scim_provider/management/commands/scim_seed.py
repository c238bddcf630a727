"""``manage.py scim_seed``: a company of made-up people, to try a site with and to measure it.

The same seed makes the same people. A second run adds only what is missing.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.text import slugify

from scim_provider.management.command import ConnectionCommand, Progress
from scim_provider.models import Connection
from scim_provider.organizations import organizations, owner_of
from scim_provider.seeding import Seeding
from scim_provider.simulator.population import Population


class Command(ConnectionCommand):
    help = "Fill a SCIM connection with made-up people and groups, or take them away."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--users", type=_number, default=1000, metavar="N")
        parser.add_argument("--groups", type=_number, default=20, metavar="N")
        parser.add_argument(
            "--members-per-group",
            type=_number,
            default=25,
            metavar="N",
            help="In a team; the first groups are everybody, the departments and the divisions.",
        )
        parser.add_argument("--seed", type=_number, default=1, metavar="N", help="Other people.")
        parser.add_argument("--domain", default="", help="Of their login names and e-mails.")
        parser.add_argument("--remove", action="store_true", help="Delete what any run made here.")
        parser.add_argument("--yes", action="store_true", help="Also where DEBUG is off.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEBUG or options["yes"]):
            raise CommandError("This makes or deletes many accounts. Add --yes where DEBUG is off.")
        connection = self.connection(options["organization"])
        population = Population(
            options["users"],
            options["groups"],
            members_per_group=options["members_per_group"],
            seed=options["seed"],
            domain=options["domain"] or domain_of(connection),
        )
        self.quiet = options["json"]
        began = time.monotonic()
        seeding = Seeding(connection, population)
        if options["remove"]:
            self._watched("Removing", seeding.made().count(), seeding.remove)
        else:
            self._watched("Users", population.users, seeding.users)
            self._watched("Groups", population.groups, seeding.groups)
        self._tell(seeding, connection, time.monotonic() - began)

    def _watched(self, what: str, total: int, act: Callable[[Callable[[int], None]], None]) -> None:
        act(Progress(what, total, None if self.quiet else self.stdout))

    def _tell(self, seeding: Seeding, connection: Connection, seconds: float) -> None:
        counts = {name: count for name, count in seeding.report.counts.items() if count}
        if self.quiet:
            told = {
                "connection": str(connection.public_id),
                **seeding.report.counts,
                "reasons": seeding.report.reasons,
                "seconds": round(seconds, 2),
            }
            self.stdout.write(json.dumps(told))
            return
        for name, count in counts.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {count:,}")
        for reason in seeding.report.reasons:
            self.stdout.write(f"  {reason}")
        self.stdout.write(f"{seconds:.1f} seconds")


def domain_of(connection: Connection) -> str:
    """A mail domain of the connection's own: login names are unique on the whole site."""
    label = slugify(organizations().name(owner_of(connection))) or connection.public_id.hex[:8]
    return f"{label}.seed.example"


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number
