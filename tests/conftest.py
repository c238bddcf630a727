from __future__ import annotations

import pytest

from example_project.accounts.models import Organization
from scim_provider import keys
from scim_provider.models import Connection
from tests.factories import ConnectionFactory, OrganizationFactory
from tests.scim_client import MOUNT, ScimClient

__all__ = ["MOUNT", "ScimClient"]

pytest_plugins = ["tests.serving"]


@pytest.fixture
def organization(db: None) -> Organization:
    return OrganizationFactory(name="Acme", slug="acme")


@pytest.fixture
def connection(organization: Organization) -> Connection:
    """The enabled connection of Acme."""
    return ConnectionFactory(owner=organization)


@pytest.fixture
def other_connection(db: None) -> Connection:
    """The enabled connection of Globex, which must never show through."""
    return ConnectionFactory(owner=OrganizationFactory(name="Globex", slug="globex"))


@pytest.fixture
def site_connection(db: None) -> Connection:
    """The enabled connection of a site that is one organization."""
    return ConnectionFactory(owner=None)


@pytest.fixture
def access_key(connection: Connection) -> str:
    return keys.create_key(connection).secret


@pytest.fixture
def scim(access_key: str) -> ScimClient:
    return ScimClient(access_key)


@pytest.fixture
def other_scim(other_connection: Connection) -> ScimClient:
    return ScimClient(keys.create_key(other_connection).secret)


@pytest.fixture
def anonymous_scim() -> ScimClient:
    return ScimClient()
