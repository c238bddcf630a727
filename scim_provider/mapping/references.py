"""Stored attributes that refer to a resource which goes (RFC 7644 §3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from django.db.models import QuerySet

from scim_provider.models import AttributeValue, Resource
from scim_provider.prepared import Number, Prepared, Text, field_names, instance
from scim_provider.protocol.schema import Target

from .paths import set_value
from .transactions import database, locking

_BATCH = 500


def forget_references(gone: Resource, target: Target, moment: datetime) -> None:
    """Unassign ``target``, a complex attribute, wherever its ``value`` is the id of ``gone``.

    One statement where nobody refers to it, and a few for all who do.
    """
    using, found = _referring(f"{target}.value").select(gone.connection_id, gone.scim_id)
    _unassign([instance(Resource, using, values) for values in found], target, moment)


def forget_all_references(
    connection: int, scim_ids: Sequence[str], target: Target, moment: datetime
) -> None:
    """:func:`forget_references` for all resources of a connection with these ids."""
    _unassign(list(_locked(connection, scim_ids, f"{target}.value")), target, moment)


def _locked(connection: int, scim_ids: Sequence[str], path: str) -> QuerySet[Resource]:
    """The rows that refer to one of them, locked in one order."""
    rows = Resource.objects.filter(
        values__connection=connection, values__path=path, values__key__in=scim_ids
    )
    return rows.order_by("pk").select_for_update(**locking(database()))


@cache
def _referring(path: str) -> Prepared:
    """The columns of the rows that refer to one resource."""
    connection, scim_id, names = Number(), Text("id"), field_names(Resource)
    return Prepared(
        lambda: _locked(connection, [scim_id], path).values_list(*names), connection, scim_id
    )


def _unassign(rows: Sequence[Resource], target: Target, moment: datetime) -> None:
    if not rows:
        return
    for row in rows:
        set_value(row.document, target, None)
        row.version += 1
        row.last_modified = max(moment, row.last_modified)
    paths = [str(target.of(sub)) for sub in target.attribute.sub_attributes]
    AttributeValue.objects.filter(resource__in=rows, path__in=paths).delete()
    Resource.objects.bulk_update(rows, ["document", "version", "last_modified"], batch_size=_BATCH)
