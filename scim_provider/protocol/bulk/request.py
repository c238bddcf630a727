"""The BulkRequest and BulkResponse messages (RFC 7644 §3.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from scim_provider.protocol.errors import InvalidSyntax, PayloadTooLarge, ScimError
from scim_provider.protocol.messages import require_schema
from scim_provider.protocol.patch.parser import PATCH_URN

from .references import find_references, reference_in

BULK_REQUEST_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE_URN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"

METHODS = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, kw_only=True, eq=False)
class BulkOperation:
    """One operation as it was sent; ``error`` is set where it cannot even be tried.

    ``endpoint`` starts with a slash; ``scim_id`` may be a reference, and is "" for a POST.
    ``references`` are all the bulkIds that the operation needs.
    """

    index: int
    method: str = ""
    bulk_id: str = ""
    endpoint: str = ""
    scim_id: str = ""
    data: Any = None
    version: str | None = None
    references: frozenset[str] = frozenset()
    error: ScimError | None = None

    @property
    def creates(self) -> str:
        """The bulkId of what the operation creates, "" where it creates nothing."""
        return self.bulk_id if self.method == "POST" else ""


@dataclass(frozen=True)
class BulkRequest:
    """``fail_on_errors`` is None where every operation is to be tried."""

    operations: tuple[BulkOperation, ...]
    base_url: str
    fail_on_errors: int | None = None


def read_bulk_request(body: dict[str, Any], *, base_url: str, max_operations: int) -> BulkRequest:
    """Read a BulkRequest, its keys in any case; ``base_url`` may stand before a path.

    Raises :class:`PayloadTooLarge` before any operation is looked at, and
    :class:`InvalidSyntax` for what is wrong with the message as a whole. What is wrong with
    one operation is that operation's ``error``.
    """
    members = {name.lower(): value for name, value in body.items()}
    require_schema(members.get("schemas"), BULK_REQUEST_URN)
    sent = members.get("operations")
    if not isinstance(sent, list) or not sent:
        raise InvalidSyntax("'Operations' must be a list of one or more operations.")
    if len(sent) > max_operations:
        raise PayloadTooLarge(
            f"There are {len(sent)} operations in the request. Send at most {max_operations} "
            "(maxOperations) at a time."
        )
    fail_on_errors = _fail_on_errors(members.get("failonerrors"))
    operations = tuple(_read(index, plain, base_url) for index, plain in enumerate(sent))
    _refuse_doubles(operations)
    return BulkRequest(operations, base_url, fail_on_errors)


def bulk_response(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The BulkResponse message around the results of operations."""
    return {"schemas": [BULK_RESPONSE_URN], "Operations": results}


def _fail_on_errors(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 0:
        raise InvalidSyntax("'failOnErrors' takes a whole number; leave it out to try everything.")
    return value or None


def _refuse_doubles(operations: Sequence[BulkOperation]) -> None:
    seen: set[str] = set()
    for bulk_id in filter(None, (operation.creates for operation in operations)):
        if bulk_id in seen:
            raise InvalidSyntax(f"Two POSTs have the bulkId {bulk_id[:80]!r}. Give each its own.")
        seen.add(bulk_id)


def _read(index: int, plain: object, base_url: str) -> BulkOperation:
    if not isinstance(plain, dict):
        error = InvalidSyntax("Each of 'Operations' is an object with 'method' and 'path'.")
        return BulkOperation(index=index, error=error)
    members = {name.lower(): value for name, value in plain.items()}
    operation = BulkOperation(
        index=index,
        method=_text(members, "method").upper(),
        bulk_id=_text(members, "bulkId"),
    )
    try:
        return _complete(operation, members, base_url)
    except ScimError as error:
        return replace(operation, error=error)


def _complete(operation: BulkOperation, members: dict[str, Any], base_url: str) -> BulkOperation:
    method = operation.method
    if method not in METHODS:
        raise InvalidSyntax(f"'method' must be one of {', '.join(METHODS)}.")
    if method == "POST" and not operation.bulk_id:
        raise InvalidSyntax("A POST needs a 'bulkId', a text of its own within the request.")
    if not isinstance(members.get("version", ""), str | None):
        raise InvalidSyntax("'version' must be text: the version as it was answered.")
    endpoint, scim_id = _place(members.get("path"), method, base_url)
    data = None if method == "DELETE" else _data(members.get("data"), method)
    of_path = reference_in(scim_id)
    return replace(
        operation,
        endpoint=endpoint,
        scim_id=scim_id,
        data=data,
        version=members.get("version"),
        references=find_references(data) | (set() if of_path is None else {of_path}),
    )


def _place(path: object, method: str, base_url: str) -> tuple[str, str]:
    """Endpoint and id of a path, with or without the base URL and the slash before it."""
    relative = path.removeprefix(base_url).strip("/") if isinstance(path, str) else ""
    endpoint, _, scim_id = relative.partition("/")
    if not endpoint or endpoint.lower() in ("http:", "https:"):
        raise InvalidSyntax("'path' must be a path below the base URL, such as /Users/2819c223.")
    if method == "POST" and scim_id:
        raise InvalidSyntax(f"The 'path' of a POST is an endpoint: /{endpoint[:80]}.")
    if method != "POST" and not scim_id:
        raise InvalidSyntax(f"The 'path' of a {method} names a resource: /{endpoint[:80]}/id.")
    if reference_in(scim_id) is None:
        scim_id = unquote(scim_id)
    return f"/{endpoint}", scim_id.lstrip("/")


def _data(data: object, method: str) -> Any:
    """The data; a PATCH may come as its operations alone, as in RFC 7644's own example."""
    if method == "PATCH" and isinstance(data, list):
        return {"schemas": [PATCH_URN], "Operations": data}
    if not isinstance(data, dict):
        raise InvalidSyntax(f"A {method} needs 'data', an object: what it would send by itself.")
    return data


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name.lower())
    return value if isinstance(value, str) else ""
