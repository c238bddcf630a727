"""The people and groups of the filter vectors, as rows of a site that has their schemas."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from scim_provider.mapping.context import Context
from scim_provider.models import Connection, Resource
from scim_provider.protocol.projection import Projection
from scim_provider.protocol.values import datetime_key
from scim_provider.resources import GroupResource, UserResource
from tests.protocol.fixture_schemas import FILTER_VECTORS, USER_SCHEMA

BASE_URL = "https://example.com/scim/v2"


class VectorUsers(UserResource):
    schema = USER_SCHEMA.core
    extensions = USER_SCHEMA.extensions


class VectorGroups(GroupResource):
    pass


def load(connection: Connection) -> Context:
    """Create every fixture resource through the mapping, under the fixture's own id."""
    connection.roles.all().delete()  # `role` and `roles` are plain data in the vectors
    context = Context(connection, BASE_URL)
    users, groups = VectorUsers(), VectorGroups()
    for document in FILTER_VECTORS["fixture"]["users"]:
        _create(users, context, document)
    for document in FILTER_VECTORS["fixture"]["groups"]:
        _create(groups, context, document)
    return context


def _create(resource_type: Any, context: Context, document: dict[str, Any]) -> None:
    everything = Projection.parse((), (), resource_type.resource_schema)
    made = resource_type.create(context, document, everything)
    row = Resource.objects.filter(scim_id=made.document["id"])
    meta = document["meta"]
    row.update(
        scim_id=document["id"],
        created=_moment(meta["created"]),
        last_modified=_moment(meta["lastModified"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(datetime_key(text)).astimezone(UTC)
