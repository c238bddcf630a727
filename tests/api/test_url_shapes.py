from __future__ import annotations

import pytest
from django.test import Client
from django.urls import include, path, reverse

from scim_provider import keys
from tests.api.fixture_answers import SEARCH_REQUEST_URN, assert_error, user

urlpatterns = [path("deep/er/scim/", include("scim_provider.urls"))]


@pytest.fixture(params=[True, False], ids=["APPEND_SLASH", "no APPEND_SLASH"], autouse=True)
def append_slash(request, settings):
    settings.APPEND_SLASH = request.param


@pytest.mark.parametrize("url", ["/Users", "/Users/", "//Users", "/Users//", "///Users"])
def test_slashes_make_no_difference_to_a_list(scim, url):
    assert scim.get(url).status_code == 200


@pytest.mark.parametrize("url", ["/Users", "/Users/", "//Users"])
def test_slashes_make_no_difference_to_a_create(scim, url):
    assert scim.post(url, user()).status_code == 201


@pytest.mark.parametrize("url", ["/Users/{id}", "/Users/{id}/", "//Users//{id}//"])
def test_slashes_make_no_difference_to_a_resource(scim, ada, url):
    assert scim.get(url.format(**ada)).json()["id"] == ada["id"]


@pytest.mark.parametrize("url", ["/Users/.search", "/.search", "//Users//.search/", "//.search/"])
def test_slashes_make_no_difference_to_a_search(scim, ada, url):
    response = scim.post(url, {"schemas": [SEARCH_REQUEST_URN]})
    assert response.status_code == 200
    assert response.json()["totalResults"] >= 1


@pytest.mark.parametrize("url", ["", "/", "//"])
def test_the_base_url_answers_with_all_resources(scim, ada, url):
    response = scim.get(url, filter=f'id eq "{ada["id"]}"')
    assert [found["id"] for found in response.json()["Resources"]] == [ada["id"]]


@pytest.mark.parametrize(
    "url", ["/users", "/USERS", "/Nonsense", "/Users/a/b", "/.well-known", "/%00", "/Users%0A"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_an_unknown_endpoint_is_a_scim_404_with_every_method(scim, url, method):
    assert_error(scim._send(method, url), 404)


def test_the_404_of_an_endpoint_names_those_that_there_are(scim):
    assert "/Users, /Groups" in assert_error(scim.get("/users"), 404)


@pytest.mark.parametrize("url", ["/v1/Users", "/v3/Users", "/v1", "/V2.1/Groups/7"])
def test_a_version_after_the_base_url_is_an_invalid_version(scim, url):
    assert_error(scim.get(url), 400, "invalidVers")


@pytest.mark.parametrize("url", ["/Me", "/Me/"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_me_is_not_implemented(scim, url, method):
    assert_error(scim._send(method, url), 501)


@pytest.mark.parametrize("scim_id", ["x", "1", "a" * 3000, "%00", "%F0%9F%98%80", "null", "%22"])
def test_a_malformed_id_is_an_unknown_one(scim, scim_id):
    assert_error(scim.get(f"/Users/{scim_id}"), 404)


def test_put_never_creates(scim):
    assert_error(scim.put("/Users/7b7f9d3e-0000-4000-8000-000000000000", user()), 404)


@pytest.mark.parametrize("url", ["/Users", "/Users/1", "/Nonsense", "/ServiceProviderConfig"])
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW"])
def test_an_unknown_method_is_refused_as_scim(scim, url, method):
    assert_error(scim._send(method, url), 404 if url == "/Nonsense" else 405)


@pytest.mark.parametrize(
    ("method", "url", "allow"),
    [
        ("DELETE", "/Users", "GET, POST, HEAD, OPTIONS"),
        ("POST", "/Users/1", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"),
        ("POST", "/Roles", "GET, HEAD, OPTIONS"),
        ("DELETE", "/Roles/1", "GET, HEAD, OPTIONS"),
        ("GET", "/Users/.search", "POST, OPTIONS"),
        ("POST", "/Schemas", "GET, HEAD, OPTIONS"),
        ("PUT", "", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_an_endpoint_does_not_take_is_405_with_allow(scim, method, url, allow):
    response = scim._send(method, url)
    assert_error(response, 405)
    assert set(response.headers["Allow"].split(", ")) == set(allow.split(", "))


@pytest.mark.parametrize("url", ["/Users", "/Roles", "/ResourceTypes", "/Groups/.search"])
def test_options_lists_the_methods(scim, url):
    response = scim._send("OPTIONS", url)
    assert response.status_code == 204
    assert response.content == b""
    assert "Content-Type" not in response.headers
    assert "OPTIONS" in response.headers["Allow"]
    assert ("POST" in response.headers["Allow"]) == (url in ("/Users", "/Groups/.search"))


@pytest.mark.parametrize("url", ["/Users", "/ServiceProviderConfig", ""])
def test_head_is_get_without_a_body(scim, url):
    response = scim._send("HEAD", url)
    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["Content-Type"] == "application/scim+json"


def test_a_mount_with_a_slash_at_the_end_serves_the_same(settings, connection):
    settings.ROOT_URLCONF = __name__
    key = keys.create_key(connection).secret
    assert reverse("scim:root") == "/deep/er/scim/"
    response = Client().post(
        "/deep/er/scim/Users",
        user(),
        content_type="application/json",
        headers={"Authorization": key},
    )
    assert response.status_code == 201
    location = response.headers["Location"]
    assert location.startswith("http://testserver/deep/er/scim/Users/")
    assert Client().get(location, headers={"Authorization": key}).status_code == 200


def test_locations_start_with_the_configured_base_url_whatever_the_host_header(settings, scim):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"BASE_URL": "https://id.example.com"}
    response = scim.post("/Users", user(), headers={"Host": "evil.example"})
    assert response.headers["Location"].startswith("https://id.example.com/scim/v2/Users/")
    assert response.headers["Location"] == response.json()["meta"]["location"]
