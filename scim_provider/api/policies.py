"""Every policy of Django REST framework, spelt out, so that a host's settings bend nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

from django.db import DatabaseError
from django.utils.encoding import escape_uri_path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from scim_provider import keys
from scim_provider.connections import base_url, record_request
from scim_provider.models import AccessKey, Connection
from scim_provider.mounts import view_kwargs
from scim_provider.protocol.errors import MethodNotAllowed, Unauthorized
from scim_provider.resources import Context
from scim_provider.routers import primary
from scim_provider.signals import request_finished, send_now

from .authentication import AccessKeyAuthentication
from .exceptions import exception_handler
from .negotiation import JSONParser, JSONRenderer, ScimNegotiation, ScimParser, ScimRenderer
from .permissions import ProvisioningAllowed
from .throttling import ConnectionThrottle, RefusedKeyThrottle

logger = logging.getLogger("scim_provider")


class ScimPolicies(APIView):
    """What all SCIM views share."""

    authentication_classes = [AccessKeyAuthentication]
    permission_classes = [ProvisioningAllowed]
    throttle_classes = [ConnectionThrottle]
    renderer_classes = [ScimRenderer, JSONRenderer]
    parser_classes = [ScimParser, JSONParser]
    content_negotiation_class = ScimNegotiation
    metadata_class = None
    versioning_class = None
    schema = None

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return exception_handler

    def get_format_suffix(self, **kwargs: Any) -> None:
        return None

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"Cache-Control": "private, no-cache"}

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """What the mount's own URL captures is nothing for the views."""
        with primary():
            return super().dispatch(request, **view_kwargs(kwargs))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Whatever charset the Content-Type names: query and body are UTF-8 (RFC 7644 §3.8).
        request._request.encoding = "utf-8"
        super().initial(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except Unauthorized:
            throttle = RefusedKeyThrottle()
            if not throttle.allow_request(request, self):
                self.throttled(request, throttle.wait())
            raise

    def options(  # type: ignore[override]
        self, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def http_method_not_allowed(  # type: ignore[override]
        self, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        allowed = ", ".join(self.allowed_methods)
        raise MethodNotAllowed(
            f"This endpoint takes {allowed}, not {request.method}.", headers={"Allow": allowed}
        )

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Vary"] = "Accept, Authorization"
        connection = getattr(request, "connection", None)
        if connection is not None:
            _record(request, connection, final)
            _tell(request, connection, final)
        final.add_post_render_callback(_let_go)
        return final

    @property
    def context(self) -> Context:
        """Who asks, and how URLs are made."""
        key = cast(AccessKey, self.request.auth)
        return Context(key.connection, base_url(self.request._request))


def _let_go(response: Any) -> None:
    """Part an answer from its document once it is bytes, and the view from all that it knows.

    Response, view with its actions, request and their contexts refer to each other: a group of
    100,000 members would stay until the garbage collector next looks at what is old.
    """
    view = response.renderer_context.get("view")
    if view is not None:
        view.request.parser_context.clear()
        vars(view).clear()
    response.renderer_context = {}
    response.data = None


def _tell(request: Request, connection: Connection, response: Response) -> None:
    if request_finished.has_listeners(Connection):
        what = {"status": response.status_code, "detail": _detail(response)}
        send_now(request_finished, connection, request=request._request, **what)


def _detail(response: Response) -> str:
    """Why a request was refused, "" where it was not."""
    return str(response.data.get("detail", "")) if response.status_code >= 400 else ""


def _record(request: Request, connection: Connection, response: Response) -> None:
    """Note the request for the settings page; a failure to do so is nobody's problem."""
    client = request.META.get("HTTP_USER_AGENT", "")
    try:
        keys.touch(cast(AccessKey, request.auth), client)
        record_request(
            connection,
            method=request.method or "",
            path=escape_uri_path(request.path),
            status=response.status_code,
            client=client,
            detail=_detail(response),
        )
    except (DatabaseError, ValueError):  # A driver refuses NUL with either.
        logger.exception("A SCIM request could not be recorded")
