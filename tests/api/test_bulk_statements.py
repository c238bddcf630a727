"""What a Bulk request costs: less than its operations would by themselves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.api.bulk_requests import BULK_REQUEST, patch, post_group, post_user, results, statuses
from tests.api.test_groups import people, statements
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db

#: For a hundred POSTs to one endpoint: the key and the organization, what is taken, and for
#: each table an INSERT, or two where an engine takes so many parameters and no more.
MOST_FOR_POSTS = 12


def cost(scim: ScimClient, *operations: dict[str, Any], **members: Any) -> int:
    """The statements of a Bulk request all of whose operations succeed, once it is warm."""
    scim.get("/Users", count=1)
    found: list[dict[str, Any]] = []
    number = len(statements(lambda: found.extend(results(scim, *operations, **members))))
    assert {status[0] for status in statuses(found)} == {"2"}
    return number


def employees(prefix: str, number: int) -> list[dict[str, Any]]:
    return [
        post_user(
            f"{prefix}{n}",
            name={"givenName": "Ana", "familyName": f"Silva {n}"},
            emails=[{"value": f"{prefix}{n}@example.com", "type": "work", "primary": True}],
            title="Clerk",
            externalId=f"{prefix}{n}",
        )
        for n in range(number)
    ]


@pytest.mark.parametrize("members", [{}, {"failOnErrors": 1}])
def test_a_hundred_posts_of_users_cost_hardly_more_than_ten(
    scim: ScimClient, members: dict[str, Any]
) -> None:
    few = cost(scim, *employees("few", 10), **members)
    many = cost(scim, *employees("many", 100), **members)
    assert many - few <= 3
    assert many <= MOST_FOR_POSTS


def test_a_hundred_posts_of_groups_cost_hardly_more_than_ten(scim: ScimClient) -> None:
    ids = people(scim, 20)
    few = cost(scim, *(post_group(f"few{n}", *ids) for n in range(10)))
    many = cost(scim, *(post_group(f"many{n}", *ids) for n in range(100)))
    assert many - few <= 3
    assert many <= MOST_FOR_POSTS


def test_users_and_a_group_of_them_cost_two_runs_whichever_comes_first(scim: ScimClient) -> None:
    def sent(prefix: str, *, forward: bool) -> list[dict[str, Any]]:
        users = employees(prefix, 50)
        team = post_group(prefix, *(f"bulkId:{each['bulkId']}" for each in users))
        return [team, *users] if forward else [*users, team]

    costs = {cost(scim, *sent(f"s{forward}", forward=forward)) for forward in (False, True)}
    assert len(costs) == 1
    assert costs.pop() <= 2 * MOST_FOR_POSTS


def test_managers_among_those_created_cost_nothing(scim: ScimClient) -> None:
    chain = employees("e", 100)
    for boss, report in pairwise(chain):
        manager = {"manager": {"value": f"bulkId:{boss['bulkId']}"}}
        report["data"]["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"] = manager
    assert cost(scim, *reversed(chain)) <= MOST_FOR_POSTS


def test_groups_within_groups_cost_nothing(scim: ScimClient) -> None:
    chain = [post_group("g0"), *(post_group(f"g{n}", f"bulkId:g{n - 1}") for n in range(1, 100))]
    assert cost(scim, *chain) <= MOST_FOR_POSTS


def test_a_change_costs_less_than_a_request_of_its_own(scim: ScimClient) -> None:
    ids = people(scim, 21)
    title = {"op": "replace", "path": "title", "value": "Chief"}
    changes = [patch(f"/Users/{scim_id}", title) for scim_id in ids[1:]]
    alone = len(statements(lambda: scim.patch(f"/Users/{ids[0]}", title)))
    assert cost(scim, *changes) < 20 * alone * 3 / 4


def test_a_thousand_operations_that_all_fail_cost_next_to_nothing(scim: ScimClient) -> None:
    """None of them gets as far as the database."""
    wrong: list[Any] = [
        {"method": "POST", "path": "/Users", "bulkId": "", "data": {}},
        {"method": "GET", "path": "/Users"},
        {"method": "POST", "path": "/Cars", "data": {}},
        {"method": "PUT", "path": "/Users/bulkId:none", "data": {}},
        None,
    ]
    sent = [{**each, "bulkId": f"{n}"} if each else each for n, each in enumerate(wrong * 200)]
    sent[0] = {"method": "POST", "path": "/Users", "bulkId": "first", "data": {"userName": 7}}
    scim.get("/Users", count=1)
    answers: list[Any] = []
    body = {"schemas": [BULK_REQUEST], "Operations": sent}
    number = len(statements(lambda: answers.append(scim.post("/Bulk", body))))
    failed = [result["status"] for result in answers[0].json()["Operations"]]
    assert len(failed) == 1000
    assert {status[0] for status in failed} == {"4"}
    assert number <= MOST_FOR_POSTS
