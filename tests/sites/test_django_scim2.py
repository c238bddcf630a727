"""A site moves from the real django-scim2 to this package, and its identity provider goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.serving import ROOT

HERE = Path(__file__).parent / "django_scim2"


@pytest.mark.sites
@pytest.mark.skipif(find_spec("django_scim") is None, reason="django-scim2 takes no Django 6.1")
def test_an_identity_provider_notices_nothing_of_the_switch() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"),
            *("--noconftest", "--ds", "tests.sites.django_scim2.settings_before"),
            *("--create-db", "--no-migrations", str(HERE / "scenario.py")),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTEST_XDIST_AUTO_NUM_WORKERS": "0", "PYTEST_ADDOPTS": ""},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
