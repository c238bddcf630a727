"""``/Bulk`` over HTTP: the message, the results, the limits (RFC 7644 §3.7)."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.core.signals import got_request_exception

from scim_provider.models import Connection, Resource
from scim_provider.resources import UserResource
from tests.api.bulk_requests import (
    bulk,
    delete,
    id_of,
    patch,
    post_group,
    post_user,
    put,
    results,
    statuses,
    valid_for_others,
)
from tests.api.fixture_answers import SCIM_JSON, assert_error, user
from tests.conftest import ScimClient

pytestmark = pytest.mark.django_db

TITLE = {"op": "replace", "path": "title", "value": "Countess"}


# -- the endpoint -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("url", ["/Bulk", "/Bulk/"])
def test_only_post_is_taken(scim: ScimClient, url: str, method: str) -> None:
    refusal = scim._send(method, url)
    assert_error(refusal, 405)
    assert "POST" in refusal.headers["Allow"]


def test_what_is_announced_is_what_holds(scim: ScimClient, settings: Any) -> None:
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"BULK_MAX_OPERATIONS": 2}
    announced = scim.get("/ServiceProviderConfig").json()["bulk"]
    assert (announced["supported"], announced["maxOperations"]) == (True, 2)
    assert len(results(scim, post_user("a"), post_user("b"))) == 2
    detail = assert_error(bulk(scim, post_user("c"), 7, None), 413)
    assert "at most 2" in detail
    assert Resource.objects.count() == 2


def test_a_body_that_is_too_long_is_refused_before_it_is_read_as_json(
    scim: ScimClient, settings: Any
) -> None:
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"MAX_BODY_BYTES": 300}
    detail = assert_error(scim.post("/Bulk", "{" + "no JSON " * 50), 413)
    assert "300" in detail


@pytest.mark.parametrize("body", ["[]", "{}", '{"schemas": []}', "", "null", '{"Operations": []}'])
def test_what_is_no_bulk_request_is_refused_as_a_whole(scim: ScimClient, body: str) -> None:
    assert_error(scim.post("/Bulk", body), 400, "invalidSyntax")


@pytest.mark.parametrize(
    "members",
    [{"failOnErrors": -1}, {"failOnErrors": "1"}, {"failOnErrors": True}, {"schemas": ["urn:x"]}],
)
def test_nothing_is_done_where_the_message_is_wrong(
    scim: ScimClient, members: dict[str, Any]
) -> None:
    assert_error(bulk(scim, post_user("a"), **members), 400, "invalidSyntax")
    assert not Resource.objects.exists()


def test_who_asks_is_checked_once_and_for_all(
    scim: ScimClient, connection: Connection, anonymous_scim: ScimClient
) -> None:
    assert_error(bulk(anonymous_scim, post_user("a")), 401)
    connection.enabled = False
    connection.save()
    assert_error(bulk(scim, post_user("a")), 403)
    assert not Resource.objects.exists()


def test_the_answer_is_scim_json_and_says_nothing_of_fail_on_errors(scim: ScimClient) -> None:
    response = bulk(scim, post_user("a"), failOnErrors=1)
    assert response.headers["Content-Type"] == SCIM_JSON
    assert response.json().keys() == {"schemas", "Operations"}


def test_the_settings_page_hears_of_one_request(scim: ScimClient, connection: Connection) -> None:
    bulk(scim, post_user("a"), delete("/Users/unknown"))
    connection.refresh_from_db()
    assert (connection.last_request, connection.last_status) == ("POST /scim/v2/Bulk", 200)


# -- results ------------------------------------------------------------------------------------


def test_every_method_has_its_result(scim: ScimClient, ada: dict[str, Any]) -> None:
    path = f"/Users/{ada['id']}"
    found = valid_for_others(
        scim,
        post_user("grace", title="Admiral"),
        put(path, user("ada@example.com", nickName="A"), bulkId="tag"),
        patch(path, TITLE),
        post_group("Team", "bulkId:grace", ada["id"]),
        patch("/Groups/bulkId:Team", {"op": "replace", "path": "displayName", "value": "New"}),
        delete(path),
    )
    assert statuses(found) == ["201", "200", "200", "201", "200", "204"]
    assert [result["method"] for result in found] == [
        "POST",
        "PUT",
        "PATCH",
        "POST",
        "PATCH",
        "DELETE",
    ]
    assert [result.get("bulkId") for result in found] == ["grace", "tag", None, "Team", None, None]
    assert found[1]["location"] == found[5]["location"] == ada["meta"]["location"]
    assert "version" not in found[5]
    grace = scim.get(f"/Users/{id_of(found[0])}").json()
    assert (grace["userName"], grace["title"]) == ("grace@example.com", "Admiral")
    assert found[0]["location"] == grace["meta"]["location"]
    assert found[0]["version"] == grace["meta"]["version"]


def test_versions_in_results_are_those_that_a_reader_sees(
    scim: ScimClient, ada: dict[str, Any], engineers: dict[str, Any]
) -> None:
    found = results(
        scim,
        patch(f"/Users/{ada['id']}", TITLE),
        put(f"/Groups/{engineers['id']}", {"displayName": "Other"}),
        post_group("Third"),
        post_user("fourth"),
    )
    endpoints = ("/Users", "/Groups", "/Groups", "/Users")
    for result, endpoint in zip(found, endpoints, strict=True):
        read = scim.get(f"{endpoint}/{id_of(result)}")
        assert result["version"] == read.headers["ETag"]


def test_a_version_is_the_if_match_of_its_operation(scim: ScimClient, ada: dict[str, Any]) -> None:
    path, version = f"/Users/{ada['id']}", ada["meta"]["version"]
    found = results(
        scim,
        patch(path, TITLE, version='W/"wrong"'),
        patch(path, TITLE, version=version),
        put(path, user(), version=version),
        delete(path, version=version),
        delete(path, version="*"),
    )
    assert statuses(found) == ["412", "200", "412", "412", "204"]
    assert found[0]["location"] == ada["meta"]["location"]


def test_a_read_only_type_is_405_and_an_unknown_endpoint_404(scim: ScimClient) -> None:
    role = scim.get("/Roles").json()["Resources"][0]["id"]
    made = {"method": "POST", "path": "/Roles", "bulkId": "r", "data": {"value": "x"}}
    found = results(
        scim,
        made,
        {**made, "bulkId": "s"},
        delete(f"/Roles/{role}"),
        put(f"/Roles/{role}", {"value": "x"}),
        patch(f"/Roles/{role}", TITLE),
        {**made, "path": "/Cars", "bulkId": "t"},
        delete("/users/1"),
        {**made, "path": "/Bulk", "bulkId": "u"},
        {**made, "path": "/Me", "bulkId": "v"},
        delete("/Users/.search"),
    )
    assert statuses(found) == ["405"] * 5 + ["404"] * 5


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "POST",
        {},
        {"method": "GET", "path": "/Users"},
        {"method": 7, "path": "/Users/1"},
        {"method": "x" * 5000, "path": "/Users/1"},
        {"method": "PUT", "path": 7, "data": {}},
        {"method": "PUT", "path": "/Users/1", "data": []},
        {"method": "PATCH", "path": "/Users/1", "data": {}},
        {"method": "PATCH", "path": "/Users/1", "data": []},
        {"method": "DELETE", "path": ""},
        {"method": "DELETE", "path": "/Users/1", "version": {}},
        {"method": "POST", "path": "/Users", "data": {"userName": "x"}},
        {"method": "POST", "path": "/Users", "data": {"userName": "x"}, "bulkId": ""},
        {"method": "POST", "path": "/Users", "data": {"userName": "x"}, "bulkId": ["a"]},
        {"method": "POST", "path": "/Users", "data": [], "bulkId": "a"},
        {"method": "POST", "path": "/Users/x", "data": {"userName": "x"}, "bulkId": "a"},
    ],
)
def test_an_operation_that_cannot_be_read_is_its_own_400(scim: ScimClient, wrong: Any) -> None:
    before, refused, after = results(scim, post_user("before"), wrong, post_user("after"))
    assert (before["status"], after["status"]) == ("201", "201")
    assert refused["status"] in ("400", "404")
    if refused["status"] == "400":
        assert refused["response"]["scimType"] == "invalidSyntax"
    assert scim.get("/Users").json()["totalResults"] == 2


# -- each for itself ----------------------------------------------------------------------------


def test_an_operation_that_fails_changes_nothing_and_hinders_nobody(
    scim: ScimClient, ada: dict[str, Any], engineers: dict[str, Any]
) -> None:
    path = f"/Users/{ada['id']}"
    found = valid_for_others(
        scim,
        post_user("a"),
        post_user("b", "ADA@example.com"),
        post_user("c", active="perhaps"),
        patch(path, TITLE, {"op": "replace", "path": "active", "value": "perhaps"}),
        put(f"/Groups/{engineers['id']}", {"displayName": "New", "members": [{"value": "none"}]}),
        delete("/Users/unknown"),
        post_user("d"),
    )
    assert statuses(found) == ["201", "409", "400", "400", "400", "404", "201"]
    assert [r.get("response", {}).get("scimType") for r in found] == [
        None,
        "uniqueness",
        "invalidValue",
        "invalidValue",
        "invalidValue",
        None,
        None,
    ]
    assert scim.get(path).json() == ada
    assert scim.get(f"/Groups/{engineers['id']}").json() == engineers
    assert scim.get("/Users").json()["totalResults"] == 3


def test_of_two_posts_of_one_name_the_first_has_it(scim: ScimClient) -> None:
    found = results(scim, post_user("a", "same@example.com"), post_user("b", "Same@example.com"))
    assert statuses(found) == ["201", "409"]


def test_what_an_operation_frees_the_next_may_take(scim: ScimClient, ada: dict[str, Any]) -> None:
    again = post_user("again", ada["userName"])
    found = results(scim, again, delete(f"/Users/{ada['id']}"), {**again, "bulkId": "again2"})
    assert statuses(found) == ["409", "204", "201"]
    assert id_of(found[2]) != ada["id"]


@pytest.mark.parametrize("number", [1, 3])
def test_a_bug_in_one_operation_is_that_ones_500_logged_and_reported(
    scim: ScimClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
) -> None:
    settle = UserResource.settle

    def stumbling(self: Any, before: Any, after: Any, context: Any, *, whole: bool) -> None:
        if after["userName"].startswith("bad"):
            raise ZeroDivisionError("a secret")
        settle(self, before, after, context, whole=whole)

    monkeypatch.setattr(UserResource, "settle", stumbling)
    scim.client.raise_request_exception = False
    reported: list[str] = []

    def receive(request: Any, **kwargs: Any) -> None:
        reported.append(request.path)

    got_request_exception.connect(receive)
    try:
        with caplog.at_level(logging.ERROR, logger="scim_provider"):
            names = [f"{word}{n}" for n in range(number) for word in ("bad", "good")]
            found = results(scim, *map(post_user, names))
    finally:
        got_request_exception.disconnect(receive)
    assert statuses(found) == ["500", "201"] * number
    assert reported == ["/scim/v2/Bulk"] * number
    assert "ZeroDivisionError: a secret" in caplog.text
    assert "secret" not in json.dumps(found)
    assert scim.get("/Users").json()["totalResults"] == number


# -- failOnErrors -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [None, 0, 6, 10**30])
def test_without_a_limit_everything_is_tried(scim: ScimClient, number: int | None) -> None:
    bad = [post_user(f"bad{n}", active="perhaps") for n in range(5)]
    found = results(scim, *bad, post_user("good"), failOnErrors=number)
    assert statuses(found) == ["400"] * 5 + ["201"]


@pytest.mark.parametrize(("limit", "made"), [(1, ["a", "b"]), (2, ["a", "b", "c", "d"])])
def test_after_the_last_error_allowed_nothing_has_been_done(
    scim: ScimClient, limit: int, made: list[str]
) -> None:
    found = results(
        scim,
        post_user("a"),
        post_user("b"),
        post_user("bad1", active="perhaps"),
        post_user("c"),
        post_user("d"),
        post_user("bad2", active="perhaps"),
        post_user("e"),
        failOnErrors=limit,
    )
    assert statuses(found)[-1] == "400"
    assert len(found) == 3 * limit
    names = scim.get("/Users", sortBy="userName").json()["Resources"]
    assert [each["userName"] for each in names] == [f"{name}@example.com" for name in made]
