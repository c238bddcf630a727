"""The endpoints of resources: one viewset for every resource type, and the root."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from scim_provider.conf import scim_settings
from scim_provider.protocol.errors import InvalidVersion, NotFound, NotSupported
from scim_provider.protocol.messages import ListQuery, attribute_names, list_response
from scim_provider.protocol.projection import Projection, Window
from scim_provider.resources import Page, Representation, ResourceType, query_all, resource_types

from .conditions import not_modified, precondition, resource_headers
from .negotiation import read_document
from .policies import ScimPolicies

#: What an action needs among ``ResourceType.methods``.
_CHANGES = {
    "create": "create",
    "update": "replace",
    "partial_update": "patch",
    "destroy": "delete",
}


class ResourceViewSet(ScimPolicies, ViewSet):
    """The resources of the type whose endpoint the URL names.

    The types are looked up with each request, so that settings decide and not the import.
    """

    resource_type: ResourceType

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.resource_type = resource_type_at(f"/{kwargs['endpoint']}")
        if "\x00" in kwargs.get("scim_id", ""):
            raise NotFound  # Not every database can even be asked.
        if request.method != "OPTIONS" and request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)

    @property
    def allowed_methods(self) -> list[str]:
        """The methods of the URL less those that the resource type does not take."""
        refused = {
            method.upper()
            for method, action in self.action_map.items()
            if action in _CHANGES and _CHANGES[action] not in self.resource_type.methods
        }
        return [method for method in super().allowed_methods if method not in refused]

    def list(self, request: Request, endpoint: str) -> Response:
        return self._page(ListQuery.from_parameters(_parameters(request)))

    def search(self, request: Request, endpoint: str) -> Response:
        return self._page(ListQuery.from_search_request(read_document(request)))

    def create(self, request: Request, endpoint: str) -> Response:
        created = self.resource_type.create(
            self.context, read_document(request), self._projection()
        )
        return _single(created, status=201)

    def retrieve(self, request: Request, endpoint: str, scim_id: str) -> Response:
        projection = self._projection()
        if window := _window(request):
            projection = replace(projection, members=window)
        found = self.resource_type.retrieve(self.context, scim_id, projection)
        return not_modified(request, found) or _single(found)

    def update(self, request: Request, endpoint: str, scim_id: str) -> Response:
        body, projection = read_document(request), self._projection()
        return _single(
            self.resource_type.replace(
                self.context, scim_id, body, projection, precondition(request)
            )
        )

    def partial_update(self, request: Request, endpoint: str, scim_id: str) -> Response:
        body, projection = read_document(request), self._projection()
        changed = self.resource_type.patch(
            self.context, scim_id, body, projection, precondition(request)
        )
        return _single(changed, status=204 if changed.document is None else 200)

    def destroy(self, request: Request, endpoint: str, scim_id: str) -> Response:
        self.resource_type.delete(self.context, scim_id, precondition(request))
        return Response(status=204)

    def _page(self, query: ListQuery) -> Response:
        return _list(self.resource_type.query(self.context, _limited(query)))

    def _projection(self) -> Projection:
        if not self.request.query_params:
            return self.resource_type.everything
        parameters = {name.lower(): value for name, value in _parameters(self.request).items()}
        return Projection.parse(
            attribute_names(parameters, "attributes"),
            attribute_names(parameters, "excludedAttributes"),
            self.resource_type.resource_schema,
        )


class RootViewSet(ScimPolicies, ViewSet):
    """Queries over all resource types at once (RFC 7644 §3.4.2.1)."""

    def list(self, request: Request) -> Response:
        return self._page(ListQuery.from_parameters(_parameters(request)))

    def search(self, request: Request) -> Response:
        return self._page(ListQuery.from_search_request(read_document(request)))

    def _page(self, query: ListQuery) -> Response:
        return _list(query_all(self.context, _limited(query)))


class UnsupportedView(ScimPolicies):
    """``/Me``: an optional endpoint that is not offered (RFC 7644 §3.11)."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotSupported(
            f"/{kwargs['endpoint']} is not supported. Send one request per resource, to its own "
            "endpoint."
        )


class UnknownEndpointView(ScimPolicies):
    """Everything else under the base URL: a SCIM 404 and not the site's page."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if version := kwargs.get("protocol_version"):
            raise InvalidVersion(
                f"Version {version[:20]} of the protocol is not served. Use the base URL alone, "
                "which speaks SCIM 2.0."
            )
        raise _no_such_endpoint()


def resource_type_at(endpoint: str) -> ResourceType:
    """The resource type at ``endpoint``, such as "/Users". Raises :class:`NotFound`."""
    for resource_type in resource_types():
        if resource_type.endpoint == endpoint:
            return resource_type
    raise _no_such_endpoint()


def _no_such_endpoint() -> NotFound:
    endpoints = ", ".join(resource_type.endpoint for resource_type in resource_types())
    return NotFound(
        f"There is no such endpoint. Resources are at {endpoints}; upper and lower case differ."
    )


def _parameters(request: Request) -> dict[str, str]:
    parameters: dict[str, str] = request.query_params.dict()
    return parameters


def _window(request: Request) -> Window | None:
    """The stretch of a Group's members that ``startIndex`` and ``count`` of a GET ask for."""
    if not request.query_params:
        return None
    asked = {
        name: value
        for name, value in _parameters(request).items()
        if name.lower() in ("startindex", "count")
    }
    query = ListQuery.from_parameters(asked)
    if query.start_index == 1 and query.count is None:
        return None
    return Window(query.start_index, Window.most if query.count is None else query.count)


def _limited(query: ListQuery) -> ListQuery:
    return query.limited(default=scim_settings.default_count, most=scim_settings.max_results)


def _list(page: Page) -> Response:
    message = list_response(
        page.documents,
        total=page.total,
        start_index=page.start_index,
        next_cursor=page.next_cursor,
    )
    return Response(message)


def _single(representation: Representation, *, status: int = 200) -> Response:
    return Response(
        representation.document, status=status, headers=resource_headers(representation)
    )
