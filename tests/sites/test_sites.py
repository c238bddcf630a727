"""Whole sites, each in a process of its own: a folder with settings is one more site."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.serving import ROOT, fresh_database

pytestmark = pytest.mark.sites

#: A site with ``cases`` of its own asks more of a person than identity providers send.
SITES = sorted(
    settings.parent.name
    for settings in Path(__file__).parent.glob("*/settings.py")
    if not (settings.parent / "cases").exists()
)


@pytest.fixture
def environment(
    request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, str]]:
    """The environment of the site's process, with databases of its own."""
    site: str = request.param
    text = (Path(__file__).parent / site / "settings.py").read_text(encoding="utf-8")
    wanted = [name for name in ("DATABASE_URL", "SECOND_DATABASE_URL") if f'"{name}"' in text]
    with django_db_blocker.unblock(), ExitStack() as databases:
        urls = {
            name: unsynced(databases.enter_context(fresh_database(f"{site}_{number}", tmp_path)))
            for number, name in enumerate({"DATABASE_URL", *wanted})
        }
        settings = {"DJANGO_SETTINGS_MODULE": f"tests.sites.{site}.settings"}
        yield os.environ | settings | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)} | urls


def unsynced(url: str) -> str:
    """A database whose end with the machine is nobody's loss need not wait for the disk."""
    options = {
        "sqlite": "init_command=" + quote("PRAGMA synchronous=OFF"),
        "postgres": "options=" + quote("-c synchronous_commit=off"),
    }
    option = options.get(urlsplit(url).scheme)
    return f"{url}?{option}" if option else url


@pytest.mark.parametrize("environment", SITES, indirect=True, ids=str)
def test_the_site_is_provisioned(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.sites.driver"],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    problems = [f"{line['part']}: {line['problem']}" for line in lines if line["problem"]]
    assert not problems, "\n".join(problems)
    assert done.returncode == 0, done.stderr
    assert lines[-1]["part"] == "the end", "the driver stopped early"
    assert "Traceback" not in done.stderr, done.stderr
