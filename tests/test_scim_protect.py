"""``manage.py scim_protect`` lists protected people, and protects."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db


def run(*arguments: str, organization: str = "Acme") -> Any:
    out = io.StringIO()
    call_command("scim_protect", *arguments, "--json", organization=organization, stdout=out)
    return json.loads(out.getvalue())


def test_people_are_protected_by_name_and_no_longer(scim: ScimClient) -> None:
    for name in ("ada@example.com", "bo@example.com"):
        scim.post("/Users", {"userName": name})
    assert run()["protected"] == []
    assert run("ADA@example.com", "bo@example.com")["changed"] == 2
    assert run("ada@example.com")["changed"] == 0
    assert run("--off", "ada@example.com")["protected"] == ["bo@example.com"]


def test_an_unknown_name_changes_nothing(scim: ScimClient) -> None:
    scim.post("/Users", {"userName": "ada@example.com"})
    with pytest.raises(CommandError, match="no such person: nobody"):
        run("ada@example.com", "nobody")
    assert run()["protected"] == []


@pytest.mark.usefixtures("connection")
def test_an_unknown_organization_is_said() -> None:
    with pytest.raises(CommandError, match="no organization"):
        run(organization="Nowhere")
