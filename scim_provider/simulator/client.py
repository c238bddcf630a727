"""HTTP for the simulator: one kept-alive connection, TLS verified, no redirects followed."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

MOST_BYTES = 20_000_000

_STALE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class BadSetting(ValueError):
    """A base URL or header that cannot be one; the text says what to type instead."""


class Unreachable(OSError):
    """No HTTP answer; the text says why and what to check."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `document` is None when the body is no JSON."""

    status: int
    reason: str
    headers: Mapping[str, str]
    text: str
    ms: float
    document: Any = field(default=None)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def error_detail(self) -> str:
        """The `detail` of a SCIM error (RFC 7644 §3.12), or nothing."""
        detail = self.document.get("detail") if isinstance(self.document, dict) else None
        return detail if isinstance(detail, str) else ""


def parse_base_url(text: str) -> SplitResult:
    """The base URL without its last slash; raises `BadSetting`."""
    try:
        url = urlsplit(text.strip())
        url.port  # noqa: B018 -- raises ValueError for a port that is no number
    except ValueError as error:
        raise BadSetting(f"{text!r} is not a URL: {error}.") from None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise BadSetting(f"{text!r} is not a URL: write it whole, as https://host/scim/v2.")
    if url.username or url.password:
        raise BadSetting("Take the name and password out of the base URL: use --authorization.")
    if url.query or url.fragment:
        raise BadSetting(f"{text!r} must end with its path: leave out everything from ? or # on.")
    if not url.geturl().isascii() or any(character <= " " for character in url.geturl()):
        raise BadSetting(f"{text!r} has characters that a URL cannot have: percent-encode them.")
    return url._replace(path=url.path.rstrip("/"))


class Client:
    """Sends requests below a base URL, each with the same Authorization header.

    Raises `BadSetting` for settings that cannot be sent.
    """

    def __init__(self, base_url: str, authorization: str, *, timeout: float = 30) -> None:
        if not authorization.strip() or not authorization.isprintable():
            raise BadSetting("The access key is empty or has a line break in it: copy it again.")
        self._url = parse_base_url(base_url)
        self._authorization = authorization
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    @property
    def base_url(self) -> str:
        return self._url.geturl()

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str | None], body: Any = None
    ) -> Answer:
        """The answer to one request; raises `Unreachable`. A header that is None is not sent."""
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        every = {"Authorization": self._authorization, **headers}
        encoded = {name: value.encode() for name, value in every.items() if value is not None}
        start = time.perf_counter()
        try:
            response, data = self._exchange(method, self._url.path + path, content, encoded)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(self._why(error)) from error
        except KeyboardInterrupt:
            # The connection is in the middle of an exchange: the clean up needs a new one.
            self.close()
            raise
        return _answer(response, data, (time.perf_counter() - start) * 1000)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(
        self, method: str, target: str, content: bytes | None, headers: Mapping[str, bytes]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        kept = self._connection is not None
        try:
            return self._attempt(method, target, content, headers)
        except _STALE:
            # A server may close an idle connection just as we write to it.
            if not kept:
                raise
            self.close()
            return self._attempt(method, target, content, headers)

    def _attempt(
        self, method: str, target: str, content: bytes | None, headers: Mapping[str, bytes]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request(method, target, body=content, headers=headers)
        response = self._connection.getresponse()
        data = response.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise http.client.HTTPException(f"the answer is longer than {MOST_BYTES} bytes")
        return response, data

    def _connect(self) -> http.client.HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, self._url.port, timeout=self._timeout)
        return http.client.HTTPSConnection(
            host, self._url.port, timeout=self._timeout, context=ssl.create_default_context()
        )

    def _why(self, error: Exception) -> str:
        where = self._url.netloc
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"The TLS certificate of {where} is not trusted ({error.verify_message}). "
                "Identity providers refuse it too: install one from a public authority."
            )
        if isinstance(error, ssl.SSLError):
            return f"{where} does not speak TLS as expected: is the base URL http, not https?"
        if isinstance(error, TimeoutError):
            return f"{where} did not answer within {self._timeout:g} seconds."
        if isinstance(error, ConnectionRefusedError):
            return f"Nothing listens at {where}: is the service running, and the port right?"
        return f"No HTTP answer from {where}: {error or type(error).__name__}."


def _answer(response: http.client.HTTPResponse, data: bytes, ms: float) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    text = _decompress(data, headers.get("content-encoding", "")).decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    return Answer(response.status, response.reason, headers, text, ms, document)


def _decompress(data: bytes, encoding: str) -> bytes:
    if encoding not in ("gzip", "deflate"):
        return data
    try:
        either_header = zlib.MAX_WBITS | 32
        return zlib.decompressobj(either_header).decompress(data, MOST_BYTES)
    except zlib.error:
        return data
