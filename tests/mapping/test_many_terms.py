"""Filters of many terms are no joins of as many tables: to order those takes minutes."""

from __future__ import annotations

import pytest

from tests.api.fixture_answers import user
from tests.api.test_groups import statements
from tests.conftest import ScimClient
from tests.mapping.plan import joined

pytestmark = pytest.mark.django_db
NAMES = ["title", "userType", "nickName", "timezone", "locale", "displayName", "profileUrl"]
TERMS = [f'{name} {operator} "a"' for name in NAMES for operator in ("gt", "co", "sw")]
#: Of twenty terms and what else a page reads.
MOST_JOINED = 8
PARTS = ["formatted", "streetAddress", "locality", "region", "postalCode", "country"]
CONDITIONS = [f'{name} {operator} "a"' for name in PARTS for operator in ("gt", "co", "sw")]


@pytest.mark.parametrize(
    "filter_",
    [
        " and ".join(TERMS),
        "not ({})".format(" or ".join(f"not ({term})" for term in TERMS)),
        "addresses[{}]".format(" and ".join(CONDITIONS)),
    ],
    ids=["and", "not or", "value path"],
)
def test_many_terms_are_not_ordered_as_joins(scim: ScimClient, filter_: str) -> None:
    for number in range(25):
        values = dict.fromkeys(NAMES[: number % 8], "ab")
        address = dict.fromkeys(PARTS[: number % 7], "ab")
        scim.post("/Users", user(f"person{number}", **values, addresses=[address]))
    found: list[int] = []
    sent = statements(
        lambda: found.append(scim.get("/Users", filter=filter_).json()["totalResults"])
    )
    assert found == [3]
    assert max(map(joined, sent)) <= MOST_JOINED
