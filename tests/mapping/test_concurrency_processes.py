"""Writing processes on one SQLite file wait for each other; a killed one leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serving import ROOT

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PROCESSES, ROUNDS = 4, 3


class File:
    """A migrated SQLite file with a connection, its key and a group."""

    def __init__(self, folder: Path) -> None:
        self.environment = os.environ | {
            "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": str(ROOT),
        }
        self.manage("migrate", "--verbosity", "0")
        shown = self.manage("scim_connection", "enable", "--json")
        self.key = str(json.loads(shown)["access_key"])

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    def start(self, **job: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.mapping.writer", self.key, json.dumps(job)]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True
        )

    def ask(self, code: str) -> Any:
        """What ``code`` prints, with ``scim`` to ask, as JSON."""
        head = "import django, json; django.setup(); from tests.conftest import ScimClient;"
        program = f"{head} scim = ScimClient({self.key!r})\n{code}"
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return json.loads(done.stdout)


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def new_group(file: File, people: int) -> tuple[str, list[str]]:
    """The ids of a group and of so many people who are in it."""
    made = file.ask(
        f"new = [scim.post('/Users', {{'userName': f'p{{n}}'}}) for n in range({people})]\n"
        "ids = [made.json()['id'] for made in new]\n"
        "body = {'displayName': 'Sales', 'members': [{'value': i} for i in ids]}\n"
        "print(json.dumps([scim.post('/Groups', body).json()['id'], ids]))"
    )
    return made[0], made[1]


def members(file: File, group: str) -> list[str]:
    seen: list[str] = file.ask(
        f"seen = scim.get('/Groups/{group}').json()['members']\n"
        "print(json.dumps([e['value'] for e in seen]))"
    )
    return seen


@pytest.mark.parametrize("deferred", [False, True], ids=["as documented", "without IMMEDIATE"])
def test_four_writing_processes_wait_for_each_other(file: File, deferred: bool) -> None:
    group, _ = new_group(file, 0)
    writers = [
        file.start(name=f"writer{n}", group=group, rounds=ROUNDS, deferred=deferred)
        for n in range(PROCESSES)
    ]
    statuses = [json.loads(writer.communicate(timeout=120)[0]) for writer in writers]
    assert statuses == [[201, 204, 200] * ROUNDS] * PROCESSES
    assert len(members(file, group)) == PROCESSES * ROUNDS


def test_a_worker_killed_in_the_middle_of_a_put_leaves_the_group_as_it_was(file: File) -> None:
    group, people = new_group(file, 4)
    writer = file.start(stop=True, group=group, people=people[2:], schema=GROUP)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "half way\n"
    writer.kill()
    writer.communicate()
    assert members(file, group) == people
    again = file.start(name="next", group=group, rounds=1)
    assert json.loads(again.communicate(timeout=60)[0]) == [201, 204, 200]
