"""The built-in schemas: complete, described, and corrected where the errata say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scim2_models import EnterpriseUser as OracleEnterpriseUser
from scim2_models import Group as OracleGroup
from scim2_models import ResourceType as OracleResourceType
from scim2_models import Schema as OracleSchema
from scim2_models import ServiceProviderConfig as OracleServiceProviderConfig
from scim2_models import User as OracleUser

from scim_provider.protocol.core import ENTERPRISE_USER, GROUP, ROLE, USER
from scim_provider.protocol.discovery_schemas import (
    RESOURCE_TYPE,
    SCHEMA,
    SERVICE_PROVIDER_CONFIG,
)
from scim_provider.protocol.schema import Attribute, Schema

BUILT_IN = (
    USER,
    GROUP,
    ENTERPRISE_USER,
    ROLE,
    SERVICE_PROVIDER_CONFIG,
    RESOURCE_TYPE,
    SCHEMA,
)

ORACLES = (
    (USER, OracleUser),
    (GROUP, OracleGroup),
    (ENTERPRISE_USER, OracleEnterpriseUser),
    (SERVICE_PROVIDER_CONFIG, OracleServiceProviderConfig),
    (RESOURCE_TYPE, OracleResourceType),
    (SCHEMA, OracleSchema),
)

#: Where another implementation publishes something else: (ours, theirs), and what decides.
DIFFERENCES: dict[tuple[str, str], tuple[Any, Any, str]] = {
    ("ims.type", "canonicalValues"): (
        ("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo", "other"),
        ("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
        "RFC 7643 §4.1.2 has 'other', §8.7.1 has not",
    ),
    ("password", "caseExact"): (False, True, "RFC 7643 §8.7.1"),
    ("members.display", "mutability"): ("immutable", "readWrite", "RFC 7643 §4.2, erratum 6011"),
    ("manager.value", "required"): (False, True, "RFC 7643 §4.3: RECOMMENDED"),
    ("manager.displayName", "returned"): (
        "request",
        "default",
        "RFC 7643 §7 leaves it to the service provider: clients that compare an answer with what"
        " they sent stumble over a name that they did not send",
    ),
    ("manager.$ref", "required"): (False, True, "RFC 7643 §4.3: RECOMMENDED"),
    ("id", None): (None, "published", "RFC 7643 §5: a ServiceProviderConfig needs no id"),
    ("name", "caseExact"): (False, True, "RFC 7643 §8.7.2, ResourceType"),
    ("schemaExtensions", "required"): (False, True, "RFC 7643 §6: OPTIONAL"),
}


def walk(attributes: tuple[Attribute, ...], prefix: str = "") -> Iterator[tuple[str, Attribute]]:
    for attribute in attributes:
        yield prefix + attribute.name, attribute
        yield from walk(attribute.sub_attributes, f"{prefix}{attribute.name}.")


def walk_oracle(
    attributes: list[dict[str, Any]], prefix: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    for attribute in attributes:
        yield prefix + attribute["name"], attribute
        yield from walk_oracle(
            attribute.get("subAttributes") or [], f"{prefix}{attribute['name']}."
        )


def characteristics(attribute: Attribute) -> dict[str, Any]:
    return {
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
        "uniqueness": attribute.uniqueness,
        "canonicalValues": attribute.canonical_values,
        "referenceTypes": attribute.reference_types,
    }


def of(schema: Schema, path: str) -> Attribute:
    return dict(walk(schema.attributes))[path]


@pytest.mark.parametrize("schema", BUILT_IN, ids=lambda schema: schema.name)
def test_every_schema_and_attribute_is_described(schema: Schema) -> None:
    assert schema.description
    assert [path for path, attribute in walk(schema.attributes) if not attribute.description] == []


@pytest.mark.parametrize(("schema", "oracle"), ORACLES, ids=lambda item: getattr(item, "id", ""))
def test_characteristics_are_those_that_others_publish(schema: Schema, oracle: Any) -> None:
    ours = dict(walk(schema.attributes))
    theirs = dict(walk_oracle(oracle.to_schema().model_dump()["attributes"]))
    names = {path for path, key in DIFFERENCES if key is None}
    assert set(ours) | names == set(theirs) | names
    for path, attribute in ours.items():
        for key, value in characteristics(attribute).items():
            other = theirs[path].get(key) or type(value)()
            other = tuple(other) if isinstance(value, tuple) else other
            if value != other:
                assert DIFFERENCES[path, key][:2] == (value, other), (path, key)


def test_a_group_needs_its_name_by_erratum_5368() -> None:
    assert of(GROUP, "displayName").required


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (USER, "groups.value"),
        (USER, "groups.$ref"),
        (USER, "profileUrl"),
        (USER, "photos.value"),
        (USER, "x509Certificates.value"),
        (GROUP, "members.value"),
        (GROUP, "members.$ref"),
        (ENTERPRISE_USER, "manager.value"),
    ],
)
def test_ids_references_and_binaries_compare_exactly(schema: Schema, path: str) -> None:
    assert of(schema, path).case_exact


@pytest.mark.parametrize("path", ["addresses.primary", "emails.primary", "roles.primary"])
def test_a_multi_valued_attribute_of_a_user_has_primary(path: str) -> None:
    assert of(USER, path).type == "boolean"


def test_the_user_name_is_required_unique_and_compared_by_precis() -> None:
    user_name = of(USER, "userName")
    assert user_name.required
    assert user_name.precis
    assert user_name.uniqueness == "server"


def test_a_password_is_written_and_never_returned() -> None:
    password = of(USER, "password")
    assert (password.mutability, password.returned) == ("writeOnly", "never")


@pytest.mark.parametrize("schema", [ROLE, SERVICE_PROVIDER_CONFIG, RESOURCE_TYPE, SCHEMA])
def test_what_only_the_service_provider_sets_is_read_only(schema: Schema) -> None:
    assert {attribute.mutability for _, attribute in walk(schema.attributes)} == {"readOnly"}


def test_groups_of_a_user_change_only_through_the_group() -> None:
    groups = of(USER, "groups")
    assert groups.mutability == "readOnly"
    assert {sub.mutability for sub in groups.sub_attributes} == {"readOnly"}


def test_a_role_has_the_attributes_of_the_draft() -> None:
    assert [attribute.name for attribute in ROLE.attributes] == [
        "value",
        "display",
        "type",
        "supported",
        "limitedAssignmentsPermitted",
        "totalAssignmentsPermitted",
        "totalAssignmentsUsed",
        "containedBy",
        "contains",
    ]
