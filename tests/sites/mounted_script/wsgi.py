from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What PEP 3333 asks of a server for an application that is mounted below its root."""
    assert environ["PATH_INFO"].startswith("/app/"), environ["PATH_INFO"]
    environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/app")
    environ["SCRIPT_NAME"] = "/app"
    return django_application(environ, start_response)
