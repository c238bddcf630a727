from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from scim_provider import keys
from scim_provider.conf import scim_settings
from scim_provider.connections import disable
from scim_provider.models import AccessKey, Connection
from scim_provider.organizations import Entitlement, Organizations
from tests.api.fixture_answers import assert_error, user
from tests.conftest import ScimClient


def get(header: str | None, url: str = "/Users"):
    headers = {} if header is None else {"Authorization": header}
    return Client().get(f"/scim/v2{url}", headers=headers)


@pytest.mark.parametrize(
    "shape",
    [
        "Bearer {key}",
        "bearer {key}",
        "BEARER {key}",
        "Bearer Bearer {key}",
        "{prefix} {key}",
        "Bearer {prefix} {key}",
        "Bearer Bearer {prefix} {key}",
        "{key}",
        "  Bearer   {key}  ",
        '"{key}"',
        "“{key}”",
    ],
)
def test_a_key_is_taken_in_every_shape_that_admins_paste(access_key, shape):
    header = shape.format(key=access_key, prefix=scim_settings.access_key_prefix)
    assert get(header).status_code == 200


def test_a_paste_in_utf_8_arrives_as_latin_1_and_is_understood(access_key):
    header = f"Bearer “{access_key}”".encode().decode("latin-1")
    assert get(header).status_code == 200


@pytest.mark.parametrize(
    "shape",
    [
        None,
        "",
        "Bearer",
        "Bearer a",
        "{prefix}",
        "Bearer {key}x",
        "Bearer {cut}",
        "Basic YWRhOmFkYQ==",
        "Bearer eyJhbGciOi.J9.x",
        "\xff\xfe",
        "Bearer " + "x" * 5000,
    ],
)
def test_anything_else_is_401_with_a_challenge_and_a_reason(access_key, shape):
    words = {"key": access_key, "cut": access_key[:-5], "prefix": scim_settings.access_key_prefix}
    response = get(None if shape is None else shape.format(**words))
    detail = assert_error(response, 401)
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="SCIM"')
    assert access_key not in detail


def test_the_challenge_tells_a_wrong_key_from_a_missing_one(db):
    assert "invalid_token" not in get(None).headers["WWW-Authenticate"]
    assert 'error="invalid_token"' in get("Bearer a").headers["WWW-Authenticate"]


def test_a_key_of_nobody_is_401(access_key):
    AccessKey.objects.all().delete()
    assert "not known" in assert_error(get(f"Bearer {access_key}"), 401)


def test_a_revoked_key_is_401_and_says_so(connection):
    new = keys.create_key(connection)
    keys.revoke(new.key)
    assert "revoked" in assert_error(get(f"Bearer {new.secret}"), 401)


def test_an_expired_key_is_401_and_says_so(connection):
    past = timezone.now() - timedelta(days=1)
    secret = keys.create_key(connection, expires_at=past).secret
    assert "expired" in assert_error(get(f"Bearer {secret}"), 401)


@pytest.mark.parametrize("url", ["/Users/none", "/Nonsense", "/Me", "/Bulk", "/v1/Users", ""])
def test_a_401_does_not_depend_on_what_exists(db, url):
    assert_error(get("Bearer wrong", url), 401)
    assert_error(get(None, url), 401)


@pytest.mark.parametrize("url", ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes"])
def test_discovery_is_public_but_not_to_a_wrong_key(db, url):
    assert get(None, url).status_code == 200
    assert_error(get("Bearer wrong", url), 401)


def test_discovery_takes_a_key_where_it_is_not_public(settings, access_key):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"PUBLIC_DISCOVERY": False}
    assert_error(get(None, "/ServiceProviderConfig"), 401)
    assert get(f"Bearer {access_key}", "/ServiceProviderConfig").status_code == 200


def test_a_log_in_of_the_site_is_no_access_to_scim(admin_client):
    assert_error(admin_client.get("/scim/v2/Users"), 401)


def test_a_connection_that_is_turned_off_is_403(connection, scim):
    Connection.objects.filter(pk=connection.pk).update(enabled=False)
    assert "turned off" in assert_error(scim.get("/Users"), 403)
    assert_error(scim.get("/ServiceProviderConfig"), 403)


def test_disabling_ends_the_keys_too(connection, scim):
    disable(connection)
    assert_error(scim.get("/Users"), 401)


class NotInPlan(Organizations):
    def entitlement(self, owner):
        return Entitlement(allowed=False, state="not_in_plan", message="Upgrade to Enterprise.")


class NotInPlanWithoutWords(Organizations):
    def entitlement(self, owner):
        return Entitlement(allowed=False, state="not_in_plan")


def test_an_organization_without_scim_in_its_plan_is_403_in_the_sites_words(settings, scim):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": NotInPlan}
    assert assert_error(scim.get("/Users"), 403) == "Upgrade to Enterprise."


def test_an_organization_without_scim_in_its_plan_is_403_without_words_too(settings, scim):
    settings.SCIM_PROVIDER = settings.SCIM_PROVIDER | {"ORGANIZATIONS": NotInPlanWithoutWords}
    assert "plan" in assert_error(scim.get("/Users"), 403)


def test_the_key_decides_whose_resources_are_served(scim, other_scim, ada):
    url = f"/Users/{ada['id']}"
    assert other_scim.get("/Users").json()["totalResults"] == 0
    assert_error(other_scim.get(url), 404)
    assert_error(other_scim.put(url, user()), 404)
    assert_error(other_scim.patch(url, {"op": "add", "path": "title", "value": "x"}), 404)
    assert_error(other_scim.delete(url), 404)
    assert scim.get(url).json() == ada


def test_a_request_shows_on_the_settings_page(connection, scim):
    scim.get("/Users", headers={"User-Agent": "Okta SCIM Client 1.0"}, filter='userName eq "a"')
    connection.refresh_from_db()
    assert connection.last_request == "GET /scim/v2/Users"
    assert (connection.last_status, connection.last_client) == (200, "Okta SCIM Client 1.0")
    assert connection.last_success_at is not None
    key = AccessKey.objects.get(connection=connection)
    assert key.last_used_by == "Okta SCIM Client 1.0"


def test_a_failed_request_shows_with_its_reason(connection, scim):
    scim.get("/Users", filter="userName zz")
    connection.refresh_from_db()
    assert (connection.last_status, connection.last_failure != "") == (400, True)
    assert connection.last_failure_at is not None


def test_a_request_is_served_when_it_cannot_be_recorded(monkeypatch, scim, caplog):
    def fail(*args, **kwargs):
        raise OperationalError("the disk is full")

    monkeypatch.setattr("scim_provider.api.policies.record_request", fail)
    assert scim.get("/Users").status_code == 200
    assert "could not be recorded" in caplog.text


def test_one_query_authenticates_and_repeated_requests_write_nothing(
    site_connection, django_assert_num_queries
):
    scim = ScimClient(keys.create_key(site_connection).secret)
    scim.get("/ServiceProviderConfig")
    with django_assert_num_queries(1):
        scim.get("/ServiceProviderConfig")
