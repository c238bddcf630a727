from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What ``proxy_pass http://site/`` at ``location /app/`` does."""
    assert environ["PATH_INFO"].startswith("/app/"), environ["PATH_INFO"]
    environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/app")
    return django_application(environ, start_response)
