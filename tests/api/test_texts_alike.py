"""Texts in columns that are not ours alone compare on every engine as those in ours do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.fixture_answers import group, user
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "searched"),
    [
        ("GROẞ", "groß"),
        ("İpek", "i\u0307PEK"),
        ("ꙀEMLJA", "ꙁemlja"),
        ("ᎠᎡ", "ꭰꭱ"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_letters_of_every_script_know_no_case(scim: ScimClient, name: str, searched: str) -> None:
    scim.post("/Users", user(name={"familyName": name}))
    for operator in ("eq", "sw", "ew", "co", "ge", "le"):
        for text in (name, searched):
            page = scim.get("/Users", filter=f'name.familyName {operator} "{text}"').json()
            assert page["totalResults"] == 1, (operator, text)


@pytest.mark.parametrize("display", [" ", "  ", "\u00a0"])
def test_the_display_of_a_member_may_be_blank(
    scim: ScimClient, ada: dict[str, Any], display: str
) -> None:
    members = [{"value": ada["id"], "display": display}]
    made = scim.post("/Groups", group(members=members)).json()
    assert made["members"][0]["display"] == display
    assert scim.get(f"/Groups/{made['id']}").json()["members"][0]["display"] == display
