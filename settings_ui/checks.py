"""System checks of ``SCIM_SETTINGS_UI``: ids ``scim_settings_ui.E0xx`` and ``W0xx``."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse

from scim_provider.checks import unknown_keys

from .conf import ui_settings

#: What the pages cannot work without.
_APPS = (
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "scim_provider",
)


def check_unknown_keys(**kwargs: Any) -> list[CheckMessage]:
    return unknown_keys(ui_settings, "scim_settings_ui.E001")


def check_base_template(**kwargs: Any) -> list[CheckMessage]:
    """BASE_TEMPLATE is found by the template engine."""
    try:
        get_template(ui_settings.base_template)
    except TemplateDoesNotExist:
        message = f"SCIM_SETTINGS_UI['BASE_TEMPLATE'] {ui_settings.base_template!r} is not found."
        return [Error(message, id="scim_settings_ui.E002")]
    return []


def check_urls(**kwargs: Any) -> list[CheckMessage]:
    try:
        reverse("scim_settings:security")
    except NoReverseMatch:
        hint = 'Add path("settings/", include("settings_ui.urls")) to the URLconf.'
        message = "The SCIM settings pages are not mounted."
        return [Warning(message, hint=hint, id="scim_settings_ui.W003")]
    return []


def check_installed_apps(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"The SCIM settings pages need {name!r} in INSTALLED_APPS.", id="scim_settings_ui.E004"
        )
        for name in _APPS
        if not apps.is_installed(name)
    ]


def check_lifetimes(**kwargs: Any) -> list[CheckMessage]:
    """KEY_LIFETIMES offers something, in days."""
    days = ui_settings.get("KEY_LIFETIMES")
    if days and all(day is None or (type(day) is int and day > 0) for day in days):
        return []
    hint = "Give days, and None for a key that never expires: [90, 365, None]."
    message = "SCIM_SETTINGS_UI['KEY_LIFETIMES'] is not a list of lifetimes."
    return [Error(message, hint=hint, id="scim_settings_ui.E005")]


def check_session_cookie(**kwargs: Any) -> list[CheckMessage]:
    """Whoever reads the session cookie can make an access key."""
    if settings.SESSION_COOKIE_SECURE:
        return []
    hint = "Set SESSION_COOKIE_SECURE = True: the session can create SCIM access keys."
    message = "The session cookie of the SCIM settings pages travels over plain HTTP."
    return [Warning(message, hint=hint, id="scim_settings_ui.W006")]


_CHECKS = (
    check_unknown_keys,
    check_base_template,
    check_urls,
    check_installed_apps,
    check_lifetimes,
)


def register_checks() -> None:
    """Hand the checks to Django; called when the app is ready."""
    for check in _CHECKS:
        register(check, "scim")
    register(check_session_cookie, Tags.security, deploy=True)
