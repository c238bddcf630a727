"""Other people's judgement: the python-scim suite and client against running sites.

They run in processes of their own, so that the other tests need none of their packages.
"""

from __future__ import annotations

import secrets
import subprocess
import sys

import pytest

from tests.serving import ROOT, Server

pytestmark = pytest.mark.idp


def judge(module: str, server: Server) -> None:
    tenant = server.connect(f"{module} {secrets.token_hex(4)}")
    done = subprocess.run(
        [
            sys.executable,
            *("-W", "ignore", "-m", f"tests.conformance.{module}"),
            *(tenant["base_url"], tenant["access_key"]),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["tester", "strict_client"])
def test_the_example_site_conforms(module: str, example_server: Server) -> None:
    judge(module, example_server)


@pytest.mark.parametrize("module", ["tester", "strict_client"])
def test_the_stock_site_conforms(module: str, stock_server: Server) -> None:
    judge(module, stock_server)
