from __future__ import annotations

from typing import Any

import pytest

from tests.api.fixture_answers import group, user


@pytest.fixture
def ada(scim: Any) -> dict[str, Any]:
    """A User as the service provider answers it."""
    return scim.post("/Users", user()).json()


@pytest.fixture
def engineers(scim: Any) -> dict[str, Any]:
    """A Group as the service provider answers it."""
    return scim.post("/Groups", group()).json()
