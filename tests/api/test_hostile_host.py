"""A host's settings of Django and of REST framework must not bend the protocol."""

from __future__ import annotations

import pytest
from django.db import connections
from rest_framework import (
    authentication,
    parsers,
    permissions,
    renderers,
    throttling,
    versioning,
)
from rest_framework import settings as drf_settings
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.views import APIView

from scim_provider.api.policies import ScimPolicies
from scim_provider.urls import urlpatterns
from tests.api.fixture_answers import SCIM_JSON, assert_error, user


class OncePerDay(throttling.AnonRateThrottle):
    rate = "1/day"


HOSTILE = {
    "DEFAULT_RENDERER_CLASSES": [renderers.BrowsableAPIRenderer],
    "DEFAULT_PARSER_CLASSES": [parsers.FormParser],
    "DEFAULT_AUTHENTICATION_CLASSES": [authentication.SessionAuthentication],
    "DEFAULT_PERMISSION_CLASSES": [permissions.IsAdminUser],
    "DEFAULT_THROTTLE_CLASSES": [OncePerDay],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": DefaultContentNegotiation,
    "DEFAULT_METADATA_CLASS": SimpleMetadata,
    "DEFAULT_VERSIONING_CLASS": versioning.AcceptHeaderVersioning,
}
ELSEWHERE = {
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "DEFAULT_VERSION": "9",
    "ALLOWED_VERSIONS": ["9"],
    "PAGE_SIZE": 1,
    "EXCEPTION_HANDLER": "nowhere.to.be.found",
    "UNAUTHENTICATED_USER": "nowhere.to.be.found",
    "UNAUTHENTICATED_TOKEN": "nowhere.to.be.found",
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
    "FORMAT_SUFFIX_KWARG": "endpoint",
    "URL_FORMAT_OVERRIDE": "count",
    "NON_FIELD_ERRORS_KEY": "oops",
    "COERCE_DECIMAL_TO_STRING": False,
    "UNICODE_JSON": False,
    "STRICT_JSON": False,
}


@pytest.fixture
def hostile_host(monkeypatch, settings):
    """REST framework copies its defaults onto APIView when that is imported: change those too."""
    settings.REST_FRAMEWORK = HOSTILE | ELSEWHERE
    for key, value in HOSTILE.items():
        attribute = key.removeprefix("DEFAULT_").lower()
        monkeypatch.setattr(APIView, attribute, value)


def test_every_policy_that_a_host_can_set_is_set_on_our_views():
    policies = {
        key.removeprefix("DEFAULT_").lower()
        for key in drf_settings.DEFAULTS
        if key.startswith("DEFAULT_") and hasattr(APIView, key.removeprefix("DEFAULT_").lower())
    }
    assert len(policies) >= 8
    assert policies <= set(vars(ScimPolicies))
    for pattern in urlpatterns:
        assert issubclass(pattern.callback.cls, ScimPolicies)


def test_a_hostile_host_changes_no_answer(hostile_host, scim):
    created = scim.post("/Users", user())
    assert (created.status_code, created.headers["Content-Type"]) == (201, SCIM_JSON)
    url = f"/Users/{created.json()['id']}"
    for _ in range(3):
        assert scim.get("/Users", count=5).json()["totalResults"] == 1
    assert scim.get(url, headers={"Accept": "text/html"}).json()["userName"] == "ada@example.com"
    assert scim.patch(url, {"op": "add", "path": "title", "value": "x"}).status_code == 200
    assert scim.delete(url).status_code == 204


def test_a_hostile_host_changes_no_error(hostile_host, scim, anonymous_scim):
    assert_error(scim.get("/Users/none"), 404)
    assert_error(scim.get("/nonsense"), 404)
    assert_error(scim.post("/Users", "{"), 400, "invalidSyntax")
    assert_error(scim.delete("/Users"), 405)
    assert_error(anonymous_scim.get("/Users"), 401)


def test_a_hostile_host_leaves_discovery_public(hostile_host, db, anonymous_scim):
    assert anonymous_scim.get("/ServiceProviderConfig").status_code == 200
    assert anonymous_scim._send("OPTIONS", "/Schemas").status_code == 204


@pytest.mark.django_db(transaction=True)
def test_a_failed_request_is_recorded_though_the_host_wraps_requests_in_transactions(
    monkeypatch, connection, scim
):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    assert scim.post("/Users", user()).status_code == 201
    assert_error(scim.get("/Users/none"), 404)
    connection.refresh_from_db()
    assert connection.last_status == 404
    assert scim.get("/Users").json()["totalResults"] == 1


def test_no_csrf_token_is_asked_for(scim):
    scim.client.handler.enforce_csrf_checks = True
    assert scim.post("/Users", user()).status_code == 201


def test_a_site_that_requires_log_in_everywhere_leaves_scim_alone(settings, scim):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    assert scim.get("/Users").status_code == 200
