"""The example site under gunicorn on a database of its own, which is dropped afterwards."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from .client import Client, Request

ROOT = Path(__file__).resolve().parent.parent.parent
WORKERS, THREADS = 2, 4
_STARTS_WITHIN = 60.0


@contextmanager
def database(*, keep: bool) -> Iterator[None]:
    """The database that the settings name, migrated; dropped afterwards unless it is kept."""
    if not keep:
        _drop()
    _create()
    try:
        call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        connection.close()
        if not keep:
            _drop()


def _create() -> None:
    if connection.vendor == "sqlite" or _exists():
        return
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    charset = " CHARACTER SET utf8mb4" if connection.vendor == "mysql" else ""
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}{charset}")


def _exists() -> bool:
    column = {
        "postgresql": "datname FROM pg_database",
        "mysql": "schema_name FROM information_schema.schemata",
    }[connection.vendor]
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"SELECT {column}")
        return connection.settings_dict["NAME"] in {name for (name,) in cursor.fetchall()}


def _drop() -> None:
    if connection.vendor == "sqlite":
        for ending in ("", "-wal", "-shm"):
            Path(f"{connection.settings_dict['NAME']}{ending}").unlink(missing_ok=True)
        return
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")


class Server:
    """Two gunicorn workers with threads, so that connections are kept alive."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "server.log"
        self.address = ("127.0.0.1", _free_port())

    @contextmanager
    def running(self) -> Iterator[None]:
        options = f"--worker-class gthread --workers {WORKERS} --threads {THREADS} --keep-alive 300"
        command = [sys.executable, "-m", "gunicorn", "example_project.wsgi", *options.split()]
        bind = ["--bind", f"{self.address[0]}:{self.address[1]}"]
        with self.log.open("w") as log:
            process = subprocess.Popen([*command, *bind], cwd=ROOT, stdout=log, stderr=log)
            try:
                self._await(process)
                yield
            except RuntimeError as error:
                error.add_note(self.log.read_text()[-4000:])
                raise
            finally:
                process.terminate()
                process.wait(timeout=60)

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        give_up = time.monotonic() + _STARTS_WITHIN
        while process.poll() is None and time.monotonic() < give_up:
            try:
                worker(Client(self.address, ""))
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"The server did not start:\n{self.log.read_text()[-4000:]}")

    def clients(self, key: str, number: int) -> list[Client]:
        """Connections that are spread over the workers evenly, as chance alone would not."""
        spread: dict[int, list[Client]] = {}
        most = -(-number // WORKERS)
        until = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < until:
            client = Client(self.address, key)
            own = spread.setdefault(worker(client)[0], [])
            if len(own) < most:
                own.append(client)
            else:
                client.close()
                time.sleep(0.02)  # another worker may still be starting
            found = [one for each in spread.values() for one in each]
            if len(found) >= number:
                return found[:number]
        raise RuntimeError("The workers do not share the connections.")


def worker(client: Client) -> tuple[int, int]:
    """The process behind the connection: its id, and the nanoseconds that it has computed."""
    answer = client.send(client.ready(Request("GET", "/floor/worker")))
    pid, computed = answer.body.split()
    return int(pid), int(computed)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def describe_engine() -> str:
    """Vendor and version of the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sqlite_version()" if connection.vendor == "sqlite" else "SELECT version()"
        )
        version = str(cursor.fetchone()[0]).split(" (")[0]
    return version if connection.vendor == "postgresql" else f"{connection.vendor} {version}"
