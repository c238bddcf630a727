"""People whose manager goes (RFC 7644 §3.6): what is deleted is in no answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from scim_provider.models import AttributeValue, Resource
from scim_provider.prepared import Number, Prepared, Text

from .managers import MANAGER, MANAGER_ID
from .paths import set_value
from .rows import batched
from .transactions import database, locking

#: Documents that are held at a time: somebody may manage a whole company.
_BATCH = 500


def forget_manager(gone: Resource, moment: datetime) -> None:
    """Unassign ``manager`` wherever its ``value`` is the id of ``gone``.

    One statement where nobody refers to it, and a few for each :data:`_BATCH` of those who do.
    """
    _unassign(_ONES_PEOPLE.rows(gone.connection_id, gone.scim_id), moment)


def forget_managers(connection: int, scim_ids: Sequence[str], moment: datetime) -> None:
    """:func:`forget_manager` for all resources of a connection with these ids."""
    _unassign(list(_locked_people(connection, scim_ids)), moment)


def _locked_people(connection: int, managers: Sequence[str]) -> QuerySet[Resource, tuple[int]]:
    """The keys of the rows that refer to one of the managers, locked in one order."""
    rows = Resource.objects.filter(
        values__connection=connection, values__path=str(MANAGER_ID), values__key__in=managers
    )
    return rows.order_by("pk").select_for_update(**locking(database())).values_list("pk")


_CONNECTION, _SCIM_ID = Number(), Text("manager")
_ONES_PEOPLE = Prepared(lambda: _locked_people(_CONNECTION, [_SCIM_ID]), _CONNECTION, _SCIM_ID)


def _unassign(locked: Sequence[Sequence[int]], moment: datetime) -> None:
    paths = [str(MANAGER.of(sub)) for sub in MANAGER.attribute.sub_attributes]
    for some in batched([key for (key,) in locked], _BATCH):
        rows = list(Resource.objects.filter(pk__in=some).select_for_update(**locking(database())))
        for row in rows:
            set_value(row.document, MANAGER, None)
            row.version += 1
            row.last_modified = max(moment, row.last_modified)
        AttributeValue.objects.filter(resource__in=some, path__in=paths).delete()
        Resource.objects.bulk_update(rows, ["document", "version", "last_modified"])
