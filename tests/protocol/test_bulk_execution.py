"""The order in which operations are done, and what fails with what (RFC 7644 §3.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .bulk_service import BASE_URL, MemoryService, post, run, statuses, team


@pytest.fixture
def service() -> MemoryService:
    return MemoryService()


# -- order --------------------------------------------------------------------------------------


def test_operations_are_done_in_the_order_sent(service: MemoryService) -> None:
    service.resources["x"] = {}
    delete = {"method": "DELETE", "path": "/Users/x"}
    put = {"method": "PUT", "path": "/Users/x", "data": {"name": "x"}}
    results = run(service, post("a"), put, delete, put, post("b"))
    assert statuses(results) == ["201", "200", "204", "404", "201"]
    assert [method for method, _ in service.calls] == ["POST", "PUT", "DELETE", "PUT", "POST"]


def test_neighbouring_posts_to_one_endpoint_are_done_at_once(service: MemoryService) -> None:
    run(service, post("a"), post("b"), post("c"), team("d", "a", "b"), team("e"), post("f"))
    assert service.calls[:2] == [("create_many", 3), ("create_many", 2)]
    assert service.named("d")["members"] == [{"value": "1"}, {"value": "2"}]


def test_posts_that_refer_to_others_before_them_are_done_at_once(service: MemoryService) -> None:
    results = run(service, post("a"), post("b"), post("c", manager="bulkId:a"), post("d"))
    assert statuses(results) == ["201"] * 4
    assert service.calls == [("create_many", 4)]
    assert service.named("c")["manager"] == service.named("a")["id"]


def test_they_are_done_at_once_where_only_the_last_of_them_fail(service: MemoryService) -> None:
    results = run(service, post("a"), post("b", peer="bulkId:a", fail=1), post("c"))
    assert statuses(results) == ["201", "400", "201"]
    assert service.calls == [("create_many", 3)]


def test_they_are_done_run_by_run_where_one_fails_that_others_refer_to(
    service: MemoryService,
) -> None:
    sent = [post("a"), post("b", fail=1), post("c", peer="bulkId:b"), post("d", peer="bulkId:a")]
    assert statuses(run(service, *sent)) == ["201", "400", "409", "201"]
    assert service.calls == [("create_many", 4), ("create_many", 2), ("create_many", 1)]
    assert [each["name"] for each in service.resources.values()] == ["a", "d"]
    assert service.named("d")["peer"] == service.named("a")["id"]


def test_they_are_done_run_by_run_where_ids_cannot_be_chosen() -> None:
    service = MemoryService(takes_ids=False)
    results = run(service, post("a"), post("b", peer="bulkId:a"), post("c", peer="bulkId:b"))
    assert statuses(results) == ["201"] * 3
    assert service.named("c")["peer"] == service.named("b")["id"]
    assert service.named("b")["peer"] == service.named("a")["id"]


def test_a_reference_forward_brings_its_post_forward(service: MemoryService) -> None:
    results = run(service, team("t", "b"), post("a"), post("b"))
    assert [(r["bulkId"], r["status"]) for r in results] == [
        ("t", "201"),
        ("a", "201"),
        ("b", "201"),
    ]
    assert [resource["name"] for resource in service.resources.values()] == ["b", "t", "a"]


def test_references_in_paths_and_patches_are_followed(service: MemoryService) -> None:
    results = run(
        service,
        {"method": "PUT", "path": "/Users/bulkId:a", "data": {"name": "new", "peer": "bulkId:b"}},
        {"method": "PATCH", "path": "Users/bulkId:a", "data": [{"path": 'x[v eq "bulkId:b"]'}]},
        {"method": "DELETE", "path": "/Users/bulkId:b"},
        post("a"),
        post("b"),
    )
    assert statuses(results) == ["200", "200", "204", "201", "201"]
    (patched,) = service.resources.values()
    assert patched["Operations"] == [{"path": 'x[v eq "2"]'}]
    assert results[0]["location"] == f"{BASE_URL}/Users/1"


def test_a_chain_as_long_as_a_request_may_be_is_resolved(service: MemoryService) -> None:
    chain = [post(f"u{n}", manager=f"bulkId:u{n + 1}") for n in range(999)]
    assert set(statuses(run(service, *chain, post("u999")))) == {"201"}
    assert service.named("u0")["manager"] == service.named("u1")["id"]


# -- circles ------------------------------------------------------------------------------------


def test_groups_may_be_members_of_each_other(service: MemoryService) -> None:
    results = run(service, team("a", "b", note="kept"), post("u"), team("b", "a"))
    assert statuses(results) == ["201"] * 3
    a, b = service.named("a"), service.named("b")
    assert (a["members"], b["members"]) == ([{"value": b["id"]}], [{"value": a["id"]}])
    assert a["note"] == "kept"


@pytest.mark.parametrize("size", [2, 3, 50])
def test_ten_circles_are_ten_circles(service: MemoryService, size: int) -> None:
    names = [[f"{circle}-{n}" for n in range(size)] for circle in range(10)]
    sent = [team(c[n], c[n - 1], c[(n + 1) % size]) for n in range(size) for c in names]
    assert set(statuses(run(service, *sent))) == {"201"}
    for circle in names:
        for n, name in enumerate(circle):
            around = {circle[n - 1], circle[(n + 1) % size]}
            members = {element["value"] for element in service.named(name)["members"]}
            assert members == {service.named(each)["id"] for each in around}


@pytest.mark.parametrize("broken", [{"fail": 1}, {"crash": 1}, {"owner": "bulkId:nobody"}])
def test_a_circle_of_which_one_fails_is_not_created_at_all(
    service: MemoryService, broken: dict[str, Any]
) -> None:
    results = run(service, team("a", "b"), team("b", "c", **broken), team("c", "a"), team("d", "c"))
    assert [r["status"] for r in results if r["bulkId"] != "b"] == ["409"] * 3
    assert results[1]["status"] == ("500" if "crash" in broken else "400")
    assert service.resources == {}


def test_what_refers_to_itself_is_told_what_a_put_would_be(service: MemoryService) -> None:
    results = run(service, team("a", "a"), post("u", manager={"value": "bulkId:u"}))
    assert statuses(results) == ["400", "201"]
    (user,) = service.resources.values()
    assert user["manager"] == {"value": user["id"]}


# -- what fails with what -----------------------------------------------------------------------


def test_what_refers_to_a_failed_post_is_a_conflict_and_so_on(service: MemoryService) -> None:
    results = run(
        service,
        team("t", "a", "b"),
        post("a"),
        post("b", fail=1),
        team("above", "t"),
        {"method": "DELETE", "path": "/Users/bulkId:b"},
        {"method": "PUT", "path": "/Users/1", "data": {"peer": "bulkId:b"}},
        post("c"),
    )
    assert statuses(results) == ["409", "201", "400", "409", "409", "409", "201"]
    assert [each["name"] for each in service.resources.values()] == ["a", "c"]
    assert "bulkId:b" in results[0]["response"]["detail"]
    assert results[4]["location"] == f"{BASE_URL}/Users/bulkId:b"


def test_a_reference_to_nothing_is_an_invalid_value(service: MemoryService) -> None:
    results = run(service, post("a", manager="bulkId:nobody"), post("b", manager="bulkId:"))
    assert [r["response"]["scimType"] for r in results] == ["invalidValue"] * 2
    assert service.resources == {}


def test_a_reference_to_a_post_that_cannot_be_read_is_a_conflict(service: MemoryService) -> None:
    unreadable = {"method": "POST", "bulkId": "a", "path": "/Users"}
    assert statuses(run(service, team("t", "a"), unreadable)) == ["409", "400"]


def test_an_endpoint_that_is_not_there_fails_its_operations_alone(service: MemoryService) -> None:
    lost = [post(f"x{n}", "/Cars") for n in range(3)]
    results = run(service, *lost, post("a"), post("z", "/Cars"))
    assert statuses(results) == ["404", "404", "404", "201", "404"]
    assert not any("location" in result for result in results if result["status"] == "404")


def test_a_bug_in_one_of_a_run_is_that_ones_alone(service: MemoryService) -> None:
    results = run(service, post("a"), post("b", crash=1), post("c"))
    assert statuses(results) == ["201", "500", "201"]
    assert [type(exc) for exc in service.reported] == [ZeroDivisionError]


# -- failOnErrors -------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [{"fail": 1}, {"crash": 1}, {"peer": "bulkId:none"}])
@pytest.mark.parametrize(("allowed", "done"), [(1, 2), (2, 4), (3, 6), (4, 7), (10**30, 7)])
def test_nothing_is_done_after_the_last_error_allowed(
    service: MemoryService, bad: dict[str, Any], allowed: int, done: int
) -> None:
    sent = [post(f"u{n}", **(bad if n % 2 else {})) for n in range(7)]
    results = run(service, *sent, fail_on_errors=allowed)
    assert [r["bulkId"] for r in results] == [f"u{n}" for n in range(done)]
    kept = [each["name"] for each in service.resources.values()]
    assert kept == [f"u{n}" for n in range(0, done, 2)]


def test_all_errors_count_wherever_they_come_from(service: MemoryService) -> None:
    sent = [7, {"method": "DELETE", "path": "/Users/9"}, post("a"), post("b", "/Cars"), post("c")]
    assert statuses(run(service, *sent, fail_on_errors=3)) == ["400", "404", "201", "404"]
    assert [each["name"] for each in service.resources.values()] == ["a"]


def test_a_failed_circle_stops_the_request_with_its_first_error(service: MemoryService) -> None:
    results = run(service, team("a", "b"), team("b", "a", fail=1), post("c"), fail_on_errors=1)
    assert (statuses(results), service.resources) == (["409"], {})


def test_what_was_brought_forward_has_its_result_in_its_place(service: MemoryService) -> None:
    sent = [team("t", "u"), post("x", fail=1), post("y"), post("u")]
    results = run(service, *sent, fail_on_errors=1)
    assert [r["bulkId"] for r in results] == ["t", "x", "u"]
    assert service.named("t")["members"] == [{"value": service.named("u")["id"]}]


# -- for all requests ---------------------------------------------------------------------------

NAMES = [f"n{number}" for number in range(8)]


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Groups that refer to each other at random, some of which fail."""
    return [
        team(
            name,
            *sorted(draw(st.sets(st.sampled_from([n for n in NAMES if n != name]), max_size=2))),
            **({"fail": 1} if draw(st.integers(0, 6)) == 0 else {}),
        )
        for name in draw(st.permutations(NAMES))
    ]


@given(graphs(), st.integers(0, 4))
def test_nothing_is_ever_left_that_refers_to_nothing(
    sent: list[dict[str, Any]], allowed: int
) -> None:
    service = MemoryService()
    results = run(service, *sent, fail_on_errors=allowed)
    created = {r["bulkId"] for r in results if r["status"] == "201"}
    assert created == {resource["name"] for resource in service.resources.values()}
    for resource in service.resources.values():
        assert {element["value"] for element in resource["members"]} <= service.resources.keys()
    failed = len(results) - len(created)
    assert failed <= allowed or not allowed
    assert len(results) == len(sent) or failed == allowed


@given(graphs())
def test_what_needs_no_failure_is_created_and_nothing_else(sent: list[dict[str, Any]]) -> None:
    service = MemoryService()
    run(service, *sent)
    needs = {o["bulkId"]: {e["value"][7:] for e in o["data"]["members"]} for o in sent}
    lost = {o["bulkId"] for o in sent if "fail" in o["data"]}
    while more := {name for name in needs.keys() - lost if needs[name] & lost}:
        lost |= more
    assert {each["name"] for each in service.resources.values()} == needs.keys() - lost
