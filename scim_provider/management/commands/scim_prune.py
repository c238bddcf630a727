"""``manage.py scim_prune``: deletes what nobody needs any more, say each night by cron."""

from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from scim_provider.management.command import ConnectionCommand, Progress
from scim_provider.pruning import Ages, sweeps


class Command(ConnectionCommand):
    help = "Delete old events, keys that ended long ago, and former users who are back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        ages = Ages.configured()
        parser.add_argument("--dry-run", action="store_true", help="Only count.")
        for name, default, what in (
            ("events", ages.events, "Events older than that; default: EVENT_RETENTION_DAYS."),
            ("ended-keys", ages.ended_keys, "Keys that ended so long ago; default: 365."),
            ("former-users", None, "Forget accounts that left so long ago; default: never."),
        ):
            parser.add_argument(
                f"--{name}-days", type=_days, default=default, metavar="N", help=what
            )

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["organization"]
        connection = self.known_connection(name) if name else None
        ages = Ages(
            options["events_days"], options["ended_keys_days"], options["former_users_days"]
        )
        began, counts = time.monotonic(), {}
        for sweep in sweeps(connection, ages):
            if options["dry_run"]:
                counts[sweep.name] = sweep.count()
            elif options["json"]:
                counts[sweep.name] = sweep.run(lambda more: None)
            else:
                counts[sweep.name] = sweep.run(
                    Progress(_title(sweep.name), sweep.count(), self.stdout)
                )
        seconds = round(time.monotonic() - began, 2)
        if options["json"]:
            self.print_json({"dry_run": options["dry_run"], "removed": counts, "seconds": seconds})
            return
        verb = "would be deleted" if options["dry_run"] else "deleted"
        for each, count in counts.items():
            self.stdout.write(f"{_title(each)} {verb}: {count:,}")


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _days(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number of days")
    return int(text)
