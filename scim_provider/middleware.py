"""Middleware for whoever was locked out: closes what is left open by the session store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from .login_sessions import is_older_than
from .models import Lockout


class LockoutMiddleware(MiddlewareMixin):
    """Makes nobody of an account that SCIM locked out, and of sessions from before.

    Needed where sessions are in signed cookies, and where a backend lets inactive accounts in;
    elsewhere it covers sessions that were not noted at log-in. Stands behind Django's
    ``AuthenticationMiddleware``. One query for a request that asks who the user is, none else.
    """

    def process_request(self, request: Any) -> None:
        if not hasattr(request, "user"):
            raise ImproperlyConfigured(
                "scim_provider.middleware.LockoutMiddleware must stand in MIDDLEWARE behind "
                "django.contrib.auth.middleware.AuthenticationMiddleware."
            )
        request.user = SimpleLazyObject(partial(_present, request, request.user))
        if hasattr(request, "auser"):
            request.auser = partial(_apresent, request, request.auser)


def _present(request: Any, user: Any) -> Any:
    """``user``, or nobody where the account or the session is locked out."""
    if not user.is_authenticated or not _is_void(request, user):
        return user
    if hasattr(request, "session"):
        request.session.flush()
    request._cached_user = request._acached_user = AnonymousUser()
    return request._cached_user


async def _apresent(request: Any, known: Callable[[], Awaitable[Any]]) -> Any:
    return await sync_to_async(_present)(request, await known())


def _is_void(request: HttpRequest, user: Any) -> bool:
    lockout = Lockout.objects.filter(account=user.pk).values_list("mark", "lifted_at").first()
    if lockout is None:
        return False
    mark, lifted_at = lockout
    return (lifted_at is None and not user.is_active) or is_older_than(request, mark)
