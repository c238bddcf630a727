from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import ERROR, CheckMessage, run_checks
from django.test import override_settings
from django.urls import include, path

from scim_provider import checks, lockout_checks
from scim_provider.conf import DEFAULTS, scim_settings
from scim_provider.middleware import LockoutMiddleware
from scim_provider.organizations import Organizations
from scim_provider.resources import Column, UserResource
from settings_ui import checks as ui_checks
from settings_ui.conf import ui_settings

Check = Callable[..., list[CheckMessage]]


class TinyUrls:
    """A URLconf with SCIM at a path that Okta refuses, and without our pages."""

    urlpatterns = [path("scim_v2/", include("scim_provider.urls"))]


class OwnLockout(LockoutMiddleware):
    pass


class NoUrls:
    urlpatterns: list[Any] = []


class OwnOrganizations(Organizations):
    pass


def test_importing_needs_no_settings() -> None:
    code = "import scim_provider, scim_provider.conf, settings_ui, settings_ui.conf"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PATH": ""})


def test_a_key_that_is_left_out_has_its_default() -> None:
    with override_settings(SCIM_PROVIDER={}):
        assert scim_settings.access_key_prefix == "SCIM-API-Key"
        assert scim_settings.max_results == 1000
        assert scim_settings.organizations is Organizations


def test_settings_are_read_when_they_are_used() -> None:
    with override_settings(SCIM_PROVIDER={"DEFAULT_COUNT": 7, "BASE_URL": "https://x.test/"}):
        assert scim_settings.default_count == 7
        assert scim_settings.base_url == "https://x.test"
    assert scim_settings.default_count == 100


def test_a_missing_setting_is_an_empty_one() -> None:
    with override_settings(SCIM_PROVIDER=None, SCIM_SETTINGS_UI=None):
        assert scim_settings.max_body_bytes == 16 * 1024 * 1024
        assert not scim_settings.allow_privileged
        assert scim_settings.public_discovery
        assert ui_settings.base_template == "settings_ui/document.html"


def test_dotted_paths_follow_the_setting() -> None:
    own = f"{__name__}.OwnOrganizations"
    with override_settings(SCIM_PROVIDER={"ORGANIZATIONS": own}):
        assert scim_settings.organizations is OwnOrganizations
    with override_settings(SCIM_PROVIDER={"ORGANIZATIONS": OwnOrganizations}):
        assert scim_settings.organizations is OwnOrganizations


def test_lifetimes_are_given_in_days() -> None:
    with override_settings(SCIM_SETTINGS_UI={"KEY_LIFETIMES": [30, None]}):
        assert ui_settings.key_lifetimes == [timedelta(days=30), None]


def test_every_default_has_a_property() -> None:
    assert [key for key in DEFAULTS if not hasattr(type(scim_settings), key.lower())] == []
    keys = type(ui_settings).defaults
    assert [key for key in keys if not hasattr(type(ui_settings), key.lower())] == []


@contextmanager
def configured(**changes: Any) -> Iterator[None]:
    with override_settings(**changes):
        yield


PROVIDER = "SCIM_PROVIDER"
PAGES = "SCIM_SETTINGS_UI"
COOKIES = "django.contrib.sessions.backends.signed_cookies"
ALLOW_ALL = "django.contrib.auth.backends.AllowAllUsersModelBackend"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


@pytest.mark.parametrize(
    ("check", "bad", "check_id"),
    [
        (checks.check_unknown_keys, {PROVIDER: {"BASEURL": "x"}}, "scim_provider.E001"),
        (
            checks.check_dotted_paths,
            {PROVIDER: {"ORGANIZATIONS": "no.Where"}},
            "scim_provider.E002",
        ),
        (checks.check_dotted_paths, {PROVIDER: {"RESOURCE_TYPES": ["nope"]}}, "scim_provider.E002"),
        (checks.check_urls, {"ROOT_URLCONF": NoUrls}, "scim_provider.W003"),
        (checks.check_urls, {"ROOT_URLCONF": TinyUrls}, "scim_provider.W004"),
        (checks.check_roles, {PROVIDER: {"ROLES": [""]}}, "scim_provider.E005"),
        (checks.check_roles, {PROVIDER: {"ROLES": [7]}}, "scim_provider.E005"),
        (checks.check_roles, {PROVIDER: {"ROLES": [{"display": "x"}]}}, "scim_provider.E005"),
        (checks.check_roles, {PROVIDER: {"ROLES": [{"value": "x", "y": 1}]}}, "scim_provider.E005"),
        (
            checks.check_roles,
            {PROVIDER: {"ROLES": ["a", {"value": "b", "aliases": ["A"]}]}},
            "scim_provider.E005",
        ),
        (
            checks.check_roles,
            {PROVIDER: {"ROLES": [{"value": "a", "aliases": "b"}]}},
            "scim_provider.E005",
        ),
        (
            checks.check_roles,
            {PROVIDER: {"ROLES": [{"value": "a", "priority": "1"}]}},
            "scim_provider.E005",
        ),
        (
            checks.check_roles,
            {
                PROVIDER: {
                    "ROLES": [{"value": "a", "default": True}, {"value": "b", "default": True}]
                }
            },
            "scim_provider.E005",
        ),
        (
            checks.check_dotted_paths,
            {PROVIDER: {"RESOURCE_TYPES": "scim_provider.resources.UserResource"}},
            "scim_provider.E002",
        ),
        (
            checks.check_dotted_paths,
            {PROVIDER: {"RESOURCE_TYPES": ["django.contrib.auth.models.Group"]}},
            "scim_provider.E002",
        ),
        (
            checks.check_dotted_paths,
            {PROVIDER: {"ORGANIZATIONS": "django.contrib.auth.models.Group"}},
            "scim_provider.E002",
        ),
        (checks.check_unknown_keys, {PROVIDER: {1: "x"}}, "scim_provider.E001"),
        (checks.check_base_url, {PROVIDER: {"BASE_URL": "http://["}}, "scim_provider.E007"),
        (checks.check_https, {PROVIDER: {"BASE_URL": "HTTP://x.test"}}, "scim_provider.W008"),
        (checks.check_numbers, {PROVIDER: {"MAX_RESULTS": 0}}, "scim_provider.E006"),
        (checks.check_numbers, {PROVIDER: {"MAX_RESULTS": "9"}}, "scim_provider.E006"),
        (checks.check_base_url, {PROVIDER: {"BASE_URL": "app.example.com"}}, "scim_provider.E007"),
        (checks.check_base_url, {PROVIDER: {"BASE_URL": "https://x/?y"}}, "scim_provider.E007"),
        (checks.check_https, {PROVIDER: {"BASE_URL": "http://x.test"}}, "scim_provider.W008"),
        (
            checks.check_derived_base_url,
            {PROVIDER: {}, "ALLOWED_HOSTS": ["*"]},
            "scim_provider.W009",
        ),
        (checks.check_privileged, {PROVIDER: {"ALLOW_PRIVILEGED": True}}, "scim_provider.W010"),
        (
            lockout_checks.check_session_engine,
            {"SESSION_ENGINE": COOKIES, "MIDDLEWARE": []},
            "scim_provider.W050",
        ),
        (
            lockout_checks.check_backends,
            {"AUTHENTICATION_BACKENDS": [ALLOW_ALL], "MIDDLEWARE": []},
            "scim_provider.W051",
        ),
        (
            lockout_checks.check_middleware_order,
            {"MIDDLEWARE": [lockout_checks.MIDDLEWARE, AUTHENTICATION]},
            "scim_provider.E052",
        ),
        (ui_checks.check_unknown_keys, {PAGES: {"PRODUCT": "x"}}, "scim_settings_ui.E001"),
        (ui_checks.check_base_template, {PAGES: {"BASE_TEMPLATE": "x"}}, "scim_settings_ui.E002"),
        (ui_checks.check_urls, {"ROOT_URLCONF": NoUrls}, "scim_settings_ui.W003"),
        (ui_checks.check_lifetimes, {PAGES: {"KEY_LIFETIMES": []}}, "scim_settings_ui.E005"),
        (ui_checks.check_lifetimes, {PAGES: {"KEY_LIFETIMES": [0]}}, "scim_settings_ui.E005"),
        (ui_checks.check_session_cookie, {"SESSION_COOKIE_SECURE": False}, "scim_settings_ui.W006"),
    ],
)
def test_a_check_fires_and_falls_silent(check: Check, bad: dict[str, Any], check_id: str) -> None:
    with configured(**bad):
        assert {message.id for message in check()} == {check_id}
    good = {PROVIDER: {"BASE_URL": "https://x.test"}, PAGES: {}, "SESSION_COOKIE_SECURE": True}
    with configured(**good):
        assert check() == []


@pytest.mark.parametrize(
    "roles",
    [
        "admin",
        None,
        [{"value": 5}],
        ["a", {"value": "A"}],
    ],
)
def test_roles_that_nobody_could_tell_apart_or_read_are_told(roles: Any) -> None:
    with configured(**{PROVIDER: {"ROLES": roles}}):
        assert [each.id for each in checks.check_roles()] == ["scim_provider.E005"]


@pytest.mark.django_db  # some of Django's own checks ask the database what it can do
@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("RESOURCE_TYPES", None),
        ("RESOURCE_TYPES", []),
        ("RESOURCE_TYPES", [5]),
        ("RESOURCE_TYPES", "scim_provider.resources.UserResource"),
        ("RESOURCE_TYPES", ["django.contrib.auth.models.Group"]),
        ("RESOURCE_TYPES", ["scim_provider.resources"]),
        ("ORGANIZATIONS", 5),
        ("ORGANIZATIONS", "django.contrib.auth.models.Group"),
        ("ORGANIZATIONS", None),
        ("ORGANIZATIONS", "nope"),
        ("ROLES", None),
        ("BASE_URL", "http://["),
    ],
)
def test_a_wrong_setting_is_told_by_a_check_and_no_other_check_fails(key: str, bad: Any) -> None:
    with configured(**{PROVIDER: {key: bad}}):
        (found,) = [each for each in run_checks() if each.level >= ERROR]
    assert f"SCIM_PROVIDER[{key!r}]" in found.msg


def test_the_pages_name_the_apps_they_need(settings: Any) -> None:
    assert ui_checks.check_installed_apps() == []
    settings.INSTALLED_APPS = [
        app for app in settings.INSTALLED_APPS if app != "django.contrib.messages"
    ]
    (error,) = ui_checks.check_installed_apps()
    assert error.id == "scim_settings_ui.E004"
    assert "django.contrib.messages" in error.msg


def test_an_unknown_key_is_answered_with_the_nearest_one() -> None:
    with override_settings(SCIM_PROVIDER={"ACCESS_KEY_PREFX": "x", "WAT": 1}):
        first, second = checks.check_unknown_keys()
    assert first.hint == "Did you mean 'ACCESS_KEY_PREFIX'?"
    assert "MAX_RESULTS" in str(second.hint)


class MisspeltHomes(UserResource):
    homes = UserResource.homes | {"titel": Column("account__first_name")}


class LostColumn(UserResource):
    homes = UserResource.homes | {"title": Column("account__job_title")}


@pytest.mark.parametrize(
    ("resource_type", "said"),
    [(MisspeltHomes, "'titel' is no attribute"), (LostColumn, "no field 'job_title'")],
)
def test_a_home_that_cannot_work_is_an_error(resource_type: type, said: str) -> None:
    with override_settings(SCIM_PROVIDER={"RESOURCE_TYPES": [resource_type]}):
        (found,) = checks.check_homes()
    assert (found.id, said in found.msg, bool(found.hint)) == ("scim_provider.E011", True, True)


def test_the_homes_of_the_example_site_are_in_order() -> None:
    assert checks.check_homes() == []


@pytest.mark.parametrize(
    "unsafe", [{"SESSION_ENGINE": COOKIES}, {"AUTHENTICATION_BACKENDS": [ALLOW_ALL]}]
)
def test_the_middleware_makes_every_site_safe(unsafe: dict[str, Any]) -> None:
    with configured(**unsafe, MIDDLEWARE=[AUTHENTICATION, lockout_checks.MIDDLEWARE]):
        for check in ("session_engine", "backends", "middleware_order"):
            assert getattr(lockout_checks, f"check_{check}")() == []


def test_a_middleware_that_is_made_of_ours_does(settings: Any) -> None:
    settings.SESSION_ENGINE = COOKIES
    settings.MIDDLEWARE = [AUTHENTICATION, f"{__name__}.OwnLockout"]
    assert lockout_checks.check_session_engine() == []
    settings.MIDDLEWARE.reverse()
    (early,) = lockout_checks.check_middleware_order()
    assert "OwnLockout stands too early" in early.msg


@pytest.mark.parametrize(
    "unknown", [{"SESSION_ENGINE": "no.where"}, {"AUTHENTICATION_BACKENDS": ["no.Where"]}]
)
def test_what_cannot_be_imported_is_for_others_to_say(unknown: dict[str, Any]) -> None:
    with configured(**unknown, MIDDLEWARE=[]):
        assert lockout_checks.check_session_engine() == []
        assert lockout_checks.check_backends() == []
