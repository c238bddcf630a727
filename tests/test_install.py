"""docs/install.md to the letter: a new project, the printed code, the printed commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.serving import ROOT, STARTS_WITHIN, free_port

PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.idp

BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [text.strip() for language, text in BLOCKS if language == "sh"]


class Project:
    """What ``django-admin startproject`` makes, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        python = folder / "bin" / "python"
        python.parent.mkdir()
        python.symlink_to(sys.executable)
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        self.environment = kept | {
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        }
        self.run("python -m django startproject site_of_docs .")

    def run(self, command: str) -> str:
        """What a command prints; it must not fail."""
        done = subprocess.run(
            self.as_here(command),
            shell=True,
            cwd=self.folder,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def as_here(self, command: str) -> str:
        """The printed command with the port that is free on this machine."""
        return command.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")

    def append(self, file: str) -> None:
        """Add the page's code for ``settings.py`` or ``urls.py`` to the project's."""
        (block,) = (text for _, text in BLOCKS if text.startswith(f"# {file}\n"))
        with (self.folder / "site_of_docs" / file).open("a", encoding="utf-8") as module:
            module.write(f"\n{block}")

    def serve(self, command: str) -> subprocess.Popen[bytes]:
        server = subprocess.Popen(
            [*command.split(), "--noreload", f"127.0.0.1:{self.port}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        give_up = time.monotonic() + STARTS_WITHIN
        while server.poll() is None and time.monotonic() < give_up:
            try:
                urlopen(f"http://127.0.0.1:{self.port}/scim/v2/Schemas", timeout=5).close()
                return server
            except (URLError, ConnectionError):
                time.sleep(0.2)
        server.kill()
        raise AssertionError("the project does not serve")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_page_leads_to_a_green_self_test(project: Project) -> None:
    pip, tables, enable, runserver, *simulate = COMMANDS
    assert pip == "pip install django-scim-provider"
    project.append("settings.py")
    project.append("urls.py")
    assert "no issues" in project.run(tables.replace("\n", " && "))
    key = re.search(r"^access key: (\S+)$", project.run(enable), re.MULTILINE)
    assert key is not None
    server = project.serve(runserver)
    try:
        for command in simulate:
            project.run(command.replace("PASTE THE KEY", key[1]))
    finally:
        server.terminate()
        server.wait(timeout=30)
