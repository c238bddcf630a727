"""Whole sites in processes of their own: gunicorn with two workers on a fresh database.

The database is a SQLite file, or a new database beside the one that DATABASE_URL names.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 60.0


@dataclass(frozen=True)
class Site:
    """A settings module and what the site behind it has."""

    name: str
    settings: str
    wsgi: str
    prefix: str
    has_organizations: bool = False
    #: Features of the transcripts that the site does not have.
    lacking: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.name


EXAMPLE = Site(
    "example",
    settings="example_project.settings",
    wsgi="example_project.wsgi:application",
    prefix="Acme-API-Key",
    has_organizations=True,
)
STOCK = Site(
    "stock",
    settings="tests.sites.stock.settings",
    wsgi="tests.sites.stock.wsgi:application",
    prefix="SCIM-API-Key",
    lacking=frozenset({"core-role", "klaxon", "okta-roles"}),
)


class Server:
    """A running site; management commands run against its database."""

    def __init__(self, site: Site, database_url: str, log: Path) -> None:
        self.site = site
        self.log = log
        self.root = f"http://127.0.0.1:{free_port()}"
        self.base_url = f"{self.root}/scim/v2"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": site.settings,
            "DATABASE_URL": database_url,
            "SCIM_BASE_URL": self.root,
            "PYTHONPATH": str(ROOT),
        }

    def manage(self, *arguments: str) -> str:
        """The output of ``manage.py`` with these arguments."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{done.stderr}"
        return done.stdout

    def connect(self, organization: str = "") -> dict[str, Any]:
        """A fresh tenant: its base URL, access key and connection, from ``scim_connection``.

        A site without organizations is one tenant and is emptied instead.
        """
        if not self.site.has_organizations:
            self.manage("flush", "--no-input")
            organization = ""
        named = ["--organization", organization] if organization else []
        answer: dict[str, Any] = json.loads(
            self.manage("scim_connection", "enable", *named, "--json")
        )
        return answer | {"base_url": self.base_url}

    @contextmanager
    def running(self) -> Iterator[Server]:
        self.manage("migrate", "--no-input", "--verbosity", "0")
        command = [sys.executable, "-m", "gunicorn", self.site.wsgi, "--workers", "2"]
        address = urlsplit(self.root).netloc
        with self.log.open("w") as log:
            process = subprocess.Popen(
                [*command, "--bind", address],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
            try:
                self._await(process)
                yield self
            finally:
                process.terminate()
                process.wait(timeout=30)
        assert "Traceback" not in self.log.read_text(), self.log.read_text()[-4000:]

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        give_up = time.monotonic() + STARTS_WITHIN
        while process.poll() is None and time.monotonic() < give_up:
            try:
                with urlopen(f"{self.base_url}/ServiceProviderConfig", timeout=5):
                    return
            except (URLError, ConnectionError):
                time.sleep(0.2)
        pytest.fail(f"{self.site} did not start:\n{self.log.read_text()[-4000:]}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def fresh_database(name: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database that is gone afterwards."""
    url = os.environ.get("DATABASE_URL", "")
    if not url or url.startswith("sqlite"):
        yield f"sqlite:///{folder / name}.sqlite3"
        return
    quoted = connection.ops.quote_name(f"{name}_{os.getpid()}")
    charset = " CHARACTER SET utf8mb4" if connection.vendor == "mysql" else ""
    _administer(f"DROP DATABASE IF EXISTS {quoted}")
    _administer(f"CREATE DATABASE {quoted}{charset}")
    try:
        yield urlsplit(url)._replace(path=f"/{name}_{os.getpid()}").geturl()
    finally:
        _administer(f"DROP DATABASE {quoted}")


def _administer(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def serve(site: Site, folder: Path, blocker: DjangoDbBlocker) -> Iterator[Server]:
    with blocker.unblock(), fresh_database(f"scim_idp_{site}", folder) as url:
        server = Server(site, url, folder / f"{site}.log")
        with server.running():
            yield server


@pytest.fixture(scope="session")
def example_server(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Server]:
    with serve(EXAMPLE, tmp_path_factory.mktemp("example"), django_db_blocker) as server:
        yield server


@pytest.fixture(scope="session")
def stock_server(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Server]:
    with serve(STOCK, tmp_path_factory.mktemp("stock"), django_db_blocker) as server:
        yield server
