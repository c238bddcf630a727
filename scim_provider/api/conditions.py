"""Entity tags in headers: ETag, If-Match, If-None-Match (RFC 7644 §3.14)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from scim_provider.protocol.messages import Precondition
from scim_provider.resources import Representation


def precondition(request: Request) -> Precondition:
    """What If-Match and If-None-Match of the request ask for."""
    return Precondition.parse(
        request.META.get("HTTP_IF_MATCH"), request.META.get("HTTP_IF_NONE_MATCH")
    )


def not_modified(request: Request, representation: Representation) -> Response | None:
    """A 304 for a reader who has that version already, else None."""
    if not precondition(request).is_cached(representation.version):
        return None
    return Response(status=304, headers=resource_headers(representation))


def resource_headers(representation: Representation) -> dict[str, str]:
    """Location and ETag: what ``meta.location`` and ``meta.version`` say too."""
    return {
        "Location": representation.location,
        "Content-Location": representation.location,
        "ETag": representation.version,
    }
