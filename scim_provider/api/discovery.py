"""What this service provider serves (RFC 7644 §4), computed from what is registered."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from scim_provider.conf import scim_settings
from scim_provider.connections import base_url
from scim_provider.protocol.discovery import (
    DISCOVERY_SCHEMAS,
    resource_type_document,
    roles_and_entitlements,
    schema_document,
    service_provider_config,
)
from scim_provider.protocol.errors import Forbidden, NotFound
from scim_provider.protocol.messages import attribute_names, list_response
from scim_provider.protocol.schema import Schema
from scim_provider.resources import ResourceType, resource_types

from .authentication import DiscoveryAuthentication
from .policies import ScimPolicies


class DiscoveryView(ScimPolicies):
    """GET only; every query parameter but ``filter`` is ignored, which is refused."""

    authentication_classes = [DiscoveryAuthentication]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "filter" in request.query_params:
            raise Forbidden("Discovery cannot be filtered (RFC 7644 §4). Leave 'filter' out.")

    @property
    def base_url(self) -> str:
        return base_url(self.request._request)


class ServiceProviderConfigView(DiscoveryView):
    def get(self, request: Request) -> Response:
        document = service_provider_config(
            self.base_url,
            max_results=scim_settings.max_results,
            default_count=scim_settings.default_count,
            max_body_bytes=scim_settings.max_body_bytes,
            max_operations=scim_settings.bulk_max_operations,
            cursor_seconds=scim_settings.cursor_max_age,
            documentation_uri=scim_settings.documentation_url,
        )
        if _asks_for_roles(request):
            document |= roles_and_entitlements(roles=_serves_roles())
        return Response(document)


class ResourceTypesView(DiscoveryView):
    def get(self, request: Request) -> Response:
        documents = [self._document(resource_type) for resource_type in resource_types()]
        return Response(list_response(documents, total=len(documents)))

    def _document(self, resource_type: ResourceType) -> dict[str, Any]:
        return resource_type_document(
            self.base_url,
            name=resource_type.name,
            endpoint=resource_type.endpoint,
            description=resource_type.description,
            schema=resource_type.resource_schema,
        )


class ResourceTypeView(ResourceTypesView):
    def get(self, request: Request, type_name: str = "") -> Response:
        for resource_type in resource_types():
            if resource_type.name.lower() == type_name.lower():
                return Response(self._document(resource_type))
        names = ", ".join(resource_type.name for resource_type in resource_types())
        raise NotFound(f"There is no such resource type. There are: {names}.")


class SchemasView(DiscoveryView):
    def get(self, request: Request) -> Response:
        documents = [schema_document(self.base_url, schema) for schema in _schemas()]
        return Response(list_response(documents, total=len(documents)))


class SchemaView(DiscoveryView):
    def get(self, request: Request, urn: str) -> Response:
        for schema in _schemas():
            if schema.id.lower() == urn.lower():
                return Response(schema_document(self.base_url, schema))
        raise NotFound("There is no schema of that URN. GET /Schemas lists them.")


def _schemas() -> list[Schema]:
    """Each schema once, those of the resource types first."""
    schemas: dict[str, Schema] = {}
    for resource_type in resource_types():
        resource_schema = resource_type.resource_schema
        for schema in (resource_schema.core, *resource_schema.extensions):
            schemas.setdefault(schema.id, schema)
    return [*schemas.values(), *DISCOVERY_SCHEMAS]


def _asks_for_roles(request: Request) -> bool:
    names = attribute_names({"attributes": request.query_params.get("attributes")}, "attributes")
    return "rolesandentitlements" in map(str.lower, names)


def _serves_roles() -> bool:
    return any(resource_type.name == "Role" for resource_type in resource_types())
