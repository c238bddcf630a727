"""What is answered of managers is found and sorted by: ``$ref`` and ``displayName``."""

from __future__ import annotations

from typing import Any

import pytest

from scim_provider.protocol.core import ENTERPRISE_USER
from tests.api.fixture_answers import user
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db
MANAGER = f"{ENTERPRISE_USER.id}:manager"


@pytest.fixture
def staff(scim: ScimClient) -> dict[str, Any]:
    """Two managers, of whom one has a ``displayName``, whom they manage, and a stranger's."""
    made = {}
    for name, manager, more in (
        ("zoe", None, {"displayName": "Éva"}),
        ("Ｂen", None, {}),
        ("of-zoe", "zoe", {}),
        ("of-ben", "Ｂen", {}),
        ("of-stranger", "nobody", {}),
    ):
        if manager:
            own = made[manager]["id"] if manager in made else manager
            reference = {"value": own} | ({} if manager in made else {"$ref": "urn:nobody"})
            more = {ENTERPRISE_USER.id: {"manager": reference}}
        made[name] = scim.post("/Users", user(name, **more)).json()
    return made


def names(answer: Any) -> list[str]:
    return [one["userName"] for one in answer.json()["Resources"]]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('{m}.$ref eq "{zoe}"', {"of-zoe"}),
        ('{m}.$ref ew "{zoe}"', {"of-zoe"}),
        ('{m}[$ref eq "{zoe}" or $ref eq "urn:nobody"]', {"of-zoe", "of-stranger"}),
        ("{m}.$ref pr", {"of-zoe", "of-ben", "of-stranger"}),
        ('{m}.$ref sw "http"', {"of-zoe", "of-ben"}),
        ('not ({m}.$ref sw "http")', {"zoe", "Ｂen", "of-stranger"}),
        ('{m}.$ref eq "urn:nobody"', {"of-stranger"}),
        ('{m}.displayName eq "ÉVA"', {"of-zoe"}),
        ('{m}.displayName eq "E\u0301va"', {"of-zoe"}),
        ('{m}.displayName eq "zoe"', set()),
        ('{m}.displayName sw "Ｂ"', {"of-ben"}),
        ('{m}.displayName ne "Ｂen"', {"zoe", "Ｂen", "of-zoe", "of-stranger"}),
        ("{m}.displayName pr", {"of-zoe", "of-ben"}),
        ('{m}.displayName gt "c"', {"of-zoe"}),
    ],
)
def test_managers_are_found_by_what_is_answered_of_them(
    scim: ScimClient, staff: dict[str, Any], filter_: str, found: set[str]
) -> None:
    text = filter_.replace("{m}", MANAGER).replace("{zoe}", staff["zoe"]["meta"]["location"])
    for path in ("/Users", "/"):
        assert set(names(scim.get(path, filter=text))) == found


@pytest.mark.parametrize(
    ("sub", "ascending"),
    [("displayName", ["of-ben", "of-zoe"]), ("$ref", None)],
)
def test_managers_are_sorted_by(
    scim: ScimClient, staff: dict[str, Any], sub: str, ascending: list[str] | None
) -> None:
    if ascending is None:
        known = sorted(("zoe", "Ｂen"), key=lambda name: staff[name]["meta"]["location"])
        ascending = [{"zoe": "of-zoe", "Ｂen": "of-ben"}[name] for name in known]
        ascending = [*ascending, "of-stranger"]
    by = {"sortBy": f"{MANAGER}.{sub}"}
    assert names(scim.get("/Users", **by))[: len(ascending)] == ascending
    down = names(scim.get("/Users", **by, sortOrder="descending"))
    assert down[-len(ascending) :] == ascending[::-1]


def test_a_shape_that_was_compiled_serves_other_managers(
    scim: ScimClient, staff: dict[str, Any]
) -> None:
    """One statement for all such look-ups, whatever they look up."""
    for name, found in (("zoe", "of-zoe"), ("Ｂen", "of-ben")):
        location = staff[name]["meta"]["location"]
        assert names(scim.get("/Users", filter=f'{MANAGER}.$ref eq "{location}"')) == [found]
        assert not names(scim.get("/Users", filter=f'{MANAGER}.$ref eq "{location[5:]}"'))
