"""The simulator against this project's own endpoints."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from scim_provider.simulator.script import PROVIDERS
from tests.conftest import MOUNT
from tests.serving import Server

from .conftest import simulate

pytestmark = pytest.mark.idp


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_provider_works_with_us(
    provider: str, live_server: LiveServer, access_key: str
) -> None:
    run = simulate(provider, "--base-url", live_server.url + MOUNT, key=access_key)
    assert run.code == 0, run.out
    assert "What failed" not in run.out
    assert "Warnings" not in run.out
    assert "Role change" in run.out
    assert access_key not in run.out


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stock_site_without_roles_works_too(provider: str, stock_server: Server) -> None:
    tenant = stock_server.connect()
    run = simulate(provider, "--base-url", tenant["base_url"], key=tenant["access_key"])
    assert run.code == 0, run.out
    assert "not played: core User has no attribute role" in run.out
