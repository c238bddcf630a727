"""A site with stock users, no organizations and no settings of ours works as it is."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving import ROOT

Manage = Callable[..., str]
SETTINGS = Path(__file__).parent / "stock" / "settings.py"


@pytest.fixture
def manage(tmp_path: Path) -> Manage:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "tests.sites.stock.settings",
                "DATABASE_URL": f"sqlite:///{tmp_path / 'stock.sqlite3'}",
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_site_configures_nothing_of_ours() -> None:
    assigned = {
        target.id
        for node in ast.walk(ast.parse(SETTINGS.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert not {name for name in assigned if name.startswith(("SCIM", "AUTH", "REST"))}


def test_it_passes_the_system_checks_and_migrates(manage: Manage) -> None:
    manage("check", "--fail-level", "WARNING")
    manage("makemigrations", "--check", "--dry-run")
    manage("migrate", "--no-input")
    enabled = json.loads(manage("scim_connection", "enable", "--json"))
    assert enabled["base_url"] == "http://127.0.0.1:8000/scim/v2"
    status = json.loads(manage("scim_connection", "status", "--json"))
    assert (status["connection"], status["enabled"]) == (enabled["connection"], True)
