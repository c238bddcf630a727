"""The site's WSGI application called directly: what a server would hand it, without the server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPMessage
from io import BytesIO
from typing import Any
from urllib.parse import SplitResult, unquote_to_bytes

from django.core.servers.basehttp import get_internal_wsgi_application

from tests.idp.replay import Transport

Headers = Mapping[str, bytes]


def into_application() -> Transport:
    """A transport of transcripts into ``WSGI_APPLICATION`` of the settings."""
    application: Callable[..., Iterable[bytes]] = get_internal_wsgi_application()

    def send(
        method: str, url: SplitResult, headers: Headers, content: bytes | None
    ) -> tuple[int, HTTPMessage, bytes]:
        started: list[Any] = []
        chunks = application(
            environ(method, url, headers, content), lambda *answer: started.extend(answer)
        )
        body = b"".join(chunks)
        close = getattr(chunks, "close", None)
        if close:
            close()  # Django closes its connections and sends request_finished here
        answered = HTTPMessage()
        for name, value in started[1]:
            answered[name] = value
        return int(started[0].split()[0]), answered, body

    return send


def environ(
    method: str, url: SplitResult, headers: Headers, content: bytes | None
) -> dict[str, Any]:
    """The WSGI environ of one request (PEP 3333)."""
    made: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": url.netloc,
        "CONTENT_LENGTH": str(len(content or b"")),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": BytesIO(content or b""),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        made[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value.decode("latin-1")
    return made
