"""docs/own-models.md: every block of code runs as it is printed, on this site."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.test import override_settings

from tests.scim_client import ScimClient
from tests.serving import ROOT
from tests.sites.own_models import people, teams
from tests.sites.own_models.people import models as _people_models  # noqa: F401
from tests.sites.own_models.teams import models as team_models

from .devices import device

pytestmark = pytest.mark.django_db
PAGE = (ROOT / "docs" / "own-models.md").read_text("utf-8")
BLOCKS: list[str] = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
IS_PERSON = get_user_model().__name__ == "Person"


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the blocks define, each run after the one before it."""
    monkeypatch.setitem(sys.modules, "people", people)
    monkeypatch.setitem(sys.modules, "teams", teams)
    monkeypatch.setitem(sys.modules, "teams.models", team_models)
    names: dict[str, Any] = {"__name__": "people.scim"}
    for block in BLOCKS:
        if block.startswith("# teams/models.py\n"):
            continue
        exec(compile(block, "docs/own-models.md", "exec"), names)  # the page is ours
    return names


def test_the_model_has_the_column_that_is_printed() -> None:
    (block,) = [block for block in BLOCKS if block.startswith("# teams/models.py\n")]
    source = (ROOT / "tests/sites/own_models/teams/models.py").read_text("utf-8")
    head, column = block.split("    ...  # what it has already\n")
    assert head.removeprefix("# teams/models.py\n") in source
    assert column in source


def test_the_printed_site_serves_people_teams_and_devices(
    scim: ScimClient, printed: dict[str, Any]
) -> None:
    staff = printed["STAFF"].id
    users = printed["WithStatus"] if IS_PERSON else printed["Invited"]
    types = [users, printed["Teams"], printed["Devices"]]
    with override_settings(SCIM_PROVIDER=printed["SCIM_PROVIDER"] | {"RESOURCE_TYPES": types}):
        assert run_checks() == []
        person = {
            "userName": "ada@x.test",
            "name": {"formatted": "Ada"},
            "phoneNumbers": [{"value": "1", "type": "mobile"}],
            "ims": [{"value": "ada", "type": "irc"}],
            "nickNames": ["Countess"],
            staff: {"costCenter": 7, "hiredOn": "2024-02-29", "dayRate": 10.5, "site": "Oslo"},
        }
        made = scim.post("/Users", person)
        assert made.status_code == 201, made.content
        members = [{"value": made.json()["id"]}]
        team = scim.post("/Groups", {"displayName": "Tigers", "members": members})
        assert team.status_code == 201, team.content
        read = scim.get(f"/Users/{made.json()['id']}").json()
        assert (read["displayName"], read[staff]) == ("Ada / ada@x.test", person[staff])
        assert [group["display"] for group in read["groups"]] == ["Tigers"]
        (found,) = scim.get("/Users", filter='nickNames eq "countess"').json()["Resources"]
        assert found["userName"] == "ada@x.test"
        assert get_user_model().objects.get().welcomed is not IS_PERSON
        thing = scim.post("/Devices", device(1, tags=["door"]))
        assert (thing.status_code, thing.json()["tags"]) == (201, ["door"]), thing.content


def test_every_type_in_the_printed_settings_is_printed(printed: dict[str, Any]) -> None:
    named = printed["SCIM_PROVIDER"]["RESOURCE_TYPES"]
    own = [path.rpartition(".")[2] for path in named if path.startswith("people.scim.")]
    assert own == ["Staff", "Teams", "Devices"]
    assert all(name in printed for name in own)
