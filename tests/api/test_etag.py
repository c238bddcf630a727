from __future__ import annotations

import pytest

from tests.api.fixture_answers import assert_error, user

TITLE = {"op": "replace", "path": "title", "value": "Countess"}


def test_the_etag_is_the_version_on_every_answer_with_one_resource(scim, ada):
    url = f"/Users/{ada['id']}"
    answers = [
        scim.get(url),
        scim.put(url, user(title="Lady")),
        scim.patch(url, TITLE),
        scim.post("/Users", user("grace@example.com")),
    ]
    for answer in answers:
        meta = answer.json()["meta"]
        assert answer.headers["ETag"] == meta["version"]
        assert meta["version"].startswith('W/"')
        assert answer.headers["Location"] == meta["location"]
        assert answer.headers["Content-Location"] == meta["location"]


def test_the_location_is_there_even_where_meta_is_projected_away(scim, ada):
    response = scim.get(f"/Users/{ada['id']}", attributes="userName")
    assert "meta" not in response.json()
    assert response.headers["Location"] == ada["meta"]["location"]
    assert response.headers["ETag"] == ada["meta"]["version"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("shape", ["{tag}", "*", '"x", {tag}', "{strong}"])
def test_a_reader_who_has_the_version_gets_304_without_a_body(scim, ada, method, shape):
    tag = ada["meta"]["version"]
    header = shape.format(tag=tag, strong=tag.removeprefix("W/"))
    response = scim._send(method, f"/Users/{ada['id']}", headers={"If-None-Match": header})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == tag
    assert "Content-Type" not in response.headers


def test_a_reader_who_has_another_version_gets_the_resource(scim, ada):
    response = scim.get(f"/Users/{ada['id']}", headers={"If-None-Match": 'W/"other"'})
    assert response.json()["id"] == ada["id"]


def change(scim, method, url, headers):
    if method == "PATCH":
        return scim.patch(url, TITLE, headers=headers)
    body = user(title="Countess") if method == "PUT" else None
    return scim._send(method, url, body, headers=headers)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("stale", ['W/"0"', '"0", W/"00"', "nonsense", '""'])
def test_a_stale_precondition_is_412_and_changes_nothing(scim, ada, method, stale):
    url = f"/Users/{ada['id']}"
    assert_error(change(scim, method, url, {"If-Match": stale}), 412)
    assert scim.get(url).json() == ada


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("shape", ["{tag}", "{strong}", "*", 'W/"0", {tag}', ""])
def test_a_precondition_that_holds_lets_the_change_through(scim, ada, method, shape):
    tag = ada["meta"]["version"]
    header = shape.format(tag=tag, strong=tag.removeprefix("W/"))
    response = change(scim, method, f"/Users/{ada['id']}", {"If-Match": header})
    assert response.status_code == (204 if method == "DELETE" else 200)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_if_none_match_on_a_change_refuses_the_version_it_names(scim, ada, method):
    headers = {"If-None-Match": ada["meta"]["version"]}
    assert_error(change(scim, method, f"/Users/{ada['id']}", headers), 412)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_an_unknown_resource_is_404_whatever_the_precondition(scim, db, method):
    assert_error(change(scim, method, "/Users/none", {"If-Match": 'W/"1"'}), 404)


def test_the_version_moves_with_a_change(scim, ada):
    changed = scim.patch(f"/Users/{ada['id']}", TITLE).json()
    assert changed["meta"]["version"] != ada["meta"]["version"]
    stale = scim.get(f"/Users/{ada['id']}", headers={"If-None-Match": ada["meta"]["version"]})
    assert stale.status_code == 200
