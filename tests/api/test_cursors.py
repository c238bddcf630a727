"""Pages by cursor as HTTP carries them (RFC 9865)."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.core import signing
from scim2_models import (
    Context,
    EnterpriseUser,
    ListResponse,
    SearchRequest,
    ServiceProviderConfig,
    User,
)

from scim_provider import keys
from scim_provider.mapping import paging
from scim_provider.models import Connection
from tests.api.fixture_answers import SEARCH_REQUEST_URN, assert_error, group, user
from tests.conftest import ScimClient

UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+\Z")


@pytest.fixture
def people(scim: ScimClient) -> list[str]:
    """The ids of seven people, in the order of their creation."""
    names = ["grace", "ada", "Edsger", "alan", "Barbara", "ken", "dennis"]
    return [scim.post("/Users", user(f"{name}@example.com")).json()["id"] for name in names]


def pages(scim: ScimClient, path: str = "/Users", **query: Any) -> list[dict[str, Any]]:
    """All pages, the first by an empty cursor."""
    found = [scim.get(path, cursor="", **query).json()]
    while "nextCursor" in found[-1]:
        found.append(scim.get(path, cursor=found[-1]["nextCursor"], **query).json())
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [resource["id"] for page in found for resource in page["Resources"]]


def first_cursor(scim: ScimClient, **query: Any) -> str:
    return str(scim.get("/Users", cursor="", **({"count": 2} | query)).json()["nextCursor"])


# -- CP-01 to CP-03: pages ---------------------------------------------------------------------


def test_pages_by_cursor_visit_everybody_once_and_end(scim: ScimClient, people: list[str]) -> None:
    found = pages(scim, count=3)
    assert [len(page["Resources"]) for page in found] == [3, 3, 1]
    assert ids(found) == people
    assert {page["totalResults"] for page in found} == {7}
    assert [page["itemsPerPage"] for page in found] == [3, 3, 1]


def test_a_page_by_cursor_has_no_index_and_no_page_before(
    scim: ScimClient, people: list[str]
) -> None:
    for page in pages(scim, count=3):
        assert not {"startIndex", "previousCursor"} & page.keys()


def test_a_last_page_that_is_full_has_no_cursor(scim: ScimClient, people: list[str]) -> None:
    assert [len(page["Resources"]) for page in pages(scim, count=7)] == [7]


def test_a_list_of_nobody_is_one_empty_page(scim: ScimClient) -> None:
    body = scim.get("/Users", cursor="").json()
    assert (body["totalResults"], body["Resources"]) == (0, [])
    assert "nextCursor" not in body


@pytest.mark.parametrize("start", ["cursor", "cursor=", "CURSOR=", "Cursor&foo=bar", "cursor=%20"])
def test_an_empty_cursor_in_any_spelling_asks_for_the_first_page(
    scim: ScimClient, people: list[str], start: str
) -> None:
    sent = {"Authorization": f"Bearer {scim.key}"}
    body = scim.client.get(f"/scim/v2/Users?{start}&count=2", headers=sent).json()
    assert ids([body]) == people[:2]
    assert "nextCursor" in body


def test_a_cursor_is_made_of_unreserved_characters(scim: ScimClient) -> None:
    names = ["日本語@example.com", "a+b/c=d@example.com", "É" * 200, "x" * 250]
    for name in names:
        scim.post("/Users", user(name))
    scim.post("/Users", user("\U0001f600@example.com"))
    for page in pages(scim, count=1, sortBy="userName")[:-1]:
        assert UNRESERVED.match(page["nextCursor"])


def test_a_cursor_is_short_enough_for_every_url(scim: ScimClient, people: list[str]) -> None:
    longest = "".join(chr(0x4E00 + 7 * n) for n in range(250))
    scim.post("/Users", user(longest))
    scim.post("/Users", user("\U0001f600"))
    assert len(first_cursor(scim)) < 100
    for page in pages(scim, count=1, sortBy="userName")[:-1]:
        assert len(page["nextCursor"]) < 1500


@pytest.mark.parametrize("count", ["0", "-3"])
def test_a_count_of_nought_answers_the_total_alone(
    scim: ScimClient, people: list[str], count: str
) -> None:
    body = scim.get("/Users", cursor="", count=count).json()
    assert (body["totalResults"], body["Resources"]) == (7, [])
    assert "nextCursor" not in body


def test_a_page_by_cursor_holds_the_default_number_where_none_is_named(
    scim: ScimClient, people: list[str], settings: Any
) -> None:
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"DEFAULT_COUNT": 4}
    assert [len(page["Resources"]) for page in pages(scim)] == [4, 3]


def test_a_total_that_is_not_known_is_not_answered(
    scim: ScimClient, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", 4)
    found = pages(scim, count=3)
    assert ["totalResults" in page for page in found] == [False, False, True]
    assert found[-1]["totalResults"] == 7
    for page in found:
        validate(page)


# -- CP-04, CP-05: refusals --------------------------------------------------------------------


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "a.b.c", ".", "..", "...", "~", "-", "=", "1", "null", "VZUTiyhEQJ94IR", "a" * 4000),
        *("a b", "a%b", "a:b:c", "ä", "\x00", "\ufffd", "\u202e", "\x7f", "eJw.1uX.x", ".eJw.1.x"),
    ],
)
def test_what_is_no_cursor_is_an_invalid_cursor(scim: ScimClient, cursor: str) -> None:
    assert "empty cursor" in assert_error(scim.get("/Users", cursor=cursor), 400, "invalidCursor")


@pytest.mark.parametrize("query", ["cursor=%ff%fe", "cursor=%00", "cursor=%c0%ae", "cursor=%"])
def test_bytes_that_are_no_text_are_an_invalid_cursor(scim: ScimClient, query: str) -> None:
    sent = {"Authorization": f"Bearer {scim.key}"}
    response = scim.client.get(f"/scim/v2/Users?{query}", headers=sent)
    assert_error(response, 400, "invalidCursor")


@pytest.mark.parametrize("cursor", [7, True, [], ["x"], {}, {"a": 1}, 1.5, "a b"])
def test_a_search_with_what_is_no_cursor_is_refused(scim: ScimClient, cursor: Any) -> None:
    body = {"schemas": [SEARCH_REQUEST_URN], "cursor": cursor}
    assert_error(scim.post("/Users/.search", body), 400, "invalidCursor")


def test_a_cursor_changed_anywhere_is_an_invalid_cursor(
    scim: ScimClient, people: list[str]
) -> None:
    cursor = first_cursor(scim, sortBy="userName")
    for place, character in enumerate(cursor):
        other = "A" if character != "A" else "B"
        changed = cursor[:place] + other + cursor[place + 1 :]
        response = scim.get("/Users", cursor=changed, count=2, sortBy="userName")
        assert_error(response, 400, "invalidCursor")


def test_a_cursor_cut_short_is_an_invalid_cursor(scim: ScimClient, people: list[str]) -> None:
    cursor = first_cursor(scim)
    for end in range(1, len(cursor)):
        assert_error(scim.get("/Users", cursor=cursor[:end], count=2), 400, "invalidCursor")


def test_what_the_site_signs_elsewhere_is_no_cursor(scim: ScimClient) -> None:
    signed = signing.TimestampSigner(sep=".").sign_object([1, None, 2, 2, 7])
    assert_error(scim.get("/Users", cursor=signed), 400, "invalidCursor")


def test_an_old_cursor_has_expired(
    scim: ScimClient, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = first_cursor(scim)
    now = time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 3590)
    assert scim.get("/Users", cursor=cursor, count=2).status_code == 200
    monkeypatch.setattr(signing.time, "time", lambda: now + 3610)
    response = scim.get("/Users", cursor=cursor, count=2)
    assert "empty cursor" in assert_error(response, 400, "expiredCursor")


def test_a_setting_says_how_long_a_cursor_is_good(
    scim: ScimClient, people: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"CURSOR_MAX_AGE": 60}
    cursor = first_cursor(scim)
    now = time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 70)
    assert_error(scim.get("/Users", cursor=cursor, count=2), 400, "expiredCursor")
    monkeypatch.undo()
    assert scim.get("/ServiceProviderConfig").json()["pagination"]["cursorTimeout"] == 60


@pytest.mark.parametrize("count", ["1", "3", "0"])
def test_another_count_than_that_of_the_first_page_is_an_invalid_count(
    scim: ScimClient, people: list[str], count: str
) -> None:
    response = scim.get("/Users", cursor=first_cursor(scim), count=count)
    assert "count=2" in assert_error(response, 400, "invalidCount")


def test_a_page_that_names_no_count_has_that_of_the_first(
    scim: ScimClient, people: list[str]
) -> None:
    assert ids([scim.get("/Users", cursor=first_cursor(scim)).json()]) == people[2:4]


def test_more_than_the_greatest_page_is_an_invalid_count(scim: ScimClient) -> None:
    assert "1000" in assert_error(scim.get("/Users", cursor="", count="1001"), 400, "invalidCount")
    assert scim.get("/Users", count="1001").status_code == 200


@pytest.mark.parametrize(
    "other",
    [
        {"filter": "title pr"},
        {"sortBy": "userName"},
        {"sortOrder": "descending"},
        {"filter": "title pr", "sortBy": "userName"},
    ],
)
def test_a_cursor_of_another_query_is_an_invalid_cursor(
    scim: ScimClient, people: list[str], other: dict[str, str]
) -> None:
    response = scim.get("/Users", cursor=first_cursor(scim), count=2, **other)
    assert "sortBy" in assert_error(response, 400, "invalidCursor")


@pytest.mark.parametrize("path", ["/Groups", "/Roles", ""])
def test_a_cursor_of_another_endpoint_is_an_invalid_cursor(
    scim: ScimClient, people: list[str], path: str
) -> None:
    response = scim.get(path, cursor=first_cursor(scim), count=2)
    assert_error(response, 400, "invalidCursor")


def test_other_attributes_may_be_asked_for_on_every_page(
    scim: ScimClient, people: list[str]
) -> None:
    page = scim.get("/Users", cursor=first_cursor(scim), count=2, attributes="userName").json()
    assert set(page["Resources"][0]) == {"schemas", "id", "userName"}


def test_cursor_and_index_together_are_refused(scim: ScimClient) -> None:
    response = scim.get("/Users", cursor="", startIndex="1")
    assert "not both" in assert_error(response, 400, "invalidValue")
    body = {"schemas": [SEARCH_REQUEST_URN], "cursor": "", "startIndex": 1}
    assert_error(scim.post("/Users/.search", body), 400, "invalidValue")


# -- CP-06 to CP-10: who may use a cursor, and how it is advertised ----------------------------


def test_a_query_that_names_neither_is_paged_by_index(scim: ScimClient, people: list[str]) -> None:
    body = scim.get("/Users", count=2).json()
    assert (body["startIndex"], body["totalResults"]) == (1, 7)
    assert "nextCursor" not in body


def test_both_ways_of_paging_are_advertised(scim: ScimClient) -> None:
    document = scim.get("/ServiceProviderConfig").json()
    assert document["pagination"] == {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 1000,
        "cursorTimeout": 3600,
    }
    ServiceProviderConfig.model_validate(document)


def test_a_cursor_of_another_connection_is_as_unknown_as_any(
    scim: ScimClient, other_scim: ScimClient, people: list[str]
) -> None:
    cursor = first_cursor(scim)
    for name in "abc":
        other_scim.post("/Users", user(f"{name}@globex.example"))
    stolen = other_scim.get("/Users", cursor=cursor, count=2)
    invented = other_scim.get("/Users", cursor="invented", count=2)
    assert_error(stolen, 400, "invalidCursor")
    assert stolen.json() == invented.json()


def test_every_page_asks_again_whether_the_client_may(
    scim: ScimClient, people: list[str], connection: Connection
) -> None:
    cursor = first_cursor(scim)
    connection.enabled = False
    connection.save()
    assert_error(scim.get("/Users", cursor=cursor, count=2), 403)


def test_a_new_key_of_the_connection_goes_on_reading(
    scim: ScimClient, people: list[str], connection: Connection
) -> None:
    cursor = first_cursor(scim)
    rotated = ScimClient(keys.create_key(connection).secret)
    assert ids([rotated.get("/Users", cursor=cursor, count=2).json()]) == people[2:4]


# -- CP-11, CP-12: order, searches -------------------------------------------------------------


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_pages_are_in_the_order_that_was_asked_for(
    scim: ScimClient, people: list[str], order: str
) -> None:
    found = pages(scim, count=2, sortBy="userName", sortOrder=order)
    names = [each["userName"].lower() for page in found for each in page["Resources"]]
    assert names == sorted(names, reverse=order == "descending")
    assert len(names) == 7


@pytest.mark.parametrize("path", ["/Users/.search", "/.search"])
def test_a_search_is_paged_by_the_cursor_in_its_body(
    scim: ScimClient, people: list[str], path: str
) -> None:
    body = {"schemas": [SEARCH_REQUEST_URN], "count": 3, "cursor": "", "filter": "userName pr"}
    found: list[dict[str, Any]] = []
    while not found or "nextCursor" in found[-1]:
        SearchRequest.model_validate(body)
        found.append(scim.post(path, body).json())
        body["cursor"] = found[-1].get("nextCursor")
    assert sorted(ids(found)) == sorted(people)
    assert len(found) == 3


def test_a_cursor_of_null_is_none(scim: ScimClient, people: list[str]) -> None:
    body = {"schemas": [SEARCH_REQUEST_URN], "cursor": None, "startIndex": 2, "count": 2}
    assert scim.post("/Users/.search", body).json()["startIndex"] == 2


def test_a_search_goes_on_where_a_list_stopped(scim: ScimClient, people: list[str]) -> None:
    body = {"schemas": [SEARCH_REQUEST_URN], "CURSOR": first_cursor(scim), "count": 2}
    assert ids([scim.post("/Users/.search", body).json()]) == people[2:4]


# -- changes between pages, other people's judgement -------------------------------------------


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_deletion_between_pages_loses_and_repeats_nobody(
    scim: ScimClient, people: list[str], which: int
) -> None:
    cursor = first_cursor(scim)
    scim.delete(f"/Users/{people[which]}")
    rest = ids([scim.get("/Users", cursor=cursor, count=2).json()])
    assert rest == [each for each in people[2:] if each != people[which]][:2]


def test_the_root_is_paged_over_all_types(scim: ScimClient, people: list[str]) -> None:
    made = scim.post("/Groups", group()).json()["id"]
    assert sorted(ids(pages(scim, "", count=3))) == sorted([*people, made])


def test_roles_are_paged(scim: ScimClient, connection: Connection) -> None:
    expected = ids([scim.get("/Roles").json()])
    assert len(expected) > 1
    assert ids(pages(scim, "/Roles", count=1)) == expected


def validate(page: dict[str, Any]) -> None:
    """Refuse what another implementation would refuse."""
    ListResponse[User[EnterpriseUser]].model_validate(
        page, scim_ctx=Context.RESOURCE_QUERY_RESPONSE
    )


def test_another_implementation_accepts_every_page(scim: ScimClient, people: list[str]) -> None:
    for page in [*pages(scim, count=3), scim.get("/Users", cursor="", count=0).json()]:
        validate(page)
