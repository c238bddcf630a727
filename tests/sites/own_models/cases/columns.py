"""Columns of every kind are compared as in memory, sorted, refused with the limit they have."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from scim_provider.protocol.filter import parse_filter, resolve_filter
from scim_provider.protocol.memory import matches
from scim_provider.protocol.values import comparison_key
from scim_provider.resources import resource_types
from tests.scim_client import ScimClient
from tests.sites.own_models.people.scim import STAFF

pytestmark = pytest.mark.django_db
BADGES = [str(uuid.UUID(int=number << 64 | 0xABC)) for number in (1, 2**60)]
VALUES: dict[str, list[Any]] = {
    "costCenter": [10, -3, 2_147_483_647],
    "staffNumber": ["7", "10", None],
    "badge": [BADGES[0], BADGES[1], None],
    "hiredOn": ["2024-02-29", "1999-12-31", None],
    "contractEnd": ["2024-02-29T00:00:00Z", None, "2030-01-01T00:00:00Z"],
    "reviewedAt": ["2024-02-29T12:00:00.5+02:00", "2024-02-29T12:00:00Z", None],
    "level": [0, 3, None],
    "band": [1, 2, None],
    "dayRate": [100.5, -0.25, None],
    "rating": [0.1, 1e300, None],
    "contractor": [True, False, None],
    "employment": ["Full-Time", "part-time", None],
    "notes": ["Ärger", "ärger", None],
    "site": ["Oslo", "oslo", None],
}
LITERALS: dict[str, list[Any]] = {
    "costCenter": [10, -4, 2**40, -(2**80)],
    "badge": [BADGES[0].upper(), BADGES[1][:9], "nobody's"],
    "hiredOn": ["2024", "-02-", "2000-01-01"],
    "contractEnd": ["2024-02-29T01:00:00+01:00", "2024-02-29T00:00:01Z", "2024-02-28T23:59:59Z"],
    "reviewedAt": ["2024-02-29T10:00:00.500Z", "2024-02-29T10:00:00Z"],
    "level": [3, -1, 2**20],
    "dayRate": [100.5, 100.501, -0.255, -0.25, 10**20, 0],
    "rating": [0.1, 0.10000001, 0, -1e308],
    "employment": ["FULL-TIME", "time"],
}
OPERATORS = {
    "string": ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"),
    "boolean": ("eq", "ne"),
}
ORDERED = ("eq", "ne", "gt", "ge", "lt", "le")


def body(name: str, **staff: Any) -> dict[str, Any]:
    held = {"costCenter": 1} | {key: value for key, value in staff.items() if value is not None}
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", STAFF.id],
        "userName": name,
        "name": {"formatted": name.partition("@")[0].title()},
        STAFF.id: held,
    }


def create(scim: ScimClient, name: str, **staff: Any) -> dict[str, Any]:
    answer = scim.post("/Users", body(name, **staff))
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


@pytest.fixture
def people(scim: ScimClient) -> list[dict[str, Any]]:
    for turn, name in enumerate(("ada@x.test", "bob@x.test", "cy@x.test")):
        create(scim, name, **{key: values[turn] for key, values in VALUES.items()})
    found: list[dict[str, Any]] = scim.get("/Users").json()["Resources"]
    return found


def expressions() -> list[str]:
    made = []
    for name, values in VALUES.items():
        kind = STAFF.attribute(name).type  # type: ignore[union-attr]
        made += [f"{STAFF.id}:{name} pr", f"not ({STAFF.id}:{name} pr)"]
        literals = [v for v in values if v is not None] + LITERALS.get(name, [])
        for operator in OPERATORS.get(kind, ORDERED):
            for literal in literals:
                text = f"{STAFF.id}:{name} {operator} {json.dumps(literal, ensure_ascii=False)}"
                made += [text, f"not ({text})"]
    return made


def test_every_kind_is_filtered_as_in_memory(
    scim: ScimClient, people: list[dict[str, Any]]
) -> None:
    schema = resource_types()[0].resource_schema
    differences = []
    for text in expressions():
        expected = {one["id"] for one in people if matches(_tree(text, schema), one)}
        answer = scim.get("/Users", filter=text, attributes="id").json()
        ids = {one["id"] for one in answer.get("Resources", [])}
        if ids != expected or "Resources" not in answer:
            differences.append((text, len(ids), len(expected), answer.get("detail", "")))
    assert differences == []


def _tree(text: str, schema: Any) -> Any:
    return resolve_filter(parse_filter(text), schema)


@pytest.mark.parametrize("name", [name for name in VALUES if name != "site"])
def test_every_kind_sorts_and_pages_by_cursor(
    name: str, scim: ScimClient, people: list[dict[str, Any]]
) -> None:
    attribute = STAFF.attribute(name)
    for order in ("ascending", "descending"):
        asked = {"sortBy": f"{STAFF.id}:{name}", "sortOrder": order}
        whole = [one[STAFF.id].get(name) for one in scim.get("/Users", **asked).json()["Resources"]]
        keys = [comparison_key(attribute, v) for v in whole if v is not None]  # type: ignore[arg-type]
        assert keys == sorted(keys, reverse=order == "descending")
        assert None not in (whole[1:] if order == "descending" else whole[:-1])
        paged, cursor = [], ""
        while cursor is not None:
            page = scim.get("/Users", **asked, cursor=cursor, count=1).json()
            paged += [one[STAFF.id].get(name) for one in page["Resources"]]
            cursor = page.get("nextCursor")
        assert paged == whole


def test_values_are_answered_as_the_column_has_them(
    scim: ScimClient, people: list[dict[str, Any]]
) -> None:
    first, *_ = people
    own = first[STAFF.id]
    assert own["reviewedAt"] == "2024-02-29T10:00:00.500000Z"
    assert (own["employment"], own["staffNumber"], own["dayRate"]) == ("full-time", "7", 100.5)
    account = get_user_model().objects.get(email="ada@x.test")
    assert (account.level, str(account.badge), str(account.hired_on)) == (
        0,
        own["badge"],
        "2024-02-29",
    )
    assert (account.site.name, own["site"]) == ("Elsewhere", "Oslo")


def test_the_same_in_another_spelling_is_no_change(
    scim: ScimClient, people: list[dict[str, Any]]
) -> None:
    first, *_ = people
    sent = {
        "reviewedAt": "2024-02-29T12:00:00.5+02:00",
        "badge": BADGES[0].upper(),
        "employment": "FULL-TIME",
        "dayRate": 100.50,
    }
    operation = {"op": "replace", "path": f"{STAFF.id}", "value": sent}
    answer = scim.patch(f"/Users/{first['id']}", operation)
    assert (answer.status_code, answer.json()["meta"]["version"]) == (200, 'W/"1"')


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("costCenter", 2**63, "takes numbers from -"),
        ("costCenter", None, "is required"),
        ("staffNumber", "A7", "takes a whole number in digits"),
        ("staffNumber", "007", "takes a whole number in digits"),
        ("staffNumber", "9" * 40, "takes a"),
        ("badge", "nobody's", "takes a UUID"),
        ("hiredOn", "29.2.2024", "takes a date such as '2024-02-29'"),
        ("hiredOn", "20240229", "takes a date such as '2024-02-29'"),
        ("contractEnd", "2024-02-29T10:00:00Z", "Send midnight in UTC: '2024-02-29T00:00:00Z'"),
        ("level", -1, "takes numbers from 0 to"),
        ("band", 3, "takes one of 1, 2, not 3"),
        ("dayRate", 1.005, "takes at most 2 decimal places"),
        ("dayRate", 1_000_000, "takes numbers from -999999.99 to 999999.99"),
        ("employment", "sometimes", "takes one of 'full-time', 'part-time', not 'sometimes'"),
    ],
)
def test_what_a_column_cannot_hold_is_refused_with_its_limit(
    name: str, value: Any, said: str, scim: ScimClient
) -> None:
    answer = scim.post("/Users", body("ada@x.test") | {STAFF.id: {"costCenter": 1, name: value}})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue"), answer.content
    assert said in answer.json()["detail"]
    assert not get_user_model().objects.exists()
