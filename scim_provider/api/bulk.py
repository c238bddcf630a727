"""``/Bulk``: many operations in one request (RFC 7644 §3.7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rest_framework.request import Request
from rest_framework.response import Response

from scim_provider.conf import scim_settings
from scim_provider.models import new_scim_id
from scim_provider.protocol.bulk import Success, bulk_response, execute, read_bulk_request
from scim_provider.protocol.errors import MethodNotAllowed, ScimError
from scim_provider.protocol.messages import Precondition
from scim_provider.protocol.projection import Projection
from scim_provider.resources import Representation, ResourceType, atomically

from .exceptions import scim_error
from .negotiation import read_document
from .policies import ScimPolicies
from .viewsets import resource_type_at

T = TypeVar("T")

#: What a method does, as ``ResourceType.methods`` calls it.
_ACTIONS = {"POST": "create", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}


class BulkView(ScimPolicies):
    """POST only. Who asks is checked once, and each operation is a transaction of its own."""

    def post(self, request: Request) -> Response:
        bulk = read_bulk_request(
            read_document(request),
            base_url=self.context.base_url,
            max_operations=scim_settings.bulk_max_operations,
        )
        return Response(bulk_response(execute(bulk, _Resources(self))))


class _Resources:
    """The operations on resources, for :func:`~scim_provider.protocol.bulk.execute`.

    Results hold no resources, so none is read for them.
    """

    def __init__(self, view: BulkView) -> None:
        self.view, self.context = view, view.context

    def new_id(self) -> str:
        return new_scim_id()

    def create_many(
        self, endpoint: str, bodies: Sequence[Any], ids: Sequence[str] | None
    ) -> list[Success | ScimError]:
        resource_type = _taking("POST", endpoint)
        return [
            made if isinstance(made, ScimError) else _success(201, made)
            for made in resource_type.create_many(self.context, bodies, scim_ids=ids)
        ]

    def perform(
        self, method: str, endpoint: str, scim_id: str, data: Any, version: str | None
    ) -> Success:
        resource_type = _taking(method, endpoint)
        projection = Projection.parse(["id"], [], resource_type.resource_schema)
        condition = Precondition.parse(version)
        if method == "POST":
            return _success(201, resource_type.create(self.context, data, projection))
        if method == "DELETE":
            resource_type.delete(self.context, scim_id, condition)
            return Success(204, scim_id, self.context.location(endpoint, scim_id))
        change = resource_type.replace if method == "PUT" else resource_type.patch
        return _success(200, change(self.context, scim_id, data, projection, condition))

    def atomically(self, operation: Callable[[], T]) -> T:
        return atomically(operation)

    def error(self, exc: Exception) -> ScimError:
        return scim_error(exc, self.view)


def _taking(method: str, endpoint: str) -> ResourceType:
    """The resource type at ``endpoint``. Raises 404 where there is none, 405 for the method."""
    resource_type = resource_type_at(endpoint)
    if _ACTIONS[method] not in resource_type.methods:
        raise MethodNotAllowed(f"Resources at {endpoint} do not take {method}.")
    return resource_type


def _success(status: int, representation: Representation) -> Success:
    scim_id = representation.location.rpartition("/")[2]
    return Success(status, scim_id, representation.location, representation.version)
