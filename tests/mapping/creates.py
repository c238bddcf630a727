"""What a batch of creates left behind, to compare with one create after the other."""

from __future__ import annotations

from typing import Any

from django.db import connection as database

from scim_provider.mapping.batch import create_many
from scim_provider.mapping.context import Context
from scim_provider.mapping.writing import StoredResourceType
from scim_provider.models import (
    AttributeValue,
    Connection,
    FormerUser,
    Membership,
    Resource,
    RoleAssignment,
)
from scim_provider.protocol.errors import ScimError, Uniqueness
from scim_provider.resources import resource_types

BASE = "https://site.example/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
KLAXON = "urn:ietf:params:scim:schemas:extension:klaxon:2.0:User"

_ACCOUNT = ("username", "first_name", "last_name", "email", "is_active", "mobile")


def kind(name: str = "User") -> StoredResourceType:
    """The served resource type of that name."""
    found = next(each for each in resource_types() if each.name == name)
    assert isinstance(found, StoredResourceType)
    return found


def one_by_one(served: StoredResourceType, context: Context, bodies: list[Any]) -> list[Any]:
    """What a POST of each body, one after the other, gives."""
    outcomes: list[Any] = []
    for body in bodies:
        try:
            outcomes.append(served.insert(context, body))
        except ScimError as error:
            outcomes.append(error)
    return outcomes


def together(served: StoredResourceType, context: Context, bodies: list[Any]) -> list[Any]:
    return list(create_many(served, context, bodies))


def context_of(connection: Connection) -> Context:
    return Context(connection, BASE)


def told(outcomes: list[Any]) -> list[Any]:
    """Outcomes without what differs from run to run: the name of a row, or the error."""
    return [_refusal(each) if isinstance(each, ScimError) else each.name for each in outcomes]


def _refusal(error: ScimError) -> Any:
    """MariaDB compares accounts' names without case, which tells more of them by their account."""
    by_either = isinstance(error, Uniqueness) and database.vendor == "mysql"
    return type(error), "" if by_either else error.detail


def left_behind(connection: Connection) -> dict[str, Any]:
    """All rows of the connection in the order they were made, without keys and moments."""
    rows = list(Resource.objects.filter(connection=connection).order_by("pk"))
    return {
        "resources": [_resource(row) for row in rows],
        "index": [_index(row) for row in rows],
        "members": [_members(row) for row in rows],
        "roles": [_roles(row) for row in rows],
        "former": sorted(
            FormerUser.objects.filter(connection=connection).values_list("name_key", flat=True)
        ),
    }


def _resource(row: Resource) -> Any:
    account: Any = row.account
    columns = (row.resource_type, row.external_id, row.name, row.name_key, row.unique_key)
    assert row.last_modified >= row.created
    return (*columns, row.version, row.document, account and _account(account))


def _account(account: Any) -> Any:
    password = account.password if account.has_usable_password() else None
    values = {name: getattr(account, name) for name in _ACCOUNT}
    place = account.location and account.location.name
    groups = sorted(account.groups.values_list("name", flat=True))
    belongs = account.organization_id is not None
    return values, bool(password), place, groups, belongs


def _index(row: Resource) -> Any:
    rows = AttributeValue.objects.filter(resource=row).order_by("pk")
    assert {value.connection_id for value in rows} <= {row.connection_id}
    return list(rows.values_list("path", "element", "key", "text"))


def _members(row: Resource) -> Any:
    rows = Membership.objects.filter(group=row, connection=row.connection_id)
    return sorted(rows.values_list("member__name", "display"))


def _roles(row: Resource) -> Any:
    rows = RoleAssignment.objects.filter(user=row, connection=row.connection_id).order_by("pk")
    return list(rows.values_list("role__value", "provenance", "primary"))
