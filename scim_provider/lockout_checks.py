"""System checks of what locking out needs from the site."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import AllowAllUsersModelBackend, AllowAllUsersRemoteUserBackend
from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

from .login_sessions import is_signed_cookie
from .middleware import LockoutMiddleware

MIDDLEWARE = "scim_provider.middleware.LockoutMiddleware"
_DJANGOS = "django.contrib.auth.middleware.AuthenticationMiddleware"
_HINT = f"Put {MIDDLEWARE!r} behind {_DJANGOS!r} in MIDDLEWARE."
_LENIENT = (AllowAllUsersModelBackend, AllowAllUsersRemoteUserBackend)


def check_session_engine(**kwargs: Any) -> list[CheckMessage]:
    """A session in a cookie is nobody's to take away: only a look at each request ends it."""
    if has_middleware() or not _keeps_sessions_in_cookies():
        return []
    message = "Sessions are in signed cookies: a deactivated person's revive with the account."
    return [Warning(message, hint=_HINT, id="scim_provider.W050")]


def check_backends(**kwargs: Any) -> list[CheckMessage]:
    """A backend that lets inactive accounts in lets in whom SCIM deactivated."""
    lenient = [each for each in settings.AUTHENTICATION_BACKENDS if _is_made_of(each, _LENIENT)]
    if has_middleware() or not lenient:
        return []
    message = f"{lenient[0]} lets in people whom SCIM deactivated."
    return [Warning(message, hint=_HINT, id="scim_provider.W051")]


def check_middleware_order(**kwargs: Any) -> list[CheckMessage]:
    """Who the user is has to be known before anybody can be made nobody."""
    stack: Sequence[str] = settings.MIDDLEWARE
    ours = next(filter(_is_ours, stack), None)
    if ours is None:
        return []
    if _DJANGOS not in stack or stack.index(_DJANGOS) < stack.index(ours):
        return []  # a site's own middleware may do for Django's
    return [Error(f"{ours} stands too early.", hint=_HINT, id="scim_provider.E052")]


def has_middleware() -> bool:
    """Whether the site has our middleware, or one of its own that is made of it."""
    return any(map(_is_ours, settings.MIDDLEWARE))


def _is_ours(dotted: str) -> bool:
    return _is_made_of(dotted, LockoutMiddleware)


def _keeps_sessions_in_cookies() -> bool:
    try:
        return is_signed_cookie(import_module(settings.SESSION_ENGINE).SessionStore())
    except ImportError:
        return False  # Django says so


def _is_made_of(dotted: str, base: type | tuple[type, ...]) -> bool:
    try:
        return issubclass(import_string(dotted), base)
    except (ImportError, TypeError):
        return False  # Django says so
