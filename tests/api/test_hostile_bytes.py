"""Bodies and queries that no honest client sends: always a 4xx, never a 500."""

from __future__ import annotations

import io
import json

import pytest
from django.test import Client, RequestFactory
from rest_framework.request import Request

from scim_provider.api.negotiation import read_document
from scim_provider.protocol.errors import InvalidSyntax, PayloadTooLarge
from tests.api.fixture_answers import assert_error, user


@pytest.fixture
def post(access_key):
    def send(raw, **extra):
        return Client().generic(
            "POST",
            "/scim/v2/Users",
            raw,
            content_type="application/scim+json",
            HTTP_AUTHORIZATION=f"Bearer {access_key}",
            **extra,
        )

    return send


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   \r\n",
        b'{"schemas": [',
        b"{",
        b"[]",
        b'"userName"',
        b"null",
        b"true",
        b"17",
        b"{'userName': 'a'}",
        b'{"userName": "a",}',
        b'{"userName": "a"} {}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\n"}',
        b'{"a": "\x00"}',
        b"\x00\x00\x00",
        b"\xff\xfe{\x00}\x00",
        '{"userName": "ä"}'.encode("latin-1"),
        '{"userName": "a"}'.encode("utf-16"),
        '{"userName": "a"}'.encode("utf-32"),
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xc0\x80"}',
        b"userName=ada",
        b"<User/>",
    ],
)
def test_what_is_no_json_object_in_utf_8_is_invalid_syntax(post, raw):
    assert_error(post(raw), 400, "invalidSyntax")


@pytest.mark.parametrize("bracket", ["[]", "{}"])
@pytest.mark.parametrize("depth", [33, 500, 10_000, 200_000])
def test_a_body_nested_to_the_moon_is_invalid_syntax(post, bracket, depth):
    opening = "[" if bracket == "[]" else '{"a":'
    raw = '{"a":' + opening * depth + "1" + bracket[1] * depth + "}"
    assert_error(post(raw), 400, "invalidSyntax")


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\uDFFF", "\\udc00\\ud800", "a\\uD83D"])
@pytest.mark.parametrize(
    "body",
    [
        '{"userName": "%s"}',
        '{"%s": "ada"}',
        '{"userName": "ada", "emails": [{"value": "%s"}]}',
        '{"userName": "ada", "nickNames": ["%s"]}',
        '{"userName": "ada", "name": {"givenName": "a%sb"}}',
    ],
)
def test_nul_and_half_surrogate_pairs_are_refused_wherever_they_are(post, body, escape):
    assert_error(post(body % escape), 400, "invalidValue")


def test_a_whole_surrogate_pair_and_an_escaped_backslash_are_text(post):
    response = post(b'{"userName": "ada", "displayName": "\\ud83d\\ude00 \\\\u0000"}')
    assert response.status_code == 201
    assert response.json()["displayName"] == "😀 \\u0000"


def test_a_byte_order_mark_is_forgiven(post):
    assert post(b"\xef\xbb\xbf" + json.dumps(user()).encode()).status_code == 201


def test_of_a_name_given_twice_the_last_value_counts(post):
    response = post(b'{"userName": "ada", "title": "First", "title": "Last"}')
    assert response.json()["title"] == "Last"


def test_a_body_over_the_limit_is_413_and_names_the_limit(settings, post):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"MAX_BODY_BYTES": 200}
    assert "200 bytes" in assert_error(post(json.dumps(user(title="x" * 200))), 413)
    assert post(json.dumps(user())).status_code == 201


def test_a_body_within_our_limit_may_be_over_the_hosts(settings, post):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert post(json.dumps(user())).status_code == 201


class Unread(io.BytesIO):
    def read(self, *args):
        raise AssertionError("The body was read.")


def test_a_declared_length_over_the_limit_is_refused_before_reading(settings):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"MAX_BODY_BYTES": 200}
    request = RequestFactory().post("/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = "201"
    request._stream = Unread()
    with pytest.raises(PayloadTooLarge):
        read_document(Request(request))


def test_a_body_longer_than_the_limit_is_not_read_to_its_end(settings):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"MAX_BODY_BYTES": 200}
    request = RequestFactory().post("/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = "nonsense"
    request._stream = io.BytesIO(b" " * 10_000)
    with pytest.raises(PayloadTooLarge):
        read_document(Request(request))
    assert request._stream.tell() == 201


def test_a_chunked_body_is_read_where_the_server_marks_its_end():
    request = RequestFactory().generic("POST", "/", b"", content_type="application/json")
    request.META.pop("CONTENT_LENGTH", None)
    request.META |= {"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(b'{"a": 1}')}
    assert read_document(Request(request)) == {"a": 1}


class ServersOwnError(Exception):
    """As gunicorn raises for a chunk that is none."""


class Broken(io.BytesIO):
    def read(self, *args):
        raise ServersOwnError("Invalid chunk size")


def test_a_chunked_body_that_breaks_off_is_invalid_syntax():
    request = RequestFactory().generic("POST", "/", b"", content_type="application/json")
    request.META.pop("CONTENT_LENGTH", None)
    request.META |= {"wsgi.input_terminated": True, "wsgi.input": Broken()}
    with pytest.raises(InvalidSyntax):
        read_document(Request(request))


def test_a_body_that_a_middleware_has_read_is_read_again():
    request = RequestFactory().post("/", b'{"a": 1}', content_type="application/json")
    assert request.body
    assert read_document(Request(request)) == {"a": 1}


@pytest.mark.parametrize(
    "query",
    [
        "count=%FF",
        "count=%00",
        "startIndex=%ED%A0%80",
        "filter=%00",
        "filter=userName%20eq%20%22%00%22",
        "filter=%FF%FE",
        "filter=" + "(" * 3000,
        "sortBy=%00",
        "sortOrder=%00",
        "attributes=%00",
        "excludedAttributes=a%00b",
        "count=" + "9" * 5000,
        "startIndex=-" + "9" * 5000,
        "sortBy=" + "a." * 3000,
        "%FF=%FF",
        "&".join(f"p{number}=1" for number in range(1500)),
        "count=1&count=x",
        "=&=&;;",
        "%",
        "filter=%E0%80",
    ],
)
@pytest.mark.parametrize("path", ["/Users", "", "/Groups", "/Users/none", "/Roles"])
def test_no_query_string_is_an_internal_error(scim, path, query):
    response = scim.client.generic(
        "GET", f"/scim/v2{path}", QUERY_STRING=query, HTTP_AUTHORIZATION=f"Bearer {scim.key}"
    )
    assert response.status_code in (200, 400, 404)
    assert response.headers["Content-Type"] == "application/scim+json"


@pytest.mark.parametrize(
    "path",
    [
        "/Users/%",
        "/Users/%ff%fe",
        "/Users/%00",
        "/Users/..%2f..%2fetc",
        "/Users/%0d%0aX-Evil: 1",
        "/%FF",
        "/Schemas/%00",
        "/ResourceTypes/%ff",
        "/Users/" + "a" * 10_000,
    ],
)
def test_no_path_is_an_internal_error(scim, path):
    assert_error(scim.get(path), 404)
