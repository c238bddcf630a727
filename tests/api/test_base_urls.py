"""A base URL per organization, by path or by host, beside one for all."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import include, path

from example_project.accounts.scim import Organizations
from example_project.urls import urlpatterns as example_urls
from scim_provider import checks, keys, mounts, organization_checks, urls
from tests.api.fixture_answers import assert_error, user
from tests.conftest import ScimClient
from tests.factories import PASSWORD, OrganizationAdminFactory

urlpatterns = [
    path("scim/<slug:organization>/v2", include("scim_provider.urls", namespace="scim-own")),
    *example_urls,
]


class ByPath(Organizations):
    def url_kwargs(self, owner):
        return {"organization": owner.slug}


class ByHost(Organizations):
    domain = "example.com"

    def host(self, owner):
        return f"{owner.slug}.{self.domain}"


class OnlyOwn:
    urlpatterns = urlpatterns[:1]


@pytest.fixture
def by_path(settings):
    settings.ROOT_URLCONF = __name__
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": ByPath}


@pytest.fixture
def by_host(settings):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {
        "ORGANIZATIONS": ByHost,
        "BASE_URL": "https://app.example.com",
    }


@pytest.fixture
def own_scim(by_path, access_key):
    return ScimClient(access_key, mount="/scim/acme/v2")


def at(host):
    return {"headers": {"Host": host}}


# -- by path ---------------------------------------------------------------------------------------


def test_what_is_asked_at_the_organizations_own_url_is_answered_with_it(own_scim):
    own = "http://testserver/scim/acme/v2"
    made = own_scim.post("/Users", user())
    assert made.status_code == 201
    location = made.headers["Location"]
    assert location == made.json()["meta"]["location"] == f"{own}/Users/{made.json()['id']}"
    members = [{"value": made.json()["id"]}]
    group = own_scim.post("/Groups", {"displayName": "Engineers", "members": members}).json()
    assert own_scim.get(f"/Groups/{group['id']}").json()["members"][0]["$ref"] == location
    assert own_scim.get("/ResourceTypes/User").json()["meta"]["location"].startswith(own)
    assert own_scim.get("/Schemas").status_code == 200


def test_both_urls_serve_the_same_resources_each_with_its_own_locations(own_scim, scim):
    made = own_scim.post("/Users", user()).json()
    bases = {own_scim: "http://testserver/scim/acme/v2", scim: "http://testserver/scim/v2"}
    for client, base in bases.items():
        location = f"{base}/Users/{made['id']}"
        query = f'userName eq "ada@example.com" and meta.location eq "{location}"'
        (found,) = client.get("/Users", filter=query).json()["Resources"]
        assert found["meta"]["location"] == location
        assert client.get("/Users", filter='meta.location ew "/nobody"').json()["totalResults"] == 0


def test_bulk_paths_may_begin_with_the_organizations_own_url(own_scim):
    operation = {"method": "POST", "bulkId": "1", "data": user(), "path": "/Users"}
    (done,) = own_scim.post(
        "/Bulk",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [operation],
        },
    ).json()["Operations"]
    assert done["location"].startswith("http://testserver/scim/acme/v2/Users/")


@pytest.mark.parametrize("url", ["/Users", "/Users/1", "/Bulk", "/ServiceProviderConfig", ""])
def test_a_key_at_another_organizations_url_is_refused_as_at_nobodys(
    by_path, access_key, connection, other_connection, url
):
    details = {
        assert_error(ScimClient(access_key, mount=f"/scim/{slug}/v2").get(url), 403)
        for slug in ("globex", "nobody", "ACME")
    }
    assert details == {
        "This access key is not for the base URL that was asked. Enter this one in the "
        "identity provider: http://testserver/scim/acme/v2"
    }
    connection.refresh_from_db()
    assert "/scim/acme/v2" in connection.last_failure


@pytest.mark.parametrize("slug", ["acme", "globex", "nobody"])
def test_without_a_right_key_every_url_looks_alike(by_path, connection, slug):
    mount = f"/scim/{slug}/v2"
    config = ScimClient(mount=mount).get("/ServiceProviderConfig")
    assert config.json()["meta"]["location"] == f"http://testserver{mount}/ServiceProviderConfig"
    assert_error(ScimClient(mount=mount).get("/Users"), 401)
    assert_error(ScimClient("scim_wrong", mount=mount).get("/Users"), 401)
    assert_error(ScimClient("scim_wrong", mount=mount).get("/Schemas"), 401)


@pytest.mark.parametrize("url", ["/nonsense", "/v1/Users", "/Me", "/Users/a/b/c"])
def test_errors_under_an_own_url_are_those_of_the_url_for_all(own_scim, scim, url):
    assert own_scim.get(url).json() == scim.get(url).json()


def test_the_settings_page_and_the_command_show_the_own_url(by_path, connection, settings):
    admin = OrganizationAdminFactory(organization=connection.owner)
    client = Client()
    client.login(username=admin.username, password=PASSWORD)
    assert "http://testserver/scim/acme/v2" in client.get("/settings/security/").content.decode()
    base = {"BASE_URL": "https://app.example.com/scim/v2"}
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | base
    out = io.StringIO()
    call_command("scim_connection", "status", organization="Acme", json=True, stdout=out)
    assert json.loads(out.getvalue())["base_url"] == "https://app.example.com/scim/acme/v2"
    call_command("scim_connection", "list", json=True, stdout=io.StringIO())


def test_a_site_may_have_only_urls_of_organizations(by_path, settings, access_key, connection):
    settings.ROOT_URLCONF = OnlyOwn
    assert checks.check_urls() == []
    made = ScimClient(access_key, mount="/scim/acme/v2").post("/Users", user())
    assert made.headers["Location"].startswith("http://testserver/scim/acme/v2/Users/")


def test_the_cached_statement_of_a_list_serves_all_organizations(own_scim, other_connection):
    other_scim = ScimClient(keys.create_key(other_connection).secret, mount="/scim/globex/v2")
    for client, name in ((own_scim, "ada@acme.example"), (other_scim, "hank@globex.example")):
        client.post("/Users", user(name))
    for client, name in ((own_scim, "ada@acme.example"), (other_scim, "hank@globex.example")):
        (found,) = client.get("/Users", filter="userName pr", sortBy="id").json()["Resources"]
        assert found["userName"] == name
        assert found["meta"]["location"].startswith(f"http://testserver{client.mount}/Users/")


def test_a_mount_whose_arguments_nobody_tells_is_an_error(by_path, settings):
    assert organization_checks.check_mount_arguments() == []
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": Organizations}
    (found,) = organization_checks.check_mount_arguments()
    assert found.id == "scim_provider.E031"
    assert "organization" in found.msg


def test_the_names_that_views_capture_are_told_from_those_of_a_mount():
    patterns = [one.pattern.regex.groupindex for one in urls.urlpatterns]
    assert {name for names in patterns for name in names} == mounts.VIEW_KWARGS


# -- by host ---------------------------------------------------------------------------------------


def test_what_is_asked_at_the_organizations_own_host_is_answered_with_it(by_host, scim):
    made = scim.post("/Users", user(), **at("acme.example.com"))
    location = made.headers["Location"]
    assert location.startswith("https://acme.example.com/scim/v2/Users/")
    shared = scim.get(f"/Users/{made.json()['id']}", **at("app.elsewhere.example"))
    assert shared.json()["meta"]["location"] == location.replace("//acme.", "//app.")
    config = ScimClient().get("/ServiceProviderConfig", **at("acme.example.com")).json()
    assert config["meta"]["location"].startswith("https://acme.example.com/scim/v2/")


@pytest.mark.parametrize("host", ["globex.example.com", "nobody.example.com", "x.acme.example.com"])
def test_a_key_at_another_organizations_host_is_refused(by_host, scim, other_connection, host):
    detail = assert_error(scim.get("/Users", **at(host)), 403)
    assert detail.endswith("https://acme.example.com/scim/v2")
    assert_error(ScimClient("scim_wrong").get("/Users", **at(host)), 401)


def test_a_host_keeps_the_port_and_any_case(by_host, settings, scim):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"BASE_URL": ""}
    made = scim.post("/Users", user(), **at("ACME.example.com:8000"))
    assert made.status_code == 201
    assert made.headers["Location"].startswith("http://ACME.example.com:8000/scim/v2/")


def test_the_settings_page_shows_the_own_host(by_host, connection):
    admin = OrganizationAdminFactory(organization=connection.owner)
    client = Client()
    client.login(username=admin.username, password=PASSWORD)
    page = client.get("/settings/security/").content.decode()
    assert "https://acme.example.com/scim/v2" in page
