"""``manage.py scim_doctor``: what keeps an identity provider out, or soon will, and what to do.

Exit code 1 where there is an error; warnings alone leave it at 0, unless ``--strict`` is given.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from textwrap import fill
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import OutputWrapper
from django.db import DatabaseError

from scim_provider.doctor import Finding, Severity, examine
from scim_provider.management.command import FINDINGS, ConnectionCommand
from scim_provider.models import Connection

_WIDTH = 96


class Command(ConnectionCommand):
    help = "Examine configuration, public URL, database and keys, and say what to do."
    requires_system_checks = []  # they are part of the report

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--base-url",
            type=_absolute,
            metavar="URL",
            help="The public base URL to ask.",
        )
        parser.add_argument("--offline", action="store_true", help="Do not ask the public URL.")
        parser.add_argument(
            "--no-self-test", action="store_true", help="Leave out the trial that is rolled back."
        )
        parser.add_argument("--timeout", type=float, default=10, metavar="SECONDS")
        parser.add_argument("--strict", action="store_true", help="Warnings count as errors.")
        parser.add_argument("--quiet", action="store_true", help="Leave out what is well.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in examine(
            self._chosen(options["organization"]),
            url=options["base_url"] or "",
            offline=options["offline"],
            self_test=not options["no_self_test"],
            timeout=options["timeout"],
        ):
            findings.append(finding)
            if not options["json"] and (finding.severity > Severity.OK or not options["quiet"]):
                self._print(finding)
        self._conclude(findings, as_json=options["json"])
        worst = max(finding.severity for finding in findings)
        if worst >= (Severity.WARNING if options["strict"] else Severity.ERROR):
            sys.exit(FINDINGS)

    def _chosen(self, name: str) -> Connection | None:
        """The connection to look at; None for all, and where the database has no tables yet."""
        try:
            return self.known_connection(name) if name else None
        except DatabaseError:
            return None

    def _print(self, finding: Finding) -> None:
        paint = {Severity.WARNING: self.style.WARNING, Severity.ERROR: self.style.ERROR}
        head = f"{finding.severity.word:<8} {finding.topic:<12} "
        lines = [_wrapped(head, finding.what)]
        lines += [_wrapped(" " * 22 + "Why: ", finding.why)] if finding.why else []
        lines += [_wrapped(" " * 22 + "Do:  ", finding.do)] if finding.do else []
        out: OutputWrapper = self.stdout
        out.write(paint.get(finding.severity, str)("\n".join(lines)))

    def _conclude(self, findings: list[Finding], *, as_json: bool) -> None:
        counts = Counter(finding.severity.word for finding in findings)
        if as_json:
            told = {severity.word: counts[severity.word] for severity in Severity}
            self.print_json({"counts": told, "findings": [each.as_json() for each in findings]})
            return
        self.stdout.write(
            f"\n{counts['error']} errors, {counts['warning']} warnings, {counts['ok']} well"
        )


def _absolute(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme in ("http", "https") and parts.netloc:
        return url
    raise ArgumentTypeError(f"{url!r} is no URL such as https://app.example.com/scim/v2")


def _wrapped(head: str, text: str) -> str:
    return fill(head + text, _WIDTH, subsequent_indent=" " * 27, break_long_words=False)
