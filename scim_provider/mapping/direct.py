"""What a single row is read with, so that it takes no statement of its own."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, Expression, OuterRef, TextField, Value
from django.db.models.sql.compiler import SQLCompiler

from scim_provider.models import AttributeValue, Membership, Resource

from .belonging import group_element, groups_named, groups_of
from .context import Context
from .paths import Document

# MariaDB cuts what it makes one text of at group_concat_max_len, and closes the bracket all the
# same: there the number of groups stands before them, and each key has an end.
_AGGREGATES = {
    "postgresql": "json_agg(json_build_array({values}))::text",
    "sqlite": "json_group_array(json_array({values}))",
    "mysql": "CONCAT(COUNT(*), ':', JSON_ARRAYAGG(JSON_ARRAY({values})))",
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


_KEYS_OF = "FROM {memberships} scim_m WHERE scim_m.member_id = {resources}.id"
_JOINED = {
    "postgresql": f"array_to_string(ARRAY(SELECT scim_m.group_id {_KEYS_OF}), ',')",
    "sqlite": f"(SELECT group_concat(scim_m.group_id) {_KEYS_OF})",
    "mysql": (
        "(SELECT CONCAT(COUNT(*), ':', GROUP_CONCAT(scim_m.group_id, ',' SEPARATOR '')) "
        f"{_KEYS_OF})"
    ),
}


class GroupKeys(Expression):
    """The keys of the rows of the groups that a resource is in, with commas between.

    A page of people is in few groups: to read each of them once is less than to read each person's.
    """

    output_field = TextField()

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        names = {"memberships": Membership._meta.db_table, "resources": Resource._meta.db_table}
        return _JOINED[connection.vendor].format(**names), []


def read_group_keys(
    texts: Mapping[int, str], context: Context, people: Collection[str] = ()
) -> tuple[dict[int, list[Document]], set[str]]:
    """Row id → its groups, of the texts that :class:`GroupKeys` read, and who of ``people`` is
    known; nobody where nobody is in a group.
    """
    keys = {text: _whole_keys(text) for text in set(texts.values())}
    named, known = groups_named({whole for whole in keys.values() if whole}, context, people)
    found = {pk: named[key] for pk, text in texts.items() if (key := keys[text]) in named}
    cut = [pk for pk, text in texts.items() if keys[text] is None]
    return (found | groups_of(cut, context) if cut else found), known


def _whole_keys(text: str) -> str | None:
    """The keys with commas between, None where the database has cut some off."""
    if ":" not in text:
        return text
    number, _, keys = text.rpartition(":")
    is_whole = keys.endswith(",") and keys.count(",") == int(number)
    return keys[:-1] if is_whole else None


def read_direct_groups(pk: int, text: str, context: Context) -> list[Document]:
    """The groups of the row ``pk``: those just read, where none of them is in another one."""
    found = _whole_groups(text)
    if found is None or any(nested for *_, nested in found):
        return groups_of([pk], context)[pk]
    base = context.location("/Groups", "")
    return [group_element(base, scim_id, name, "direct") for _, scim_id, name, _ in sorted(found)]


def _whole_groups(text: str) -> list[Any] | None:
    """The groups as they were read, None where the database has cut some off."""
    if text.startswith("["):
        return list(json.loads(text))
    number, _, groups = text.partition(":")
    try:
        found = json.loads(groups)
    except ValueError:
        return None
    return found if len(found) == int(number) else None


def is_known(path: str, resource_type: str) -> Exists:
    """Whether the stored attribute ``path`` of a row is the id of a resource of that type."""
    ids = AttributeValue.objects.filter(resource=OuterRef(OuterRef("pk")), path=path).values("key")
    return Exists(
        Resource.objects.filter(
            connection=OuterRef("connection"), resource_type=resource_type, scim_id__in=ids
        )
    )
