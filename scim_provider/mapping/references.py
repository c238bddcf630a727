"""Stored attributes that refer to a resource which goes (RFC 7644 §3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from scim_provider.models import AttributeValue, Resource
from scim_provider.protocol.schema import Target

from .paths import set_value
from .transactions import database, locking

_BATCH = 500


def forget_references(gone: Resource, target: Target, moment: datetime) -> None:
    """Unassign ``target``, a complex attribute, wherever its ``value`` is the id of ``gone``.

    One statement where nobody refers to it, and a few for all who do.
    """
    forget_all_references(gone.connection_id, [gone.scim_id], target, moment)


def forget_all_references(
    connection: int, scim_ids: Sequence[str], target: Target, moment: datetime
) -> None:
    """:func:`forget_references` for all resources of a connection with these ids."""
    referring = Resource.objects.filter(
        values__connection=connection,
        values__path=f"{target}.value",
        values__key__in=scim_ids,
    )
    rows = list(referring.order_by("pk").select_for_update(**locking(database())))
    if not rows:
        return
    for row in rows:
        set_value(row.document, target, None)
        row.version += 1
        row.last_modified = max(moment, row.last_modified)
    paths = [str(target.of(sub)) for sub in target.attribute.sub_attributes]
    AttributeValue.objects.filter(resource__in=rows, path__in=paths).delete()
    Resource.objects.bulk_update(rows, ["document", "version", "last_modified"], batch_size=_BATCH)
