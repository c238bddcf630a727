"""Names that nobody sees: refused of people and groups; names that hold such letters are not."""

from __future__ import annotations

import pytest

from scim_provider.models import Resource
from tests.conftest import ScimClient

from .bulk_requests import results
from .fixture_answers import assert_error, group, user

pytestmark = pytest.mark.django_db

INVISIBLE = {
    "zero width space": "\u200b",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "right-to-left mark": "\u200f",
    "hangul filler": "\u3164",
    "braille blank": "\u2800",
    "variation selector": "\U000e0100",
    "tag": "\U000e0041",
    "control character": "\x01",
    "several, between blanks": " \u200b\u00a0\u2060\t",
}


@pytest.mark.parametrize("name", INVISIBLE.values(), ids=INVISIBLE)
def test_a_name_that_nobody_sees_is_refused(name: str, scim: ScimClient) -> None:
    ada = scim.post("/Users", user()).json()
    sales = scim.post("/Groups", group("Sales")).json()
    before = list(Resource.objects.order_by("pk").values())
    renamed = {"op": "replace", "path": "userName", "value": name}
    retitled = {"op": "replace", "path": "displayName", "value": name}
    for answer in (
        scim.post("/Users", user(name)),
        scim.put(f"/Users/{ada['id']}", user(name)),
        scim.patch(f"/Users/{ada['id']}", renamed),
        scim.post("/Groups", group(name)),
        scim.put(f"/Groups/{sales['id']}", group(name)),
        scim.patch(f"/Groups/{sales['id']}", retitled),
    ):
        detail = assert_error(answer, 400, "invalidValue")
        assert "nothing that people can see" in detail
        assert "Map an attribute" in detail
    assert list(Resource.objects.order_by("pk").values()) == before


def test_the_characters_are_named(scim: ScimClient) -> None:
    detail = assert_error(scim.post("/Users", user("\u200b \ufeff\u200b")), 400, "invalidValue")
    assert detail == (
        "'userName' holds nothing that people can see: U+200B U+0020 U+FEFF U+200B. "
        "Map an attribute with a readable value to it."
    )
    detail = assert_error(scim.post("/Users", user("\u200b" * 100)), 400, "invalidValue")
    assert "U+200B …" in detail
    assert len(detail) < 200


def test_in_bulk_the_others_are_made(scim: ScimClient) -> None:
    creates = [
        {"method": "POST", "path": "/Users", "bulkId": str(number), "data": user(name)}
        for number, name in enumerate(["ana", "\u2060", "bo"])
    ]
    assert [each["status"] for each in results(scim, *creates)] == ["201", "400", "201"]


@pytest.mark.parametrize("name", ["ada\u200b", "\u200dada", "ad\u00ada", "\ufeffada", "नि\u200dम"])
def test_a_name_that_merely_holds_one_is_kept_as_it_was_sent(name: str, scim: ScimClient) -> None:
    made = scim.post("/Users", user(name))
    assert (made.status_code, made.json()["userName"]) == (201, name)
    made = scim.post("/Groups", group(name))
    assert (made.status_code, made.json()["displayName"]) == (201, name)


def test_who_has_such_a_name_already_is_still_kept_up_to_date(scim: ScimClient) -> None:
    ada = scim.post("/Users", user()).json()
    Resource.objects.filter(scim_id=ada["id"]).update(name="\u200b", name_key="\u200b")
    title = {"op": "replace", "path": "title", "value": "Countess"}
    assert scim.patch(f"/Users/{ada['id']}", title).json()["title"] == "Countess"
