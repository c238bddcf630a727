"""Takes one site from nothing to provisioned, in a process of its own.

    DJANGO_SETTINGS_MODULE=tests.sites.NAME.settings python -W error -m tests.sites.driver

Checks it, makes and compares migrations, migrates every database, turns SCIM on by page and by
command, plays the transcripts through its WSGI application, and deactivates somebody who is
logged in. Then come the functions ``test_…`` of the site's ``expectations.py``, if there is
one, each called with a :class:`~tests.sites.tenant.Tenant`. Prints one line of JSON for each
part: its name and its problems.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.test.utils import setup_test_environment

TRANSCRIPTS = sorted((Path(__file__).parent.parent / "idp" / "transcripts").glob("*.json"))
Part = tuple[str, Callable[[], object]]


def package() -> str:
    """The package of the site, which holds its settings."""
    return settings.SETTINGS_MODULE.rpartition(".")[0]


def migrations_of_the_site(folder: Path) -> None:
    """Make the site's own migrations in ``folder``, as its developers would have."""
    own = [app.label for app in apps.get_app_configs() if app.name.startswith("tests.sites.")]
    (folder / "site_migrations").mkdir()
    (folder / "site_migrations" / "__init__.py").touch()
    sys.path.insert(0, str(folder))
    settings.MIGRATION_MODULES = {label: f"site_migrations.{label}" for label in own}
    for label in own:
        call_command("makemigrations", label, verbosity=0)
    importlib.invalidate_caches()


def no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def it_passes_the_system_checks() -> None:
    call_command("check", fail_level="WARNING")


def it_migrates() -> None:
    for database in settings.DATABASES:
        call_command("migrate", database=database, interactive=False, verbosity=0)


def expectations() -> Iterator[Part]:
    """What the site's own ``expectations.py`` expects."""
    from tests.sites.tenant import Tenant

    name = f"{package()}.expectations"
    if find_spec(name) is None:
        return
    module: ModuleType = importlib.import_module(name)
    for title, expectation in vars(module).items():
        if title.startswith("test_"):
            yield title, lambda expectation=expectation: expectation(Tenant.fresh())


def parts() -> Iterator[Part]:
    """The parts in their order; the names of tests for people."""
    yield "checks", it_passes_the_system_checks
    yield "migrate", it_migrates
    yield "makemigrations --check", no_migration_is_missing
    from tests.sites import driven

    yield "settings page", driven.the_page_turns_scim_on
    for transcript in TRANSCRIPTS:
        yield transcript.stem, lambda transcript=transcript: driven.plays(transcript)
    yield "deactivation", driven.who_is_deactivated_is_out
    yield from expectations()


def problem_of(act: Callable[[], object]) -> str:
    """What went wrong in a part; "" where nothing did."""
    try:
        act()
    except (Exception, SystemExit):
        return traceback.format_exc(limit=-6)
    return ""


def main() -> int:
    django.setup()
    setup_test_environment()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        migrations_of_the_site(Path(folder))
        for name, act in parts():
            problem = problem_of(act)
            failed = failed or bool(problem)
            print(json.dumps({"part": name, "problem": problem}), flush=True)
    print(json.dumps({"part": "the end", "problem": ""}))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
