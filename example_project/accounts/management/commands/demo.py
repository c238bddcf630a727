"""``manage.py demo``: the example site with two organizations, ready to click through."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.text import slugify

from example_project.accounts.models import Account, Organization, Plan

HOST = "127.0.0.1"
#: The site listens on this machine only, so everybody may know it.
PASSWORD = "demo-only"
ORGANIZATIONS = {"Acme": "ada@acme.example", "Globex": "hank@globex.example"}
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
        for name, admin in ORGANIZATIONS.items():
            organization, _ = Organization.objects.get_or_create(
                name=name, defaults={"slug": slugify(name), "plan": Plan.ENTERPRISE}
            )
            sign_up(admin, organization=organization, is_organization_admin=True)
        sign_up(SUPERUSER, is_staff=True, is_superuser=True)


def sign_up(username: str, **values: Any) -> None:
    """The account of that name with the demo's password, made where it is missing."""
    name, _, domain = username.partition("@")
    values |= {
        "email": f"{name}@{domain or 'example.com'}",
        "first_name": name.title(),
        "is_active": True,
    }
    account, _ = Account.objects.update_or_create(username=username, defaults=values)
    account.set_password(PASSWORD)
    account.save()


def banner(port: int) -> str:
    """Where to look and how to log in."""
    url = f"http://{HOST}:{port}"
    rows = [
        ("log in as", "user name", "password"),
        *((f"admin of {name}", admin, PASSWORD) for name, admin in ORGANIZATIONS.items()),
        ("superuser", SUPERUSER, PASSWORD),
    ]
    log_ins = "\n".join(f"  {who:<17} {name:<22} {password}" for who, name, password in rows)
    return f"""
Open  {url}/ and go to the organization's name -> Settings -> Security

{log_ins}

SCIM base URL  {url}/scim/v2
Site administration  {url}/admin/
Stop with Ctrl+C.
"""
