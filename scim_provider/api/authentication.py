"""The access key in the Authorization header (RFC 7644 §2, RFC 6750)."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from scim_provider import keys
from scim_provider.conf import scim_settings
from scim_provider.models import AccessKey, Connection
from scim_provider.protocol.credentials import candidate, describe
from scim_provider.protocol.errors import Unauthorized
from scim_provider.signals import authentication_failed, send_now

CHALLENGE = 'Bearer realm="SCIM"'


class AccessKeyAuthentication(BaseAuthentication):
    """Sets ``request.auth`` to the key and ``request.connection`` to its connection.

    Raises :class:`Unauthorized`, whose detail says what is wrong with the header. A key is no
    person: ``request.user`` is anonymous.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, AccessKey | None]:
        key = _key(request)
        request.connection = key.connection  # type: ignore[attr-defined]
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class DiscoveryAuthentication(AccessKeyAuthentication):
    """Lets everybody read where discovery is public; a wrong key is refused all the same."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, AccessKey | None]:
        if scim_settings.public_discovery and not _header(request):
            return AnonymousUser(), None
        return super().authenticate(request)


def _header(request: Request) -> str:
    """The header's value, of which WSGI makes Latin-1 where a paste brought UTF-8."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "").strip()
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _key(request: Request) -> AccessKey:
    header = _header(request)
    prefixes = [scim_settings.access_key_prefix]
    secret = candidate(header, prefixes)
    if secret is None:
        raise _refusal(request, describe(header, prefixes), sent=bool(header))
    key = keys.find(secret)
    if key is None:
        unknown = "This access key is not known here. Create one on the security page."
        raise _refusal(request, unknown)
    if reason := keys.refusal(key):
        raise _refusal(request, reason, connection=key.connection)
    return key


def _refusal(
    request: Request, detail: str, *, sent: bool = True, connection: Connection | None = None
) -> Unauthorized:
    send_now(authentication_failed, connection, request=request._request, detail=detail)
    challenge = f'{CHALLENGE}, error="invalid_token"' if sent else CHALLENGE
    return Unauthorized(detail, headers={"WWW-Authenticate": challenge})
