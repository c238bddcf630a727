"""Every exception as a SCIM Error message (RFC 7644 §3.12)."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from scim_provider.protocol import errors

from .authentication import CHALLENGE

logger = logging.getLogger("scim_provider")

RETRY_AFTER_SECONDS = 5

#: The first row that fits decides.
_TRANSLATIONS: tuple[tuple[type[Exception], Callable[[Any], errors.ScimError]], ...] = (
    (errors.ScimError, lambda exc: exc),
    (drf.NotAuthenticated, lambda exc: errors.Unauthorized()),
    (drf.AuthenticationFailed, lambda exc: errors.Unauthorized(_detail(exc))),
    (drf.PermissionDenied, lambda exc: errors.Forbidden(_detail(exc))),
    (drf.NotFound, lambda exc: errors.NotFound(_detail(exc))),
    (drf.MethodNotAllowed, lambda exc: errors.MethodNotAllowed(_detail(exc))),
    (drf.NotAcceptable, lambda exc: errors.NotAcceptable(_detail(exc))),
    (drf.UnsupportedMediaType, lambda exc: errors.UnsupportedMediaType()),
    (drf.Throttled, lambda exc: _too_many_requests(exc)),
    (drf.ParseError, lambda exc: errors.InvalidSyntax(_detail(exc))),
    (drf.ValidationError, lambda exc: errors.InvalidValue(_detail(exc))),
    (Http404, lambda exc: errors.NotFound()),
    (PermissionDenied, lambda exc: errors.Forbidden(str(exc))),
    (RequestDataTooBig, lambda exc: errors.PayloadTooLarge("The body is too long.")),
    (SuspiciousOperation, lambda exc: errors.ScimError("The request was refused as malformed.")),
    (BadRequest, lambda exc: errors.ScimError(str(exc))),
    (UnreadablePostError, lambda exc: errors.InvalidSyntax("The body broke off.")),
    (ValidationError, lambda exc: errors.InvalidValue(" ".join(exc.messages))),
    (IntegrityError, lambda exc: errors.Conflict("The change contradicts other data. Retry it.")),
    (DataError, lambda exc: errors.InvalidValue("A value is too long or out of range.")),
    (OperationalError, lambda exc: _unavailable(exc)),
    (InterfaceError, lambda exc: _unavailable(exc)),
    (UnicodeError, lambda exc: errors.InvalidValue("A value contains bytes that are no text.")),
    (OverflowError, lambda exc: errors.InvalidValue("A number is out of range.")),
    (RecursionError, lambda exc: errors.InvalidSyntax("The request is nested too deeply.")),
)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """The answer for ``exc``; what has no row in the table is logged and answered with 500."""
    error = scim_error(exc, context.get("view"))
    headers = dict(error.headers)
    if error.status == 401:
        headers.setdefault("WWW-Authenticate", CHALLENGE)
    return Response(error.as_document(), status=error.status, headers=headers)


def scim_error(exc: Exception, view: Any) -> errors.ScimError:
    """What to answer for ``exc``; what has no row in the table is logged and reported."""
    return _translated(exc) or _internal_error(exc, view)


def _translated(exc: Exception) -> errors.ScimError | None:
    for class_, translate in _TRANSLATIONS:
        if isinstance(exc, class_):
            return translate(exc)
    return None


def _internal_error(exc: Exception, view: Any) -> errors.ScimError:
    """Tell the log, and the site's error reporting, which listens to Django's signal."""
    request = getattr(view, "request", None)
    logger.error("Unexpected %s in %s", type(exc).__name__, type(view).__name__, exc_info=exc)
    got_request_exception.send(sender=type(view), request=getattr(request, "_request", None))
    return errors.InternalError()


def _unavailable(exc: Exception) -> errors.ScimError:
    """A deadlock, a lock not gained in time, a database that is gone: worth a retry."""
    logger.error("The database refused a SCIM request", exc_info=exc)
    return errors.Unavailable(headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _too_many_requests(exc: drf.Throttled) -> errors.ScimError:
    seconds: float | None = getattr(exc, "wait", None)
    wait = RETRY_AFTER_SECONDS if seconds is None else math.ceil(seconds)
    return errors.TooManyRequests(
        f"Too many requests. Retry after {wait} seconds.", headers={"Retry-After": str(wait)}
    )


def _detail(exc: drf.APIException) -> str:
    return exc.detail if isinstance(exc.detail, str) else str(exc.default_detail)
