from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.test import Client

from scim_provider.api.negotiation import ScimRenderer
from tests.api.fixture_answers import SCIM_JSON, assert_error, user


@pytest.fixture
def post(access_key):
    """Post bytes with any content type, or without one."""

    def send(body, content_type):
        extra = {} if content_type is None else {"CONTENT_TYPE": content_type}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Client().generic(
            "POST",
            "/scim/v2/Users",
            raw,
            content_type="",
            HTTP_AUTHORIZATION=f"Bearer {access_key}",
            CONTENT_LENGTH=str(len(raw)),
            **extra,
        )

    return send


@pytest.mark.parametrize(
    "content_type",
    [
        "application/scim+json",
        "application/json",
        "application/scim+json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/SCIM+JSON",
        "application/json; charset=utf-16",
        "application/json; charset=base64",
        "application/json; charset=nonsense",
        "",
        None,
    ],
)
def test_both_media_types_are_taken_with_any_parameter_and_a_missing_one_too(post, content_type):
    assert post(user(), content_type).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/html",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "*/*",
        "json",
        "application/json-patch+json",
    ],
)
def test_a_body_of_another_type_is_415(post, content_type):
    assert_error(post(user(), content_type), 415)


def test_the_charset_of_the_content_type_does_not_reach_the_query(scim, ada):
    response = scim.client.generic(
        "GET",
        "/scim/v2/Users?count=1&attributes=userName",
        content_type="application/json; charset=base64",
        headers={"Authorization": scim.key},
    )
    assert response.status_code == 200
    assert response.json()["itemsPerPage"] == 1


@pytest.mark.parametrize(
    "accept",
    [
        SCIM_JSON,
        "*/*",
        "",
        "text/html",
        "text/html,*/*;q=0.8",
        "application/json, application/scim+json",
        "application/json, text/plain, */*",
        "image/png",
        "nonsense",
        ",;=",
    ],
)
def test_every_answer_is_scim_json(scim, ada, accept):
    response = scim.get(f"/Users/{ada['id']}", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == SCIM_JSON
    assert response.json()["id"] == ada["id"]


@pytest.mark.parametrize(
    "accept", ["application/json", "Application/JSON; q=1", "application/json;charset=utf-8"]
)
def test_only_who_accepts_nothing_but_json_gets_it_called_that(scim, ada, accept):
    response = scim.get(f"/Users/{ada['id']}", headers={"Accept": accept})
    assert response.headers["Content-Type"] == "application/json"
    refused = scim.get("/Users/none", headers={"Accept": accept})
    assert (refused.status_code, refused.headers["Content-Type"]) == (404, "application/json")


def test_the_answer_is_utf_8_and_not_escaped(scim):
    response = scim.post("/Users", user("łucja@example.com", displayName="Łucja 李 😀"))
    assert "Łucja 李 😀" in response.content.decode("utf-8")


@pytest.mark.parametrize("extra", [True, False], ids=["with orjson", "without"])
def test_an_answer_is_the_same_bytes_whichever_library_writes_it(monkeypatch, extra):
    if not extra:
        monkeypatch.setattr("scim_provider.api.negotiation.orjson", None)
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    document = {"a": "Łucja 😀 \u2028", "b": [1, 2.5, True, None], "id": UUID(int=7)}
    assert (
        ScimRenderer().render(document)
        == (
            '{"a":"Łucja 😀 \u2028","b":[1,2.5,true,null],'
            '"id":"00000000-0000-0000-0000-000000000007"}'
        ).encode()
    )
    assert str(moment.year).encode() in ScimRenderer().render({"created": moment})
    assert ScimRenderer().render({"n": 10**30}) == b'{"n":' + str(10**30).encode() + b"}"
    assert ScimRenderer().render(None) == b""


def test_an_answer_is_for_its_reader_alone_and_varies_with_what_decides_it(scim):
    headers = scim.get("/Users").headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Authorization"} <= set(headers["Vary"].split(", "))


@pytest.mark.parametrize("parameter", ["format=api", "format=json", "_method=DELETE"])
def test_the_hosts_overrides_in_the_query_mean_nothing(scim, parameter):
    response = scim.client.get(
        f"/scim/v2/Users?{parameter}", headers={"Authorization": f"Bearer {scim.key}"}
    )
    assert (response.status_code, response.headers["Content-Type"]) == (200, SCIM_JSON)
