"""A load driver that costs less than the server: a socket, ready bytes, keep-alive."""

from __future__ import annotations

import socket
from typing import NamedTuple

_LONGEST_WAIT = 300


class Request(NamedTuple):
    method: str
    path: str
    body: bytes = b""


class Answer(NamedTuple):
    status: int
    body: bytes


class Client:
    """One kept-alive connection."""

    def __init__(self, address: tuple[str, int], key: str) -> None:
        self._address = address
        self._headers = (
            f"Host: {address[0]}:{address[1]}\r\nAuthorization: Bearer {key}\r\n"
            "Accept: application/scim+json\r\nContent-Type: application/scim+json\r\n"
            "User-Agent: benchmark\r\n"
        )
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(self._address, timeout=_LONGEST_WAIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def close(self) -> None:
        self._socket.close()

    def ready(self, request: Request) -> bytes:
        """The bytes of the request, made before the clock runs."""
        length = f"Content-Length: {len(request.body)}\r\n" if request.body else ""
        head = f"{request.method} {request.path} HTTP/1.1\r\n{self._headers}{length}\r\n"
        return head.encode() + request.body

    def send(self, ready: bytes) -> Answer:
        self._socket.sendall(ready)
        head = self._until(b"\r\n\r\n")
        status = int(head[9:12])
        lowered = head.lower()
        if b"\r\ntransfer-encoding: chunked" in lowered:
            body = self._chunks()
        else:
            _, found, rest = lowered.partition(b"\r\ncontent-length:")
            body = self._exactly(int(rest.split(b"\r\n", 1)[0]) if found else 0)
        if b"\r\nconnection: close" in lowered:
            self.close()
            self._connect()
        return Answer(status, body)

    def _receive(self) -> None:
        more = self._socket.recv(1 << 18)
        if not more:
            raise ConnectionError("The server closed the connection.")
        self._rest += more

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._receive()
        found, _, self._rest = self._rest.partition(mark)
        return found + b"\r\n"

    def _exactly(self, length: int) -> bytes:
        while len(self._rest) < length:
            self._receive()
        found, self._rest = self._rest[:length], self._rest[length:]
        return found

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._until(b"\r\n"), 16):
            parts.append(self._exactly(size))
            self._until(b"\r\n")
        self._until(b"\r\n")
        return b"".join(parts)
