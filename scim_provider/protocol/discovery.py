"""The documents of the discovery endpoints (RFC 7643 §5 to §7; RFC 7644 §4; RFC 9865 §4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .discovery_schemas import (
    RESOURCE_TYPE,
    RESOURCE_TYPE_URN,
    SCHEMA,
    SCHEMA_URN,
    SERVICE_PROVIDER_CONFIG,
    SERVICE_PROVIDER_CONFIG_URN,
)
from .schema import Attribute, ResourceSchema, Schema

#: Served next to the schemas of the resource types (erratum 8417).
DISCOVERY_SCHEMAS = (SERVICE_PROVIDER_CONFIG, RESOURCE_TYPE, SCHEMA)

RFC_7644 = "https://www.rfc-editor.org/rfc/rfc7644"
RFC_6750 = "https://www.rfc-editor.org/rfc/rfc6750"


def service_provider_config(
    base_url: str,
    *,
    max_results: int,
    default_count: int,
    max_body_bytes: int,
    max_operations: int,
    cursor_seconds: int,
    documentation_uri: str = "",
) -> dict[str, Any]:
    """The ServiceProviderConfig resource: what is offered, and the limits."""
    return {
        "schemas": [SERVICE_PROVIDER_CONFIG_URN],
        "documentationUri": documentation_uri or RFC_7644,
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": max_operations,
            "maxPayloadSize": max_body_bytes,
        },
        "filter": {"supported": True, "maxResults": max_results},
        "changePassword": {"supported": True},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Access key",
                "description": "An access key of the connection in the Authorization header.",
                "specUri": RFC_6750,
                "documentationUri": documentation_uri or RFC_7644,
                "primary": True,
            }
        ],
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": min(default_count, max_results),
            "maxPageSize": max_results,
            "cursorTimeout": cursor_seconds,
        },
        "meta": _meta("ServiceProviderConfig", f"{base_url}/ServiceProviderConfig"),
    }


def roles_and_entitlements(*, roles: bool) -> dict[str, Any]:
    """What draft-ietf-scim-roles-entitlements adds to ServiceProviderConfig.

    Only for clients that ask for it: others validate the document against RFC 7643 and refuse
    a member they do not know. ``roles`` where there is an endpoint of roles.
    """
    return {
        "RolesAndEntitlements": {
            "roles": {
                "supported": roles,
                "multipleRolesSupported": roles,
                "primarySupported": roles,
                "typeSupported": False,
            },
            "entitlements": {
                "supported": False,
                "multipleEntitlementsSupported": False,
                "primarySupported": False,
                "typeSupported": False,
            },
        }
    }


def resource_type_document(
    base_url: str, *, name: str, endpoint: str, description: str, schema: ResourceSchema
) -> dict[str, Any]:
    """The ResourceType resource; its id is its name (RFC 7643 §6)."""
    return {
        "schemas": [RESOURCE_TYPE_URN],
        "id": name,
        "name": name,
        "description": description,
        "endpoint": endpoint,
        "schema": schema.core.id,
        "schemaExtensions": [
            {"schema": extension.id, "required": extension.id in schema.required_extensions}
            for extension in schema.extensions
        ],
        "meta": _meta("ResourceType", f"{base_url}/ResourceTypes/{name}"),
    }


def schema_document(base_url: str, schema: Schema) -> dict[str, Any]:
    """The Schema resource of ``schema`` (RFC 7643 §7)."""
    return {
        "schemas": [SCHEMA_URN],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": _definitions(schema.attributes),
        "meta": _meta("Schema", f"{base_url}/Schemas/{schema.id}"),
    }


def _definitions(attributes: Sequence[Attribute]) -> list[dict[str, Any]]:
    return [_definition(attribute) for attribute in attributes]


def _definition(attribute: Attribute) -> dict[str, Any]:
    """Every characteristic; a complex attribute has no uniqueness (erratum 6004)."""
    definition: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
    }
    if attribute.is_complex:
        definition["subAttributes"] = _definitions(attribute.sub_attributes)
    else:
        definition["uniqueness"] = attribute.uniqueness
    if attribute.canonical_values:
        definition["canonicalValues"] = list(attribute.canonical_values)
    if attribute.reference_types:
        definition["referenceTypes"] = list(attribute.reference_types)
    return definition


def _meta(resource_type: str, location: str) -> dict[str, str]:
    return {"resourceType": resource_type, "location": location}
