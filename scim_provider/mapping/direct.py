"""What a single row is read with, so that it takes no statement of its own."""

from __future__ import annotations

import json
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, Expression, OuterRef, TextField, Value
from django.db.models.sql.compiler import SQLCompiler

from scim_provider.models import AttributeValue, Membership, Resource

from .belonging import group_element, groups_of
from .context import Context
from .paths import Document

_AGGREGATES = {
    "postgresql": "json_agg(json_build_array({values}))::text",
    "sqlite": "json_group_array(json_array({values}))",
    "mysql": "JSON_ARRAYAGG(JSON_ARRAY({values}))",
}
_DIRECT = """
(SELECT {aggregate} FROM {memberships} scim_m JOIN {resources} scim_g ON scim_g.id = scim_m.group_id
WHERE scim_m.member_id = {resources}.id)
"""
_VALUES = """
scim_g.id, scim_g.scim_id, scim_g.name,
(SELECT COUNT(*) FROM {memberships} scim_n WHERE scim_n.member_id = scim_g.id)
"""


#: In place of what a projection does not ask for.
NOT_READ = Value(None, output_field=TextField())


class DirectGroups(Expression):
    """The groups that a resource is in, as JSON: ``[[row id, id, name, groups it is in], …]``."""

    output_field = TextField()

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        names = {"memberships": Membership._meta.db_table, "resources": Resource._meta.db_table}
        aggregate = _AGGREGATES[connection.vendor].format(values=_VALUES.format(**names))
        return _DIRECT.format(aggregate=aggregate, **names), []


_JOINED = {
    "postgresql": "string_agg(scim_m.group_id::text, ',')",
    "sqlite": "group_concat(scim_m.group_id)",
    "mysql": "GROUP_CONCAT(scim_m.group_id)",
}


class GroupKeys(Expression):
    """The keys of the rows of the groups that a resource is in, with commas between.

    A page of people is in few groups: to read each of them once is less than to read each person's.
    """

    output_field = TextField()

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        memberships, resources = Membership._meta.db_table, Resource._meta.db_table
        return (
            f"(SELECT {_JOINED[connection.vendor]} FROM {memberships} scim_m"
            f" WHERE scim_m.member_id = {resources}.id)"
        ), []


def read_direct_groups(pk: int, text: str, context: Context) -> list[Document]:
    """The groups of the row ``pk``: those just read, where none of them is in another one."""
    found = json.loads(text)
    if any(nested for *_, nested in found):
        return groups_of([pk], context)[pk]
    base = context.location("/Groups", "")
    return [group_element(base, scim_id, name, "direct") for _, scim_id, name, _ in sorted(found)]


def is_known(path: str, resource_type: str) -> Exists:
    """Whether the stored attribute ``path`` of a row is the id of a resource of that type."""
    ids = AttributeValue.objects.filter(resource=OuterRef(OuterRef("pk")), path=path).values("key")
    return Exists(
        Resource.objects.filter(
            connection=OuterRef("connection"), resource_type=resource_type, scim_id__in=ids
        )
    )
