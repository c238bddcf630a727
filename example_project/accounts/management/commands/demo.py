"""``manage.py demo``: the example site with two organizations, ready to click through."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from example_project.accounts.models import Account, Organization, Plan

HOST = "127.0.0.1"
#: The site listens on this machine only, so everybody may know it.
PASSWORD = "demo-only"
ORGANIZATIONS = {"Acme": ("acme", "ada@acme.example"), "Globex": ("globex", "hank@globex.example")}
SUPERUSER = "root"


class Command(BaseCommand):
    help = "Migrate, create two organizations with an admin each, print the log-ins and serve."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        with transaction.atomic():
            self._people()
        self.stdout.write(banner(options["port"]))
        self.stdout.flush()
        call_command("runserver", f"{HOST}:{options['port']}", use_reloader=False, skip_checks=True)

    def _people(self) -> None:
        for name, (slug, admin) in ORGANIZATIONS.items():
            organization, _ = Organization.objects.get_or_create(
                slug=slug, defaults={"name": name, "plan": Plan.ENTERPRISE}
            )
            sign_up(admin, organization=organization, is_organization_admin=True)
        sign_up(SUPERUSER, is_staff=True, is_superuser=True)


def sign_up(username: str, **values: Any) -> None:
    """The account of that name with the demo's password, made where it is missing."""
    email = username if "@" in username else f"{username}@example.com"
    account, _ = Account.objects.update_or_create(
        username=username, defaults={"email": email, "is_active": True, **values}
    )
    account.set_password(PASSWORD)
    account.save()


def banner(port: int) -> str:
    """Where to look and how to log in."""
    url = f"http://{HOST}:{port}"
    admins = "\n".join(
        f"  admin of {name:<8} {admin:<22} {PASSWORD}" for name, (_, admin) in ORGANIZATIONS.items()
    )
    return f"""
Open   {url}/
Then   the organization's name -> Settings -> Security

Log in as               user name              password
{admins}
  of the whole site  {SUPERUSER:<22} {PASSWORD}   ({url}/admin/)

SCIM base URL  {url}/scim/v2
Stop with Ctrl+C.
"""
