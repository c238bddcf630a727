"""Lists, searches and projections as HTTP carries them."""

from __future__ import annotations

import pytest

from tests.api.fixture_answers import SEARCH_REQUEST_URN, assert_error, group, user


@pytest.fixture
def people(scim):
    return [scim.post("/Users", user(f"person{n}@example.com")).json() for n in range(5)]


def test_an_empty_list_is_200_with_resources(scim):
    body = scim.get("/Users").json()
    assert (body["totalResults"], body["startIndex"], body["itemsPerPage"]) == (0, 1, 0)
    assert body["Resources"] == []


@pytest.mark.parametrize("blank", ["\u3000", "\u2028", "\x1f"])
def test_a_filter_of_foreign_blanks_finds_not_everybody(scim, people, blank):
    assert scim.get("/Users", filter=" ").json()["totalResults"] == 5
    assert_error(scim.get("/Users", filter=blank), 400, "invalidFilter")
    message = {"schemas": [SEARCH_REQUEST_URN], "filter": blank}
    assert_error(scim.post("/Users/.search", message), 400, "invalidFilter")


def test_pages_of_one_visit_everybody_once(scim, people):
    pages = [scim.get("/Users", startIndex=n, count=1).json() for n in range(1, 6)]
    assert {page["Resources"][0]["id"] for page in pages} == {each["id"] for each in people}
    assert {page["totalResults"] for page in pages} == {5}
    assert [page["startIndex"] for page in pages] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("count", "served"), [("0", 0), ("-3", 0), ("2", 2), ("99999", 5), ("", 5)]
)
def test_count_limits_a_page_and_never_the_total(scim, people, count, served):
    body = scim.get("/Users", count=count).json()
    assert (body["itemsPerPage"], len(body["Resources"]), body["totalResults"]) == (
        served,
        served,
        5,
    )


@pytest.mark.parametrize(("sent", "effective"), [("0", 1), ("-5", 1), ("3", 3), ("999", 999)])
def test_the_start_index_that_held_is_answered(scim, people, sent, effective):
    assert scim.get("/Users", startIndex=sent).json()["startIndex"] == effective


def test_a_page_past_the_end_is_empty_and_knows_the_total(scim, people):
    body = scim.get("/Users", startIndex=str(10**30)).json()
    assert (body["Resources"], body["totalResults"]) == ([], 5)


def test_a_page_holds_the_default_number_where_none_is_named(settings, scim, people):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"DEFAULT_COUNT": 2}
    assert scim.get("/Users").json()["itemsPerPage"] == 2


@pytest.mark.parametrize("name", ["startIndex", "count"])
def test_a_number_that_is_none_is_an_invalid_value(scim, name):
    assert name in assert_error(scim.get("/Users", **{name: "two"}), 400, "invalidValue")


@pytest.mark.parametrize("url", ["/Users/.search", "/.search"])
def test_a_search_answers_like_the_query_and_ignores_the_query_string(scim, people, url):
    body = {"schemas": [SEARCH_REQUEST_URN], "startIndex": 2, "count": 2, "attributes": ["id"]}
    searched = scim.post(url, body)
    assert searched.status_code == 200
    listed = scim.get(url.removesuffix("/.search"), startIndex=2, count=2, attributes="id")
    assert searched.json() == listed.json()
    ignored = scim._send("POST", url, body, query={"count": "1", "filter": "nonsense"})
    assert ignored.json() == searched.json()


@pytest.mark.parametrize("body", [{}, {"schemas": ["urn:nonsense"]}, {"count": 1}])
def test_a_search_without_its_schema_is_invalid_syntax(scim, body):
    assert_error(scim.post("/Users/.search", body), 400, "invalidSyntax")


def test_a_search_with_a_broken_filter_is_an_invalid_filter(scim):
    body = {"schemas": [SEARCH_REQUEST_URN], "filter": "userName zz 1"}
    assert_error(scim.post("/Users/.search", body), 400, "invalidFilter")


def test_the_root_mixes_the_types(scim, ada, engineers):
    found = {each["id"] for each in scim.get("").json()["Resources"]}
    assert {ada["id"], engineers["id"]} <= found


def test_attributes_are_obeyed_by_every_method_with_an_answer(scim, ada):
    url = f"/Users/{ada['id']}"
    query = {"attributes": "title"}
    answers = [
        scim.get(url, **query),
        scim._send("PUT", url, user(title="Lady"), query=query),
        scim.patch(url, {"op": "replace", "path": "title", "value": "Countess"}, query=query),
        scim._send("POST", "/Users", user("grace@example.com", title="Admiral"), query=query),
    ]
    for answer in answers:
        assert set(answer.json()) <= {"schemas", "id", "title"}
        assert {"schemas", "id"} <= set(answer.json())
    listed = scim.get("/Users", **query).json()["Resources"]
    assert all(set(each) <= {"schemas", "id", "title"} for each in listed)


def test_excluded_attributes_are_obeyed_by_every_method_with_an_answer(scim, ada):
    url = f"/Users/{ada['id']}"
    query = {"excludedAttributes": "userName,id"}
    answers = [
        scim.get(url, **query),
        scim._send("PUT", url, user(), query=query),
        scim.patch(url, {"op": "add", "path": "title", "value": "x"}, query=query),
    ]
    for answer in answers:
        assert "userName" not in answer.json()
        assert answer.json()["id"] == ada["id"]


def test_attributes_and_excluded_attributes_together_are_refused(scim, ada):
    both = {"attributes": "userName", "excludedAttributes": "title"}
    assert_error(scim.get("/Users", **both), 400, "invalidValue")
    assert_error(scim.get(f"/Users/{ada['id']}", **both), 400, "invalidValue")


def test_a_patch_of_a_group_has_no_body_unless_attributes_are_asked_for(scim, engineers):
    url, rename = f"/Groups/{engineers['id']}", {"op": "replace", "path": "displayName"}
    silent = scim.patch(url, rename | {"value": "Builders"})
    assert (silent.status_code, silent.content) == (204, b"")
    assert "Content-Type" not in silent.headers
    asked = scim.patch(url, rename | {"value": "Makers"}, query={"attributes": "displayName"})
    assert (asked.status_code, asked.json()["displayName"]) == (200, "Makers")


def test_a_deleted_resource_is_gone_for_every_method(scim, ada):
    url = f"/Users/{ada['id']}"
    deleted = scim.delete(url)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert "Content-Type" not in deleted.headers
    assert_error(scim.delete(url), 404)
    assert_error(scim.get(url), 404)
    assert_error(scim.put(url, user()), 404)
    assert_error(scim.patch(url, {"op": "add", "path": "title", "value": "x"}), 404)


def test_a_group_is_created_with_its_location(scim):
    response = scim.post("/Groups", group())
    assert response.status_code == 201
    assert response.headers["Location"] == response.json()["meta"]["location"]
