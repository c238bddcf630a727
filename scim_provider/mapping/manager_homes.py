"""Where ``manager.$ref`` and ``manager.displayName`` live: with the User whose id is stored."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat, Substr

from scim_provider.fields import KeyField, KeyTextField
from scim_provider.models import AttributeValue, Resource
from scim_provider.protocol import core
from scim_provider.protocol.filter import Operator
from scim_provider.protocol.schema import Target, comparison_key

from .context import Context
from .functions import BinaryText, compare_index_key, compare_text
from .homes import Store
from .managers import MANAGER_ID
from .starts import Finds, Start, all_of, any_of, by_column, named_by

_DISPLAY_NAME = str(core.USER.target("displayName"))


class _OfManager(Store):
    """What is computed of a manager who is known here; of anybody else, what was sent is stored."""

    def __init__(self, name: str, endpoint: str) -> None:
        self.name, self.endpoint = name, endpoint

    def _managers(self, context: Context) -> QuerySet[Resource]:
        rows = Resource.objects.filter(connection=context.connection, resource_type=self.name)
        return rows.order_by()

    def _managed(self, context: Context, condition: Q | None = None) -> Start:
        """The people whose manager is known and meets the condition."""
        managers = self._managers(context)
        if condition is not None:
            managers = managers.filter(condition)
        ids = managers.values("scim_id")
        rows = self._rows(str(MANAGER_ID), context).filter(key__in=ids)
        return named_by(rows, "resource", Finds.SOME)

    def _or_stored(self, known: Start, stored: Q, context: Context) -> Q:
        rows = Resource.objects.filter(connection=context.connection)
        return any_of([known, all_of([stored, ~self._managed(context)])], rows)

    def compare(self, target: Target, operator: Operator, key: str, context: Context) -> Q:
        known = self._managed(context, self._told(operator, key, context))
        return self._or_stored(known, super().compare(target, operator, key, context), context)

    def present(self, target: Target, context: Context) -> Q:
        return self._or_stored(self._managed(context), super().present(target, context), context)

    def order(self, target: Target, context: Context) -> Any:
        path = str(MANAGER_ID)
        ids = AttributeValue.objects.filter(resource=OuterRef(OuterRef("pk")), path=path)
        managers = self._managers(context).filter(scim_id__in=ids.values("key"))
        told = Subquery(managers.values_list(self._text(context))[:1])
        return Coalesce(told, super().order(target, context), output_field=CharField())

    def _told(self, operator: Operator, key: str, context: Context) -> Q:
        """The managers of whom ``value operator key`` holds."""
        raise NotImplementedError

    def _text(self, context: Context) -> Any:
        """The value that a row of a manager tells, as it is compared."""
        raise NotImplementedError


class ManagerReference(_OfManager):
    """``manager.$ref``."""

    def _told(self, operator: Operator, key: str, context: Context) -> Q:
        holds = compare_text(self._text(context), operator, key)
        if operator != "eq":
            return holds
        behind = len(context.location(self.endpoint, "")) + 1
        return Q(scim_id=Substr(Value(key, KeyField()), behind)) & holds  # which an index finds

    def _text(self, context: Context) -> Any:
        base = Value(context.location(self.endpoint, ""))
        return BinaryText(Concat(base, F("scim_id"), output_field=CharField()))


class ManagerName(_OfManager):
    """``manager.displayName``: the manager's ``displayName``, else the ``userName``."""

    def _told(self, operator: Operator, key: str, context: Context) -> Q:
        names = self._rows(_DISPLAY_NAME, context).filter(compare_index_key(operator, key))
        folded = key if key.isascii() else comparison_key(key, precis=True)
        login = Q(name_key=folded)
        if operator != "eq":
            login = compare_text(F("name_key"), operator, folded)
        unnamed = ~Q(Exists(self._names()))
        named = named_by(names, "resource", Finds.SOME)
        return any_of(
            [named, all_of([by_column(login, Finds.SOME), unnamed])], self._managers(context)
        )

    def _text(self, context: Context) -> Any:
        whole = Coalesce(F("text"), F("key"), output_field=KeyTextField())
        return Coalesce(
            Subquery(self._names().values_list(whole)[:1]), F("name_key"), output_field=CharField()
        )

    def _names(self) -> QuerySet[AttributeValue]:
        return AttributeValue.objects.filter(resource=OuterRef("pk"), path=_DISPLAY_NAME)
