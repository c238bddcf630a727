from __future__ import annotations

from urllib.parse import quote

import pytest

from scim_provider.protocol import core
from tests.api.fixture_answers import assert_error

ENDPOINTS = ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes"]
SINGLE = ["/ServiceProviderConfig", f"/Schemas/{core.USER_URN}", "/ResourceTypes/User"]


def resources(response) -> list[dict]:
    assert response.status_code == 200
    body = response.json()
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    assert body["totalResults"] == body["itemsPerPage"] == len(body["Resources"])
    return body["Resources"]


def test_the_limits_that_are_announced_are_those_that_hold(settings, scim, ada, engineers):
    limits = {"MAX_RESULTS": 1, "MAX_BODY_BYTES": 400, "BULK_MAX_OPERATIONS": 7}
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | limits
    config = scim.get("/ServiceProviderConfig").json()
    assert config["filter"]["maxResults"] == config["pagination"]["maxPageSize"] == 1
    assert config["bulk"] == {"supported": True, "maxOperations": 7, "maxPayloadSize": 400}
    assert scim.get("", count=50).json()["itemsPerPage"] == 1
    assert_error(scim.post("/Users", {"userName": "x" * 400}), 413)


def test_the_documentation_is_the_sites(settings, scim):
    url = "https://docs.example.com/scim"
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"DOCUMENTATION_URL": url}
    assert scim.get("/ServiceProviderConfig").json()["documentationUri"] == url


def test_roles_are_advertised_to_those_who_ask(scim):
    assert "RolesAndEntitlements" not in scim.get("/ServiceProviderConfig").json()
    asked = scim.get("/ServiceProviderConfig", attributes="rolesAndEntitlements,patch").json()
    assert asked["RolesAndEntitlements"]["roles"]["supported"] is True


def test_every_resource_type_points_to_schemas_that_are_served(scim):
    served = {schema["id"] for schema in resources(scim.get("/Schemas"))}
    types = resources(scim.get("/ResourceTypes"))
    assert [each["name"] for each in types] == ["User", "Group", "Role"]
    for each in types:
        assert each["schema"] in served
        assert {extension["schema"] for extension in each["schemaExtensions"]} <= served
        assert each["endpoint"].startswith("/")


def test_no_schema_is_served_twice_and_no_message_at_all(scim):
    ids = [schema["id"] for schema in resources(scim.get("/Schemas"))]
    assert len(ids) == len(set(ids))
    assert not any(":api:messages:" in each for each in ids)


@pytest.mark.parametrize("url", ["/Schemas", "/ResourceTypes"])
def test_everything_listed_is_found_where_its_location_says(scim, url):
    for listed in resources(scim.get(url)):
        location = listed["meta"]["location"]
        assert location.endswith(f"{url}/{listed['id']}")
        assert scim.client.get(location).json() == listed


@pytest.mark.parametrize(
    "urn", [core.USER_URN, core.USER_URN.upper(), quote(core.USER_URN, safe="")]
)
def test_a_schema_is_found_by_its_urn_in_any_case_and_encoding(scim, urn):
    assert scim.get(f"/Schemas/{urn}").json()["id"] == core.USER_URN


@pytest.mark.parametrize("url", ["/Schemas/urn:none", "/ResourceTypes/None", "/Schemas/User"])
def test_an_unknown_schema_or_type_is_404(scim, url):
    assert_error(scim.get(url), 404)


@pytest.mark.parametrize("url", ENDPOINTS + SINGLE)
@pytest.mark.parametrize("parameter", ['filter=name eq "User"', "filter="])
def test_a_filter_on_discovery_is_forbidden(scim, url, parameter):
    name, _, value = parameter.partition("=")
    assert_error(scim.get(url, **{name: value}), 403)


@pytest.mark.parametrize("url", ENDPOINTS + SINGLE)
def test_every_other_parameter_is_ignored(scim, url):
    ignored = {"startIndex": "7", "count": "x", "sortBy": "?", "attributes": "id", "foo": "bar"}
    assert scim.get(url, **ignored).json() == scim.get(url).json()


@pytest.mark.parametrize("url", ENDPOINTS + SINGLE)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_discovery_is_read_only(scim, url, method):
    response = scim._send(method, url, {"schemas": []})
    assert_error(response, 405)
    assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("url", ENDPOINTS + SINGLE)
def test_discovery_costs_no_query_of_the_database(
    db, anonymous_scim, url, django_assert_num_queries
):
    with django_assert_num_queries(0):
        assert anonymous_scim.get(url).status_code == 200
