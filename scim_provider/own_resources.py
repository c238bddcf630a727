"""Resource types beside models of the site's own: its teams as Groups, its devices.

The model has ``scim = OneToOneField("scim_provider.Resource", on_delete=SET_NULL, null=True,
blank=True, editable=False, related_name="team")``, and ``homes`` name its columns by that
``related_name``: ``Column("team__name")``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db.models import F

from .mapping.functions import NOTHING, NormalisedKey, compare_text, key_variants
from .mapping.own_members import OwnGroups, OwnMembers
from .mapping.own_objects import OwnObjects
from .mapping.transactions import one_at_a_time
from .models import Resource
from .protocol import core
from .protocol.delta import ValueDelta
from .protocol.projection import Projection
from .protocol.schema import comparison_key
from .resources import Context, GroupResource, common_homes

__all__ = ["OwnGroupResource", "OwnGroups", "OwnMembers", "OwnResource", "common_homes"]

Document = dict[str, Any]
_MEMBERS = core.GROUP.target("members")


class OwnResource(OwnObjects):
    """A further resource type of the site; say ``name``, ``endpoint``, ``schema``, ``own_model``,
    ``naming_attribute`` and ``homes``, which begin with ``common_homes(name, endpoint)``.
    """


class OwnGroupResource(OwnObjects, GroupResource):
    """``/Groups`` that are rows of the site, with members in the site's own table.

    ``homes`` says where ``displayName`` lives (a Column) and ``members`` (OwnMembers).
    """

    @cached_property
    def _members(self) -> OwnMembers:
        home: Any = self.home(_MEMBERS)
        assert isinstance(home, OwnMembers), "Give 'members' a home: OwnMembers('team__members')."
        return home

    def claim(self, row: Resource, name: str, context: Context) -> None:
        if not context.connection.unique_group_names:
            return
        one_at_a_time(context.connection)
        key, same = comparison_key(name), NOTHING
        for variant in key_variants(key, "eq"):
            same |= compare_text(NormalisedKey(F(self.name_column())), "eq", variant)
        if self.objects(context.owner).filter(same).exclude(pk=self.own(row).pk).exists():
            raise self.taken({self.naming_attribute: name})

    def change_members(self, row: Resource, delta: ValueDelta, context: Context) -> bool:
        return self._members.apply(row, delta, context)

    def members(self, row: Resource, context: Context) -> list[Document]:
        return self._members.of([row.pk], context)[row.pk]

    def complete(
        self, pairs: Sequence[tuple[Any, Document]], context: Context, projection: Projection
    ) -> None:
        if projection.wants(_MEMBERS):
            keys = [row.pk for row, _ in pairs]
            members = self._members.of(keys, context, projection.members)
            for row, document in pairs:
                document["members"] = members[row.pk]
