"""Which roles the service knows: core User may have a `role` with canonicalValues (RFC 7643 §7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"

_POWERFUL = re.compile(r"admin|owner|root", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Roles:
    """The role that people get at first, the one they change to, and all that are known."""

    first: str
    second: str
    known: tuple[str, ...] = ()


def declared_roles(schemas: Any) -> tuple[str, ...] | None:
    """The canonical values of core User's `role` in a /Schemas answer; None without a role."""
    for attribute in _user_attributes(schemas):
        if str(attribute.get("name")).casefold() == "role":
            values = attribute.get("canonicalValues")
            listed = values if isinstance(values, list) else []
            return tuple(value for value in listed if isinstance(value, str) and value)
    return None


def choose_roles(known: tuple[str, ...], wanted: str) -> Roles | None:
    """Two roles to play with, harmless ones first; None when there is nothing to choose from."""
    if not known and not wanted:
        return None
    # People lose the role again: a service may refuse that to its last administrator.
    harmless = sorted(known, key=lambda role: bool(_POWERFUL.search(role)))
    others = [role for role in harmless if role.casefold() != wanted.casefold()]
    first = others[0] if others else wanted
    second = wanted or (others[1] if len(others) > 1 else first)
    return Roles(first, second, known)


def _user_attributes(schemas: Any) -> Iterator[dict[str, Any]]:
    listed = schemas.get("Resources") if isinstance(schemas, dict) else None
    for schema in listed if isinstance(listed, list) else []:
        if isinstance(schema, dict) and schema.get("id") == USER_SCHEMA:
            attributes = schema.get("attributes")
            yield from (
                attribute
                for attribute in (attributes if isinstance(attributes, list) else [])
                if isinstance(attribute, dict)
            )
