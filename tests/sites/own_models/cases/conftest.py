from __future__ import annotations

import pytest

from scim_provider import keys
from scim_provider.connections import connection_for
from scim_provider.models import Connection
from tests.scim_client import ScimClient


@pytest.fixture
def connection(db: None) -> Connection:
    made = connection_for(None)
    made.enabled = True
    made.save()
    return made


@pytest.fixture
def scim(connection: Connection) -> ScimClient:
    return ScimClient(keys.create_key(connection).secret)
