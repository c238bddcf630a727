from __future__ import annotations

import logging

import pytest
from django.core import exceptions as django
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf

from scim_provider.api.viewsets import ResourceViewSet
from scim_provider.protocol import errors
from tests.api.fixture_answers import assert_error


@pytest.fixture
def failing(monkeypatch, scim):
    """The answer to a request in which ``exception`` is raised."""
    scim.client.raise_request_exception = False

    def get(exception: Exception):
        def fail(*args, **kwargs):
            raise exception

        monkeypatch.setattr(ResourceViewSet, "list", fail)
        return scim.get("/Users")

    return get


@pytest.mark.parametrize(
    ("exception", "status", "scim_type"),
    [
        (errors.Uniqueness("Taken."), 409, "uniqueness"),
        (errors.TooMany("Too many."), 400, "tooMany"),
        (errors.Sensitive("Use .search."), 403, "sensitive"),
        (drf.NotAuthenticated(), 401, None),
        (drf.AuthenticationFailed("No."), 401, None),
        (drf.PermissionDenied(), 403, None),
        (drf.NotFound(), 404, None),
        (drf.MethodNotAllowed("GET"), 405, None),
        (drf.NotAcceptable(), 406, None),
        (drf.UnsupportedMediaType("text/x"), 415, None),
        (drf.ParseError(), 400, "invalidSyntax"),
        (drf.ValidationError({"userName": ["No."]}), 400, "invalidValue"),
        (drf.Throttled(wait=7.2), 429, None),
        (Http404(), 404, None),
        (django.PermissionDenied(), 403, None),
        (django.BadRequest("Bad."), 400, None),
        (django.BadRequest(), 400, None),
        (django.SuspiciousOperation("x"), 400, None),
        (django.DisallowedHost("x"), 400, None),
        (django.TooManyFieldsSent("x"), 400, None),
        (django.RequestDataTooBig("x"), 413, None),
        (django.ValidationError("Too short."), 400, "invalidValue"),
        (django.ValidationError({"password": ["Short.", "Common."]}), 400, "invalidValue"),
        (UnreadablePostError("gone"), 400, "invalidSyntax"),
        (IntegrityError("UNIQUE constraint failed: secret_table"), 409, None),
        (ProtectedError("secret_table", set()), 409, None),
        (DataError("value too long for secret_table"), 400, "invalidValue"),
        (OperationalError("deadlock in secret_table"), 503, None),
        (InterfaceError("secret_table"), 503, None),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "secret_table"), 400, "invalidValue"),
        (OverflowError("secret_table"), 400, "invalidValue"),
        (RecursionError("secret_table"), 400, "invalidSyntax"),
        (ZeroDivisionError("secret_table"), 500, None),
        (KeyError("secret_table"), 500, None),
        (drf.APIException("secret_table"), 500, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_exception_is_a_scim_error_that_gives_nothing_away(
    failing, exception, status, scim_type
):
    response = failing(exception)
    assert_error(response, status, scim_type)
    assert b"secret_table" not in response.content


def test_the_words_of_a_password_validator_reach_the_admin(failing):
    response = failing(django.ValidationError(["Too short.", "Too common."]))
    assert assert_error(response, 400, "invalidValue") == "Too short. Too common."


def test_every_401_carries_a_challenge(failing):
    assert "WWW-Authenticate" in failing(drf.NotAuthenticated()).headers


@pytest.mark.parametrize("wait", [7.2, None])
def test_a_throttled_client_is_told_when_to_retry_in_whole_seconds(failing, wait):
    assert failing(drf.Throttled(wait=wait)).headers["Retry-After"] == (
        "5" if wait is None else "8"
    )


def test_a_busy_database_is_worth_a_retry(failing):
    assert int(failing(OperationalError("database is locked")).headers["Retry-After"]) > 0


@pytest.mark.parametrize("debug", [True, False])
def test_a_bug_is_logged_and_reported_and_not_told(settings, failing, caplog, debug):
    settings.DEBUG = debug
    reported = []

    def receive(request, **kwargs):
        reported.append(request.path)

    got_request_exception.connect(receive)
    try:
        with caplog.at_level(logging.ERROR, logger="scim_provider"):
            response = failing(ZeroDivisionError("a secret"))
    finally:
        got_request_exception.disconnect(receive)
    assert_error(response, 500)
    assert "ZeroDivisionError: a secret" in caplog.text
    assert reported == ["/scim/v2/Users"]


def test_a_403_of_the_site_keeps_its_words(failing):
    assert assert_error(failing(django.PermissionDenied("Not on Sundays.")), 403) == (
        "Not on Sundays."
    )


def test_every_error_class_states_a_status_and_has_words():
    for error in errors.ScimError.__subclasses__():
        document = error().as_document()
        assert document["status"] == str(error.status)
        assert document["detail"]
