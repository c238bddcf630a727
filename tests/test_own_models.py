"""docs/own-models.md is a site: its code runs as printed, under two user models of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.serving import ROOT

CASES = ROOT / "tests" / "sites" / "own_models" / "cases"


@pytest.mark.parametrize("user_model", ["people.Person", "people.Clerk"])
def test_the_site_of_own_models_works(user_model: str) -> None:
    modules = sorted(path for path in CASES.glob("*.py") if path.stem not in SUPPORT)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *OPTIONS, *modules],
        cwd=ROOT,
        env=os.environ | {"AUTH_USER_MODEL": user_model},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


SUPPORT = {"__init__", "conftest"}
OPTIONS = (f"--confcutdir={CASES}", "--ds=tests.sites.own_models.settings")
