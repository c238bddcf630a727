"""Our endpoints in this process, without network."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponseBase
from django.test import RequestFactory

from .client import Request
from .population import Site


def answer(site: Site, request: Request) -> dict[str, Any]:
    """The document that is answered."""
    document: dict[str, Any] = json.loads(respond(WSGIHandler(), environ(site, request)).content)
    return document


def respond(handler: WSGIHandler, *environments: dict[str, Any]) -> Any:
    """The last answer. Raises ``RuntimeError`` for one that is no success."""
    response: HttpResponseBase | None = None
    for each in environments:
        response = handler.get_response(WSGIRequest(each))
        if response.status_code >= 300:
            raise RuntimeError(f"{each['PATH_INFO']} was answered {response.status_code}")
    return response


def environ(site: Site, request: Request) -> dict[str, Any]:
    """What a WSGI server would make of the request."""
    made = RequestFactory(SERVER_NAME="127.0.0.1").generic(
        request.method,
        request.path,
        request.body,
        "application/scim+json",
        headers={"authorization": f"Bearer {site.key}", "accept": "application/scim+json"},
    )
    return made.environ | {"wsgi.input": BytesIO(request.body)}
