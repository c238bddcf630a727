"""The schemas of the discovery resources (RFC 7643 §5 to §7, §8.7.2).

Added to what is printed there, because the prose requires it: ``etag``,
``authenticationSchemes.type`` and ``primary``; ``schemaExtensions`` is optional (§6), and
``pagination`` comes from RFC 9865 §4.
"""

from __future__ import annotations

from typing import Any

from .schema import Attribute, AttributeType, Schema

SERVICE_PROVIDER_CONFIG_URN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE_URN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SCHEMA_URN = "urn:ietf:params:scim:schemas:core:2.0:Schema"


class _MetaSchemaAttribute(Attribute):
    """``attributes`` of Schema: the one complex attribute with a complex one inside (§7)."""

    def __post_init__(self) -> None:
        """Nothing to check: the nesting is the standard's own."""


def _published(
    name: str, type_: AttributeType, description: str, *subs: Attribute, **characteristics: Any
) -> Attribute:
    """An attribute that only the service provider sets."""
    return Attribute(
        name,
        type_,
        description=description,
        mutability="readOnly",
        sub_attributes=subs,
        **characteristics,
    )


def _required(
    name: str, type_: AttributeType, description: str, *subs: Attribute, **characteristics: Any
) -> Attribute:
    return _published(name, type_, description, *subs, required=True, **characteristics)


def _feature(name: str, description: str, *limits: Attribute) -> Attribute:
    supported = _required("supported", "boolean", "Whether it is offered.")
    return _required(name, "complex", description, supported, *limits)


SERVICE_PROVIDER_CONFIG = Schema(
    SERVICE_PROVIDER_CONFIG_URN,
    "Service Provider Configuration",
    description="What this service provider offers.",
    attributes=(
        _published(
            "documentationUri",
            "reference",
            "The documentation for people.",
            reference_types=("external",),
        ),
        _feature("patch", "PATCH."),
        _feature(
            "bulk",
            "Bulk operations.",
            _required("maxOperations", "integer", "The most operations in one request."),
            _required("maxPayloadSize", "integer", "The most bytes in one request."),
        ),
        _feature(
            "filter",
            "Filters.",
            _required("maxResults", "integer", "The most resources in one answer."),
        ),
        _feature("changePassword", "Changing passwords."),
        _feature("sort", "Sorting."),
        _feature("etag", "ETags."),
        _required(
            "authenticationSchemes",
            "complex",
            "The ways to authenticate.",
            _required(
                "type",
                "string",
                "The kind of scheme.",
                canonical_values=(
                    "oauth",
                    "oauth2",
                    "oauthbearertoken",
                    "httpbasic",
                    "httpdigest",
                ),
            ),
            _required("name", "string", "The name of the scheme."),
            _required("description", "string", "How it works."),
            _published("specUri", "reference", "Its specification.", reference_types=("external",)),
            _published(
                "documentationUri",
                "reference",
                "Its documentation.",
                reference_types=("external",),
            ),
            _published("primary", "boolean", "Whether it is the preferred scheme."),
            multi_valued=True,
        ),
        _published(
            "pagination",
            "complex",
            "The ways to page through lists.",
            _required("cursor", "boolean", "Whether pages can be asked for by cursor."),
            _required("index", "boolean", "Whether pages can be asked for by index."),
            _published(
                "defaultPaginationMethod",
                "string",
                "The way of a request that names none.",
                canonical_values=("cursor", "index"),
            ),
            _published("defaultPageSize", "integer", "Resources in a page by default."),
            _published("maxPageSize", "integer", "The most resources in a page."),
            _published("cursorTimeout", "integer", "Seconds for which a cursor is good."),
        ),
    ),
)

RESOURCE_TYPE = Schema(
    RESOURCE_TYPE_URN,
    "ResourceType",
    description="A type of resource and where it is found.",
    attributes=(
        _published("id", "string", "The id of the resource type."),
        _required("name", "string", "The name of the resource type.", uniqueness="server"),
        _published("description", "string", "What the resources are."),
        _required(
            "endpoint",
            "reference",
            "The path of the endpoint, relative to the base URL.",
            reference_types=("uri",),
            uniqueness="server",
        ),
        _required("schema", "reference", "The URN of the schema.", reference_types=("uri",)),
        _published(
            "schemaExtensions",
            "complex",
            "The extensions a resource may carry.",
            _required("schema", "reference", "The URN of the schema.", reference_types=("uri",)),
            _required("required", "boolean", "Whether every resource must carry it."),
            multi_valued=True,
        ),
    ),
)

_CHARACTERISTICS = (
    _required("name", "string", "The name.", case_exact=True),
    _required(
        "type",
        "string",
        "The data type.",
        canonical_values=(
            "string",
            "complex",
            "boolean",
            "decimal",
            "integer",
            "dateTime",
            "reference",
            "binary",
        ),
    ),
    _required("multiValued", "boolean", "Whether there can be several values."),
    _published("description", "string", "What it is, for people.", case_exact=True),
    _published("required", "boolean", "Whether a value is required."),
    _published(
        "canonicalValues", "string", "The usual values.", case_exact=True, multi_valued=True
    ),
    _published("caseExact", "boolean", "Whether case matters in comparisons."),
    _published(
        "mutability",
        "string",
        "When it can be written.",
        case_exact=True,
        canonical_values=("readOnly", "readWrite", "immutable", "writeOnly"),
    ),
    _published(
        "returned",
        "string",
        "When it is in an answer.",
        case_exact=True,
        canonical_values=("always", "never", "default", "request"),
    ),
    _published(
        "uniqueness",
        "string",
        "Among which resources a value is unique.",
        case_exact=True,
        canonical_values=("none", "server", "global"),
    ),
    _published(
        "referenceTypes", "string", "What a reference can name.", case_exact=True, multi_valued=True
    ),
)

SCHEMA = Schema(
    SCHEMA_URN,
    "Schema",
    description="A schema: which attributes there are, and how they behave.",
    attributes=(
        _required("id", "string", "The URN of the schema."),
        _required("name", "string", "The name of the schema."),
        _published("description", "string", "What it describes."),
        _MetaSchemaAttribute(
            "attributes",
            "complex",
            multi_valued=True,
            required=True,
            description="The attributes of the schema.",
            mutability="readOnly",
            sub_attributes=(
                *_CHARACTERISTICS,
                _published(
                    "subAttributes",
                    "complex",
                    "The attributes inside a complex one.",
                    *_CHARACTERISTICS,
                    multi_valued=True,
                ),
            ),
        ),
    ),
)
