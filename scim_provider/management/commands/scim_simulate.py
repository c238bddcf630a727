"""``manage.py scim_simulate okta|entra|onelogin``: an identity provider to try a service with."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper

from scim_provider.simulator.client import BadSetting, Client, Unreachable
from scim_provider.simulator.console import Console, Quiet, json_summary
from scim_provider.simulator.conversation import Listener
from scim_provider.simulator.player import FEWEST_PEOPLE, MOST_PEOPLE, Options, Player
from scim_provider.simulator.report import Report
from scim_provider.simulator.script import PROVIDERS, load_script
from scim_provider.simulator.secrecy import Secrets

KEY_VARIABLE = "SCIM_ACCESS_KEY"

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


class Command(BaseCommand):
    help = (
        "Plays an identity provider against a SCIM service: connects, creates, updates, "
        "deactivates, pushes groups, and removes what it made."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", choices=PROVIDERS, help="whom to play")
        parser.add_argument("--base-url", required=True, help="of the SCIM endpoints")
        parser.add_argument(
            "--access-key", help=f"sent as a Bearer token; default: ${KEY_VARIABLE}"
        )
        parser.add_argument(
            "--authorization", help="the exact Authorization header, instead of Bearer and the key"
        )
        parser.add_argument(
            "--people", type=_people, default=3, metavar="N", help="how many to create (default 3)"
        )
        parser.add_argument(
            "--domain",
            type=_domain,
            default="example.com",
            help="mail domain of the made-up people (default example.com)",
        )
        role = parser.add_mutually_exclusive_group()
        role.add_argument("--role", default="", metavar="VALUE", help="the role to change to")
        role.add_argument("--no-role", action="store_true", help="leave roles out")
        parser.add_argument("--no-groups", action="store_true", help="leave groups out")
        parser.add_argument("--keep", action="store_true", help="leave everything in the service")
        parser.add_argument(
            "--timeout", type=_seconds, default=30, metavar="SECONDS", help="for one answer"
        )
        parser.add_argument("--verbose", action="store_true", help="show the bodies")
        parser.add_argument("--json", action="store_true", help="only a summary, for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        authorization = _authorization(options)
        secrets = Secrets(authorization)
        try:
            client = Client(options["base_url"], authorization, timeout=options["timeout"])
        except BadSetting as error:
            raise CommandError(secrets.hide(str(error)), returncode=WRONG_USAGE) from None
        console = None if options["json"] else self._console(secrets, options)
        listener: Listener = console or Quiet()
        player = Player(load_script(options["provider"]), client, _played(options), listener)
        try:
            report = player.play()
        except Unreachable as error:
            raise CommandError(secrets.hide(str(error)), returncode=WRONG_USAGE) from None
        finally:
            client.close()
        if console:
            console.finished(report)
        else:
            self.stdout.write(json_summary(report.to_json(), secrets))
        _exit(report)

    def _console(self, secrets: Secrets, options: dict[str, Any]) -> Console:
        terminal = self.stdout.isatty() and os.environ.get("TERM") != "dumb"
        plain = options["no_color"] or bool(os.environ.get("NO_COLOR"))
        return Console(
            _Unended(self.stdout),
            secrets,
            bar=terminal,
            colour=options["force_color"] or (terminal and not plain),
            verbose=options["verbose"],
        )


class _Unended:
    """Django's output, without the line end that it adds to each text: the bar has none."""

    def __init__(self, output: OutputWrapper) -> None:
        self._output = output

    def write(self, text: str) -> None:
        self._output.write(text, ending="")

    def flush(self) -> None:
        self._output.flush()


def _people(text: str) -> int:
    count = int(text)
    if not FEWEST_PEOPLE <= count <= MOST_PEOPLE:
        raise argparse.ArgumentTypeError(f"from {FEWEST_PEOPLE} to {MOST_PEOPLE}")
    return count


def _domain(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no mail domain")
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError("more than 0, at most 3600")
    return seconds


def _authorization(options: dict[str, Any]) -> str:
    if options["authorization"] is not None:
        return str(options["authorization"])
    key = options["access_key"] or os.environ.get(KEY_VARIABLE, "")
    if not key:
        raise CommandError(
            f"Give the access key with --access-key or in ${KEY_VARIABLE}.", returncode=WRONG_USAGE
        )
    return f"Bearer {key}"


def _played(options: dict[str, Any]) -> Options:
    return Options(
        people=options["people"],
        domain=options["domain"],
        role=options["role"],
        roles=not options["no_role"],
        groups=not options["no_groups"],
        keep=options["keep"],
    )


def _exit(report: Report) -> None:
    if report.interrupted:
        sys.exit(INTERRUPTED)
    if report.failed:
        sys.exit(FAILED)
