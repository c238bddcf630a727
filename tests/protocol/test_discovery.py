from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scim2_models import ResourceType, ServiceProviderConfig
from scim2_models import Schema as OracleSchema

from scim_provider.protocol import core
from scim_provider.protocol.discovery import (
    DISCOVERY_SCHEMAS,
    resource_type_document,
    roles_and_entitlements,
    schema_document,
    service_provider_config,
)
from scim_provider.protocol.schema import Attribute, ResourceSchema, Schema

BASE_URL = "https://example.com/scim/v2"
SCHEMAS = (core.USER, core.GROUP, core.ENTERPRISE_USER, core.ROLE, *DISCOVERY_SCHEMAS)


def config(**changes: Any) -> dict[str, Any]:
    limits = {"max_results": 1000, "default_count": 100, "max_body_bytes": 5_000_000}
    limits |= {"max_operations": 500, "cursor_seconds": 3600}
    return service_provider_config(BASE_URL, **(limits | changes))


def definitions(attributes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for attribute in attributes:
        yield attribute
        yield from definitions(attribute.get("subAttributes", []))


def test_the_configuration_has_every_required_member_of_section_5():
    document = config()
    assert document["patch"] == {"supported": True}
    assert document["bulk"] == {
        "supported": True,
        "maxOperations": 500,
        "maxPayloadSize": 5_000_000,
    }
    assert document["filter"] == {"supported": True, "maxResults": 1000}
    for feature in ("changePassword", "sort", "etag"):
        assert document[feature] == {"supported": True}
    assert {"type", "name", "description"} <= set(document["authenticationSchemes"][0])
    assert document["authenticationSchemes"][0]["type"] == "oauthbearertoken"


def test_the_configuration_says_where_it_is():
    assert config()["meta"] == {
        "resourceType": "ServiceProviderConfig",
        "location": f"{BASE_URL}/ServiceProviderConfig",
    }


def test_the_configuration_names_the_sites_documentation_and_otherwise_the_rfc():
    assert config(documentation_uri="https://docs.example.com")["documentationUri"] == (
        "https://docs.example.com"
    )
    assert config()["documentationUri"].startswith("https://www.rfc-editor.org/")


def test_paging_is_by_index_or_cursor_and_within_the_limits():
    pagination = config(max_results=50)["pagination"]
    assert (pagination["cursor"], pagination["index"]) == (True, True)
    assert pagination["defaultPaginationMethod"] == "index"
    assert (pagination["defaultPageSize"], pagination["maxPageSize"]) == (50, 50)
    assert pagination["cursorTimeout"] == 3600


def test_another_implementation_accepts_the_configuration():
    ServiceProviderConfig.model_validate(config())


def test_roles_are_advertised_as_the_draft_spells_it():
    advertised = roles_and_entitlements(roles=True)["RolesAndEntitlements"]
    assert advertised["roles"]["supported"]
    assert not advertised["entitlements"]["supported"]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_another_implementation_accepts_each_schema(schema):
    OracleSchema.model_validate(schema_document(BASE_URL, schema))


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_every_attribute_publishes_all_its_characteristics(schema):
    for definition in definitions(schema_document(BASE_URL, schema)["attributes"]):
        always = {"name", "type", "multiValued", "description", "required", "caseExact"}
        assert always | {"mutability", "returned"} <= set(definition)
        assert definition["description"]


def test_only_a_complex_attribute_has_sub_attributes_and_it_has_no_uniqueness():
    for definition in definitions(schema_document(BASE_URL, core.USER)["attributes"]):
        is_complex = definition["type"] == "complex"
        assert ("subAttributes" in definition, "uniqueness" in definition) == (
            is_complex,
            not is_complex,
        )


def test_a_reference_says_to_what_and_canonical_values_are_listed_where_there_are_any():
    schema = Schema(
        "urn:example:Thing",
        "Thing",
        (
            Attribute("owner", "reference", reference_types=("User",)),
            Attribute("size", canonical_values=("small", "large")),
        ),
    )
    owner, size = schema_document(BASE_URL, schema)["attributes"]
    assert (owner["referenceTypes"], owner["caseExact"]) == (["User"], True)
    assert size["canonicalValues"] == ["small", "large"]
    assert "canonicalValues" not in owner
    assert "referenceTypes" not in size


def test_a_schema_says_what_and_where_it_is():
    document = schema_document(BASE_URL, core.USER)
    assert document["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:Schema"]
    assert document["meta"] == {
        "resourceType": "Schema",
        "location": f"{BASE_URL}/Schemas/{core.USER_URN}",
    }


def test_a_resource_type_names_its_schemas_and_which_are_required():
    document = resource_type_document(
        BASE_URL,
        name="User",
        endpoint="/Users",
        description="People.",
        schema=ResourceSchema(
            core.USER, (core.ENTERPRISE_USER,), frozenset({core.ENTERPRISE_USER_URN})
        ),
    )
    ResourceType.model_validate(document)
    assert document["id"] == document["name"] == "User"
    assert document["schema"] == core.USER_URN
    assert document["schemaExtensions"] == [{"schema": core.ENTERPRISE_USER_URN, "required": True}]
    assert document["meta"]["location"] == f"{BASE_URL}/ResourceTypes/User"
