"""A SCIM client over Django's test client."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

MOUNT = "/scim/v2"


class ScimClient:
    """A SCIM client of one connection over Django's test client.

    Paths are relative to the base URL; keyword arguments of ``get`` are query parameters.
    Answers are Django's, with ``.json()``.
    """

    def __init__(self, key: str = "", client: Client | None = None, mount: str = MOUNT) -> None:
        self.key, self.mount = key, mount
        self.client = client or Client()

    def get(self, path: str, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self._send("GET", path, query=query, headers=headers)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self._send("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return self._send("PUT", path, body, **options)

    def patch(self, path: str, *operations: dict[str, Any], **options: Any) -> Any:
        """Send the operations in a PatchOp message, or ``body=`` as it is."""
        body = options.pop("body", None) or {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": list(operations),
        }
        return self._send("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self._send("DELETE", path, **options)

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> HttpResponse:
        sent = {"Accept": "application/scim+json"}
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        sent |= headers or {}
        return self.client.generic(
            method,
            self.mount + path,
            data="" if body is None else body if isinstance(body, str) else json.dumps(body),
            content_type="application/scim+json",
            query_params=query or None,
            headers=sent,
        )
