"""The schemas that the vectors assume: the core ones, a test extension, Klaxon's, and ``role``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scim_provider.protocol.core import ENTERPRISE_USER, GROUP, USER
from scim_provider.protocol.schema import Attribute, ResourceSchema, Schema

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
FILTER_VECTORS: dict[str, Any] = json.loads((VECTORS / "filter-vectors.json").read_text("utf-8"))

ROLE_ATTRIBUTE = Attribute(
    "role",
    description="The user's role.",
    canonical_values=(
        "admin",
        "manager",
        "analyst",
        "campaign_coordinator",
        "content_creator",
        "support",
    ),
)


def attribute_from(document: dict[str, Any]) -> Attribute:
    """An attribute from its published form (RFC 7643 §7)."""
    return Attribute(
        document["name"],
        document["type"],
        multi_valued=document["multiValued"],
        required=document["required"],
        case_exact=document["caseExact"],
        mutability=document["mutability"],
        returned=document["returned"],
        uniqueness=document["uniqueness"],
        sub_attributes=tuple(map(attribute_from, document.get("subAttributes", ()))),
    )


def extra_schema(name: str, urn: str) -> Schema:
    """One of the extensions that come with the vectors."""
    attributes = FILTER_VECTORS["extra_schemas"][urn]
    return Schema(urn, name, attributes=tuple(map(attribute_from, attributes)))


TEST_URN = "urn:example:params:scim:schemas:extension:test:2.0:User"
KLAXON_URN = "urn:ietf:params:scim:schemas:extension:klaxon:2.0:User"

USER_SCHEMA = ResourceSchema(
    core=USER.including(ROLE_ATTRIBUTE),
    extensions=(
        ENTERPRISE_USER,
        extra_schema("TestUser", TEST_URN),
        extra_schema("KlaxonUser", KLAXON_URN),
    ),
)
GROUP_SCHEMA = ResourceSchema(core=GROUP)
