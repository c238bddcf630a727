"""``manage.py scim_import_django_scim2``: ids and members of django-scim2, carried over.

Exit code 1 where somebody was, or would be, left out; 2 where there is nothing to carry over.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from scim_provider.django_scim2 import (
    Import,
    NoSource,
    Report,
    Source,
    configured_group_model,
    named_model,
)
from scim_provider.management.command import FINDINGS, WRONG_USAGE, ConnectionCommand, Progress
from scim_provider.mapping.transactions import database, together

_COUNTS = {
    "users": "people carried over",
    "users_there_already": "people there already",
    "users_deleted_since": "people deleted through SCIM since, left so",
    "users_without_id": "people without an id, unknown to the identity provider",
    "groups": "groups carried over",
    "groups_there_already": "groups there already",
    "groups_without_id": "groups without an id",
    "members": "memberships carried over",
    "conflicts": "left out",
}
#: Conflicts that are shown to people; --json has more.
_SHOWN = 20


class Command(ConnectionCommand):
    help = (
        "Carry over the ids, external ids and members that django-scim2 kept, so that the "
        "identity provider goes on with what it knows."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be done.")
        parser.add_argument(
            "--group-model",
            metavar="APP.MODEL",
            help="Default: GROUP_MODEL of SCIM_SERVICE_PROVIDER.",
        )
        parser.add_argument("--no-groups", action="store_true", help="Carry over people only.")
        for kind in ("user", "group"):
            parser.add_argument(
                f"--{kind}-id-field",
                default="scim_id",
                metavar="FIELD",
                help=f"id_field of the site's adapter of {kind}s, if it has its own.",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            with together():  # the connection, too, is made for the rehearsal alone
                report = self._carry(options)
                transaction.set_rollback(True, using=database())
        else:
            report = self._carry(options)
        self._tell(report, options)
        if report.conflicts:
            sys.exit(FINDINGS)

    def _carry(self, options: dict[str, Any]) -> Report:
        connection = self.connection(options["organization"])
        try:
            carrying = Import(connection, _source(options))
        except NoSource as missing:
            raise CommandError(str(missing.args[0]), returncode=WRONG_USAGE) from missing
        out = None if options["json"] else self.stdout
        progress = Progress("Rows", carrying.total(), out)
        try:
            carrying.run(progress)
        except IntegrityError as error:
            raise CommandError(
                f"Somebody wrote to the same rows ({error}). Run it again: it goes on from here."
            ) from error
        return carrying.report

    def _tell(self, report: Report, options: dict[str, Any]) -> None:
        counts = {name: report.counts[name] for name in _COUNTS}
        if options["json"]:
            conflicts = [asdict(conflict) for conflict in report.conflicts]
            told = {"dry_run": options["dry_run"], **counts, "conflicts_told": conflicts}
            self.print_json(told)
            return
        if options["dry_run"]:
            self.stdout.write("Nothing was changed. This would be:")
        for name, count in counts.items():
            if count:
                self.stdout.write(f"{_COUNTS[name]}: {count:,}")
        for each in report.conflicts[:_SHOWN]:
            self.stdout.write(f"  {each.type} {each.id} {each.name!r}: {each.reason}")
        if len(report.conflicts) > _SHOWN:
            self.stdout.write("  … and more; --json tells them all.")


def _source(options: dict[str, Any]) -> Source:
    model = None
    if not options["no_groups"]:
        named = options["group_model"]
        model = named_model(named) if named else configured_group_model()
    return Source(model, options["user_id_field"], options["group_id_field"])
