from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.core.exceptions import MiddlewareNotUsed
from django.db import connection
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]

STRICT_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)


class StrictContentSecurityPolicyMiddleware:
    """Sends the strictest policy with every HTML page but Django's admin.

    Django has a middleware of its own for this since 6.0; the example also runs on 5.2.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and not request.path_info.startswith("/admin/"):
            response.headers.setdefault("Content-Security-Policy", STRICT_POLICY)
        return response


class SqlCountMiddleware:
    """With SCIM_COUNT_SQL=1 every SCIM response says how many statements it took."""

    def __init__(self, get_response: GetResponse) -> None:
        if os.environ.get("SCIM_COUNT_SQL") != "1":
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/scim/"):
            return self.get_response(request)
        counter = StatementCounter()
        with connection.execute_wrapper(counter):
            response = self.get_response(request)
        response.headers["X-SQL-Count"] = str(counter.statements)
        return response


class StatementCounter:
    """A database wrapper that counts what passes through it."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self.statements += 1
        return execute(sql, params, many, context)
